# SPDX-License-Identifier: Apache-2.0
"""Names of zones and regions, and where passwords are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treetop.errors import Refuse
from treetop.model.source_url import parse_source_url
from treetop.model.zone import (
    NAME_PATTERN,
    PasswordReference,
    Trust,
    Zone,
    ZoneId,
    parse_password_reference,
    parse_region,
    parse_zone_name,
)


@given(st.from_regex(NAME_PATTERN, fullmatch=True))
def test_a_zone_name_fits_a_dns_label_and_a_file_name(name):
    assert parse_zone_name(name) == name
    assert 1 <= len(name) <= 63
    assert name.isascii()
    assert not set(name) & set("/. \n")


@pytest.mark.parametrize(
    "name", ["", "A", "a ", " a", "a\n", "-a", "a-", "_a", "a/b", "..", "é", "x" * 64, "٣"]
)
def test_what_is_no_zone_name_is_refused_with_the_rule(name):
    with pytest.raises(Refuse) as refused:
        parse_zone_name(name)

    assert "use 1 to 63" in refused.value.hint


@given(before=st.text(), mark=st.sampled_from("@:/"), after=st.text())
def test_a_url_in_place_of_a_name_is_not_repeated(before, mark, after):
    with pytest.raises(Refuse) as refused:
        parse_zone_name(f"{before}{mark}{after}")

    assert str(refused.value) == "what was given as name cannot be a zone name"


@pytest.mark.parametrize("region", ["RegionOne", "Zürich 2", "x" * 255])
def test_a_region_is_any_printable_line(region):
    assert parse_region(region) == region


@pytest.mark.parametrize(
    "text", ["file:/etc/treetop/west", "file:/with space:and colon", "env:WEST_PASSWORD", "env:_x1"]
)
def test_a_password_reference_is_read_back_as_it_was_written(text):
    assert str(parse_password_reference(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "sw0rdfish", "ENV:X"),
        *("file:", "file:relative", "file:/a\nb"),
        *("env:", "env:1X", "env:X Y", "env:é", "env:sw0rdfish!"),
    ],
)
def test_what_is_no_password_reference_is_refused_and_not_repeated(text):
    with pytest.raises(Refuse) as refused:
        parse_password_reference(text)

    assert "--password-file PATH" in refused.value.hint
    assert "sw0rdfish" not in f"{refused.value} {refused.value.hint}"


def test_a_zone_can_be_logged_whole(tmp_path, monkeypatch):
    """Neither `str` nor `repr` holds what the reference leads to."""
    file = tmp_path / "password"
    file.write_text("sw0rdfish")
    monkeypatch.setenv("WEST_PASSWORD", "sw0rdfish")
    for reference in (
        PasswordReference(kind="file", name=str(file)),
        PasswordReference(kind="env", name="WEST_PASSWORD"),
    ):
        zone = Zone(
            id=ZoneId(1),
            name=parse_zone_name("west"),
            region="RegionOne",
            trust=Trust.SERVERS,
            url=parse_source_url("mysql://u@h/d"),
            password=reference,
        )
        assert "sw0rdfish" not in f"{zone} {zone!r} {zone.url} {zone.url!r} {zone.password} {zone.password!r}"
