# SPDX-License-Identifier: Apache-2.0
"""What Nova's defaults give to a reader and to an administrator, at home and elsewhere."""

import pytest

from treetop.api.caller import admin_of, reader_of
from treetop.api.fault import Fault
from treetop.api.permission import Permission
from treetop.api.policy_rules import RULES


def test_every_permission_has_a_default():
    assert set(RULES) == set(Permission)


def test_a_reader_may_read_a_server_of_the_own_project_alone():
    caller = reader_of("a")

    caller.require(Permission.SERVERS_SHOW, project_id="a")
    with pytest.raises(Fault) as refused:
        caller.require(Permission.SERVERS_SHOW, project_id="b")

    assert refused.value.status == 403
    assert str(refused.value) == "Policy doesn't allow os_compute_api:servers:show to be performed."


def test_a_reader_may_list_but_not_list_everything():
    caller = reader_of("a")

    assert caller.may(Permission.SERVERS_INDEX)
    assert not caller.may(Permission.INDEX_ALL_TENANTS)
    assert not caller.may(Permission.HYPERVISORS_LIST)


def test_a_keypair_belongs_to_its_user():
    caller = reader_of("a")

    assert caller.may(Permission.KEYPAIRS_SHOW, user_id=caller.user_id)
    assert not caller.may(Permission.KEYPAIRS_SHOW, user_id="somebody-else")


def test_what_belongs_to_nobody_may_be_read_by_everybody():
    caller = reader_of("a")

    assert caller.may(Permission.AVAILABILITY_ZONES_LIST)
    assert caller.may(Permission.QUOTA_SETS_DEFAULTS, project_id="b")


def test_an_administrator_may_everything_everywhere():
    caller = admin_of("a")

    assert all(caller.may(permission, project_id="b", user_id="x") for permission in Permission)
