# SPDX-License-Identifier: Apache-2.0
"""Options: where they come from, and what is said of the ones that cannot be meant."""

import os

import pytest

from treetop import config
from treetop.config import GROUPS, load_settings
from treetop.errors import Refuse

SECRET = "sw0rdfish"


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "treetop.conf")


@pytest.fixture
def load(tmp_path):
    """Read this text as the only configuration file."""

    def read(text):
        file = tmp_path / "some.conf"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings([str(file)])

    return read


@pytest.fixture
def refused(load):
    def read(text):
        with pytest.raises(Refuse) as refused:
            load(text)
        error = refused.value
        assert SECRET not in f"{error} {error.hint}"
        assert error.__suppress_context__ or error.__context__ is None
        assert error.hint
        return error

    return read


def test_without_a_file_the_defaults_hold():
    settings = load_settings()

    assert (settings.host, settings.port, settings.connection) == ("127.0.0.1", 8774, None)
    assert settings.config_files == ()


def test_default_quotas_are_numbers_by_resource(load, refused):
    assert load("").default_quotas == {}
    assert load("[api]\ndefault_quotas = cores:-1, ram:4096\n").default_quotas == {"cores": -1, "ram": 4096}
    for bad in ("cores", "cores:many", "cores:-2"):
        assert "default_quotas" in str(refused(f"[api]\ndefault_quotas = {bad}\n"))


def test_the_default_file_is_read_when_it_is_there():
    config.DEFAULT_FILE.write_text("[api]\nport = 1234\n")

    assert load_settings().port == 1234
    assert load_settings().config_files == (str(config.DEFAULT_FILE),)


def test_the_environment_is_over_the_file_and_a_later_file_over_an_earlier(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("[api]\nport = 1\nthreads = 1\nmax_limit = 1\n")
    (tmp_path / "b").write_text("[api]\nport = 2\nthreads = 2\n")
    monkeypatch.setenv("OS_API__PORT", "3")
    settings = load_settings([str(tmp_path / "a"), str(tmp_path / "b")])

    assert (settings.port, settings.threads, settings.max_limit) == (3, 2, 1)


def test_there_are_no_more_options_than_one_can_survey():
    options = [option for group in GROUPS.values() for option in group]

    assert len(options) <= 40
    assert all(len(option.help) > 15 for option in options)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("[stor]\n", "there is no group [stor]", "'store'"),
        ("[zones]\n", "there is no group [zones]", "known are: DEFAULT, store"),
        ("[store]\nconection = x\n", "[store] has no option 'conection'", "'connection'"),
        ("[store]\npool-size = 3\n", "[store] has no option 'pool-size'", "'pool_size'"),
        ("[api]\nxyzzy = 3\n", "[api] has no option 'xyzzy'", "known are: host, port"),
        ("[sync]\nport = 3\n", "[sync] has no option 'port'", "known are: "),
    ],
)
def test_what_is_misspelt_is_refused_with_the_nearest_name(refused, text, said, hint):
    error = refused(text)

    assert said in str(error)
    assert hint in error.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 3\n", "line 1: Section must be started"),
        (f"[store]\nconnection = x\n{SECRET}\n", "line 3: No ':' or '='"),
        (f"[store\nconnection = {SECRET}\n", "line 1: Invalid section"),
        (b"[store]\nconnection = \xff\n", "is not UTF-8 text"),
        ("[store]\npool_size = many\n", "[store] pool_size cannot be used: invalid literal"),
        ("[store]\npool_size = 0\n", "[store] pool_size cannot be used: Should be greater"),
        ("[api]\nport = 70000\n", "[api] port cannot be used"),
        ("[api]\nauth_strategy = keyston\n", "[api] auth_strategy cannot be used"),
        ("[DEFAULT]\ndebug = maybe\n", "[DEFAULT] debug cannot be used"),
        (f"[store]\nconnection = host=h password=pa${SECRET}\n", "holds a $ that is not followed"),
        (f"[store]\nconnection = host=h password=pa${{{SECRET}}}\n", "holds a $ that is not followed"),
        (f"[store]\nconnection = host=h password=pa${{store.{SECRET}}}\n", "holds a $ that is not followed"),
    ],
)
def test_what_cannot_be_used_is_refused(refused, text, said):
    assert said in str(refused(text))


def test_a_dollar_can_be_part_of_a_password(load):
    assert load("[store]\nconnection = host=h password=a$$b\n").connection == "host=h password=a$b"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OS_STORE__CONECTION", SECRET, "no option is set by OS_STORE__CONECTION"),
        ("OS_API__PORT", "", "[api] port is empty"),
        ("OS_API__PORT", "http", "[api] port cannot be used"),
        ("OS_STORE__CONNECTION", f"password=a${SECRET}", "holds a $"),
    ],
)
def test_the_environment_is_read_as_strictly(refused, monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)

    assert said in str(refused(""))


def test_what_others_keep_in_the_environment_is_theirs(load, monkeypatch):
    for name in ("OS_AUTH_URL", "OS_DATABASE__CONNECTION", "OS_DEFAULT__TRANSPORT_URL"):
        monkeypatch.setenv(name, SECRET)

    assert load("").connection is None


@pytest.mark.parametrize("path", ["none.conf", ""])
def test_a_file_that_cannot_be_read_is_named(tmp_path, path):
    """A path that is missing, and a folder."""
    with pytest.raises(Refuse, match="cannot read") as refused:
        load_settings([str(tmp_path / path)])

    assert str(tmp_path / path) in str(refused.value)
    assert "--config-file" in refused.value.hint


def test_settings_say_that_no_top_is_configured():
    with pytest.raises(Refuse) as refused:
        load_settings().required_connection()

    assert "treetop demo" in refused.value.hint
