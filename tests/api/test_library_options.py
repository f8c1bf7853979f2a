# SPDX-License-Identifier: Apache-2.0
"""The options of OpenStack's libraries in our files and environment, and what is said where they are missing."""

import subprocess
import sys

import pytest
from oslo_config import cfg

from tests.api.test_policy import AUTH
from treetop.api.library_options import read_library_options
from treetop.api.wsgi import make_application
from treetop.config import load_settings
from treetop.errors import Refuse

SECRET = "sw0rdfish"
KEYSTONE = "[api]\nauth_strategy = keystone\n"


@pytest.fixture
def read(tmp_path):
    """Read this text as both readers of a treetop.conf do."""

    def read(text):
        file = tmp_path / "treetop.conf"
        file.write_text(text)
        return read_library_options(load_settings([str(file)]).config_files)

    return read


def test_they_are_what_nova_takes(read):
    conf = read(
        f"{KEYSTONE}{AUTH}memcached_servers = a:1,b:2\nuser_domain_name = Default\ntenant_name = service\n"
        "[oslo_policy]\nenforce_new_defaults = false\n[cors]\nallowed_origin = https://a\n"
    )

    assert conf.keystone_authtoken.memcached_servers == ["a:1", "b:2"]
    assert conf.keystone_authtoken.project_name == "service"
    assert not conf.oslo_policy.enforce_new_defaults
    assert conf.cors.allowed_origin == ["https://a"]


def test_a_password_may_come_from_the_environment(read, monkeypatch):
    monkeypatch.setenv("OS_KEYSTONE_AUTHTOKEN__PASSWORD", SECRET)

    assert read(KEYSTONE + AUTH).keystone_authtoken.password == SECRET


def test_nothing_is_left_in_the_global_options(read):
    read(KEYSTONE + AUTH)

    assert "auth_url" not in cfg.CONF.keystone_authtoken


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (f"{AUTH}memcache_server = x\n", "has no option 'memcache_server'", "'memcached_servers'"),
        (f"{AUTH}pasword = {SECRET}\n", "has no option 'pasword'", "'password'"),
        (f"{AUTH}project-name = x\n", "has no option 'project-name'", "'project_name'"),
        (f"{AUTH}[oslo_policy]\npolicyfile = x\n", "has no option 'policyfile'", "'policy_file'"),
        (f"{AUTH}[oslo_midleware]\n", "there is no group [oslo_midleware]", "'oslo_middleware'"),
        (
            f"{AUTH}http_connect_timeout = soon\n",
            "http_connect_timeout cannot be used",
            "OS_KEYSTONE_AUTHTOKEN__",
        ),
        (f"{AUTH}memcache_secret_key = pa${SECRET}\n", "holds a $", "write $$"),
        (AUTH.replace("= password", "= pasword"), "auth_type 'pasword' is not known", "keystone.md"),
        (AUTH.replace("auth_type = password\n", ""), "auth_type is not set", "keystone.md"),
        (AUTH.replace("www_auth", "auth_section = x\n#"), "www_authenticate_uri is not set", "keystone.md"),
        ("", "auth_type is not set", "keystone.md"),
    ],
)
def test_what_cannot_be_meant_is_refused(read, text, said, hint):
    with pytest.raises(Refuse) as refused:
        read(KEYSTONE + text)

    assert said in str(refused.value)
    assert hint in refused.value.hint
    assert SECRET not in f"{refused.value}{refused.value.hint}"


def test_a_misspelt_variable_is_refused(read, monkeypatch):
    monkeypatch.setenv("OS_KEYSTONE_AUTHTOKEN__PASWORD", SECRET)

    with pytest.raises(Refuse, match="OS_KEYSTONE_AUTHTOKEN__PASWORD"):
        read(KEYSTONE + AUTH)


def test_who_does_not_use_them_need_not_have_them(read, tmp_path):
    """A file that the collectors share, and the demo, run where the extra is not installed."""
    (tmp_path / "treetop.conf").write_text(f"{AUTH}anything = at all\n")
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('keystonemiddleware', 'oslo_policy', 'oslo_middleware')))\n"
        "from dataclasses import replace\n"
        "from treetop.api.deploy import deploy\nfrom treetop.config import load_settings\n"
        "from treetop.errors import Refuse\n"
        f"settings = load_settings([{str(tmp_path / 'treetop.conf')!r}])\n"
        "print(deploy(None, settings, None).is_behind_proxy)\n"
        "try: deploy(None, replace(settings, auth_strategy='keystone'), None)\n"
        "except Refuse as refusal: print(refusal, '|', refusal.hint)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    first, second = done.stdout.splitlines() or [done.stderr, ""]
    assert first == "False"
    assert "a Python package is missing here" in second
    assert "pip install 'treetop[openstack]'" in second


def test_other_servers_are_not_given_an_api_without_authentication(monkeypatch):
    monkeypatch.setenv("OS_API__AUTH_STRATEGY", "noauth")

    with pytest.raises(Refuse, match="by `treetop serve`"):
        make_application()
