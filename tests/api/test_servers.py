# SPDX-License-Identifier: Apache-2.0
"""The list of servers and one server: what is listed, in what order, with which links."""

from tests.store.builders import a_server


def test_the_newest_server_comes_first(api, top):
    for number in (1, 3, 2):
        a_server(top, number)

    assert api.names() == ["vm-3", "vm-2", "vm-1"]
