# SPDX-License-Identifier: Apache-2.0
"""Where a zone's password is read from, and that errors never show it."""

import pytest

from treetop.capture.password import read_password
from treetop.errors import StopZone
from treetop.model.zone import PasswordReference


def in_file(path):
    return PasswordReference(kind="file", name=str(path))


def test_file_gives_its_first_line(tmp_path):
    (tmp_path / "password").write_text("  päss word \r\nsecond line\n")

    assert read_password(in_file(tmp_path / "password")) == "  päss word "


def test_changed_file_is_found(tmp_path):
    path = tmp_path / "password"
    path.write_text("old")
    assert read_password(in_file(path)) == "old"

    path.write_text("new")

    assert read_password(in_file(path)) == "new"


def test_variable_gives_its_value(monkeypatch):
    monkeypatch.setenv("ZONE_PASSWORD", "from the environment")

    assert read_password(PasswordReference(kind="env", name="ZONE_PASSWORD")) == "from the environment"


def test_no_reference_is_no_password():
    assert read_password(None) == ""


def test_missing_variable_stops_the_zone(monkeypatch):
    monkeypatch.delenv("ZONE_PASSWORD", raising=False)

    with pytest.raises(StopZone, match="ZONE_PASSWORD") as stop:
        read_password(PasswordReference(kind="env", name="ZONE_PASSWORD"))
    assert "treetop sync" in stop.value.hint


@pytest.mark.parametrize("content", [None, b"", b"\xff secret"])
def test_unusable_file_stops_the_zone_without_showing_what_it_holds(tmp_path, content):
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(StopZone, match=str(path)) as stop:
        read_password(in_file(path))
    assert stop.value.hint
    assert "secret" not in str(stop.value)
