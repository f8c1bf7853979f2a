# SPDX-License-Identifier: Apache-2.0
"""The list of extensions, which is the same for everybody."""

PATH = "/v2.1/extensions"


def test_all_are_listed_and_each_is_shown(reader_api):
    listed = reader_api.get(PATH)["extensions"]

    assert len(listed) == 99
    assert listed[0] == {
        "alias": "NMN",
        "description": "Multiple network support.",
        "links": [],
        "name": "Multinic",
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
        "updated": "2014-12-03T00:00:00Z",
    }
    for extension in listed:
        assert reader_api.get(f"{PATH}/{extension['alias']}") == {"extension": extension}


def test_another_is_not_found(api):
    assert api.refusal(f"{PATH}/nonsense") == (404, "itemNotFound", "The resource could not be found.")


def test_unknown_parameters_are_refused_from_2_102_on(api):
    for path in (PATH, f"{PATH}/NMN"):
        assert api.get(f"{path}?foo=1", 101)
        assert api.refusal(f"{path}?foo=1", 102)[0] == 400
