# SPDX-License-Identifier: Apache-2.0
"""The operator's policy over Nova's defaults: overrides, former names, changes while running, broken files."""

import http.server
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.servers import wait_until
from treetop.api.caller import ADMIN_PERMISSIONS, admin_of, reader_of
from treetop.api.credentials import Credentials
from treetop.api.fault import Fault
from treetop.api.library_options import read_library_options
from treetop.api.permission import Permission
from treetop.api.policy import Policy
from treetop.errors import Refuse

AUTH = """[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:1/v3
www_authenticate_uri = http://127.0.0.1:1/v3
username = treetop
password = x
"""


def credentials(*roles, **changes):
    values = {
        "user_id": "u",
        "user_domain_id": "default",
        "project_id": "a",
        "project_domain_id": "default",
        "domain_id": None,
        "system_scope": None,
        "roles": roles,
        "is_admin_project": True,
    }
    return Credentials(**(values | changes))


READER, MEMBER = credentials("reader"), credentials("member", "reader")
MANAGER = credentials("manager", "member", "reader")
ADMIN = credentials("admin", "manager", "member", "reader")


@pytest.fixture
def policy(tmp_path):
    """Make a policy with this text as policy.yaml (None: no such file); lines are added to [oslo_policy]."""

    def make(text=None, options="", **kwargs):
        (tmp_path / "treetop.conf").write_text(f"{AUTH}[oslo_policy]\n{options}\n")
        if text is not None:
            (tmp_path / "policy.yaml").write_text(text)
        return Policy(read_library_options([str(tmp_path / "treetop.conf")]), **kwargs)

    return make


def test_without_a_file_the_rules_are_the_defaults(policy):
    made = policy()

    reader, admin = made.caller(READER), made.caller(ADMIN)
    assert (reader.permissions, reader.elsewhere) == (reader_of("a").permissions, reader_of("a").elsewhere)
    assert (admin.permissions, admin.elsewhere) == (ADMIN_PERMISSIONS, ADMIN_PERMISSIONS)
    assert (reader.is_admin, admin.is_admin) == (False, True)
    assert made.caller(MEMBER).permissions == reader.permissions
    assert made.caller(MANAGER).permissions - reader.permissions == {
        Permission.MIGRATIONS_INDEX,
        Permission.SERVER_MIGRATIONS_INDEX,
    }


def test_a_rule_of_the_file_takes_the_place_of_the_default(policy):
    made = policy('"os_compute_api:os-hypervisors:list": "role:auditor"\n')

    assert made.caller(credentials("auditor")).permissions >= {Permission.HYPERVISORS_LIST}
    assert not made.caller(ADMIN).may(Permission.HYPERVISORS_LIST)


def test_who_is_an_administrator_is_a_rule(policy):
    caller = policy('"context_is_admin": "role:admin or role:cloud_admin"\n').caller(
        credentials("cloud_admin")
    )

    assert caller.is_admin
    assert caller.permissions == admin_of("a").permissions


@pytest.mark.parametrize("rule", ["is_admin:True", "is_admin:true", "rule:admin_api"])
def test_old_rules_that_ask_for_is_admin_work(policy, rule):
    made = policy(f'"os_compute_api:servers:index": "{rule}"\n')

    assert made.caller(ADMIN).may(Permission.SERVERS_INDEX)
    assert not made.caller(READER).may(Permission.SERVERS_INDEX)


def test_a_rule_under_a_former_name_counts_and_is_warned_of(policy, caplog):
    with caplog.at_level(logging.WARNING):
        made = policy('"os_compute_api:os-used-limits": "role:auditor"\n')

    assert made.caller(credentials("auditor")).may(Permission.LIMITS_OTHER_PROJECT)
    assert not made.caller(ADMIN).may(Permission.LIMITS_OTHER_PROJECT)
    assert "os_compute_api:os-used-limits" in caplog.text


def test_the_defaults_before_nova_had_readers_can_be_kept(policy):
    nobody = credentials("some-role")

    assert not policy().caller(nobody).may(Permission.SERVERS_INDEX)
    assert policy(options="enforce_new_defaults = false").caller(nobody).may(Permission.SERVERS_INDEX)


def test_a_rule_about_the_owner_tells_projects_apart(policy):
    """What is checked about nothing has no project: as in Nova, such a rule then allows nobody."""
    made = policy(
        '"os_compute_api:servers:show": "project_id:%(project_id)s"\n'
        '"os_compute_api:os-services:list": "project_id:%(project_id)s"\n'
    )

    admin = made.caller(ADMIN)
    assert admin.may(Permission.SERVERS_SHOW, project_id="a")
    assert not admin.may(Permission.SERVERS_SHOW, project_id="b")
    assert not admin.may(Permission.SERVICES_LIST)


@pytest.mark.parametrize(
    "scope", [{"system_scope": "all", "project_id": None}, {"domain_id": "d", "project_id": None}]
)
def test_tokens_for_more_than_a_project_pass_no_rule_of_a_project(policy, scope):
    caller = policy().caller(credentials("admin", "reader", **scope))

    assert caller.is_admin
    assert caller.permissions == frozenset()


def test_a_changed_file_counts_soon_and_a_broken_one_not_at_all(policy, tmp_path, caplog):
    made = policy('"os_compute_api:servers:index": "!"\n')
    assert not made.caller(READER).may(Permission.SERVERS_INDEX)

    def rewrite(text, later):
        (tmp_path / "policy.yaml").write_text(text)
        written = (tmp_path / "policy.yaml").stat().st_mtime
        os.utime(tmp_path / "policy.yaml", (written + later, written + later))

    rewrite('"os_compute_api:servers:index": "@"\n', 2)
    wait_until("the rule counts", lambda: made.caller(READER).may(Permission.SERVERS_INDEX))

    rewrite('"os_compute_api:servers:index": [\n', 4)
    wait_until(
        "it was said", lambda: made.caller(READER) and "policy file cannot be used" in caplog.text, seconds=5
    )
    assert made.caller(READER).may(Permission.SERVERS_INDEX)


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("[broken", "", "policy.yaml cannot be used"),
        ("- a\n- b\n", "", "policy.yaml cannot be used"),
        (None, "policy_file = polcy.yaml", "policy_file polcy.yaml does not exist"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_at_the_start(policy, text, options, said):
    with pytest.raises(Refuse, match=said):
        policy(text, options)


def test_a_rule_that_makes_no_sense_allows_nobody(policy):
    made = policy(
        '"os_compute_api:servers:index": "role:"\n"os_compute_api:servers:detail": "rule:nowhere"\n'
    )

    assert not made.caller(ADMIN).may(Permission.SERVERS_INDEX)
    assert not made.caller(ADMIN).may(Permission.SERVERS_DETAIL)


def test_who_was_forgotten_is_decided_again(policy):
    made = policy(callers_max=2)
    first = made.caller(READER)

    for number in range(5):
        assert made.caller(credentials("admin", user_id=str(number))).is_admin

    assert made.caller(READER) == first


@contextmanager
def policy_service(may_answer):
    """The address of a service that allows everything once `may_answer` is set; and whether it was asked."""
    asked = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.set()
            may_answer.wait(10)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"True")

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        may_answer.set()
        server.shutdown()
        thread.join()


def test_a_service_that_takes_its_time_over_one_caller_holds_up_no_other(policy):
    may_answer = threading.Event()
    with policy_service(may_answer) as (url, asked), ThreadPoolExecutor() as threads:
        made = policy(f'"os_compute_api:servers:index": "role:admin or {url}"\n')
        waiting = threads.submit(made.caller, READER)
        assert asked.wait(10)

        assert threads.submit(made.caller, ADMIN).result(5).may(Permission.SERVERS_INDEX)
        assert not waiting.done()

        may_answer.set()
        assert waiting.result(10).may(Permission.SERVERS_INDEX)


def test_a_service_that_cannot_be_asked_is_a_503(policy):
    made = policy('"os_compute_api:servers:index": "http://127.0.0.1:1/"\n')

    with pytest.raises(Fault, match="cannot be found out what the policy allows") as refused:
        made.caller(READER)

    assert refused.value.status == 503
