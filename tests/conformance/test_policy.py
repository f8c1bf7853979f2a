# SPDX-License-Identifier: Apache-2.0
"""Our policy is that of the real Nova: rule by rule, role by role, in the own project and in another one's."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.test_policy import AUTH, credentials
from tests.conformance.nova_environment import make_nova_environment
from treetop.api.credentials import Credentials
from treetop.api.library_options import read_library_options
from treetop.api.permission import Permission
from treetop.api.policy import Policy
from treetop.api.policy_rules import ALIASES, RULES, About

_SCRIPT = Path(__file__).with_name("decide_with_nova.py")
_NOVA_RULES = [permission for permission in Permission if not permission.startswith("treetop:")]
_CALLERS = {
    "reader": credentials("reader"),
    "member": credentials("member", "reader"),
    "manager": credentials("manager", "member", "reader"),
    "admin": credentials("admin", "manager", "member", "reader"),
    "admin alone": credentials("ADMIN"),
    "service": credentials("service"),
    "some role": credentials("some-role"),
    "no role": credentials(),
    "unscoped": credentials(project_id=None),
    "system admin": credentials("admin", "reader", project_id=None, system_scope="all"),
    "system reader": credentials("reader", project_id=None, system_scope="all"),
    "domain admin": credentials("admin", "reader", project_id=None, domain_id="d"),
}
_OLD_NAMES = """
"admin_api": "role:admin or role:operator"
"os_compute_api:os-hypervisors": "role:reader"
"os_compute_api:os-used-limits": "role:member"
"os_compute_api:servers:show": "is_admin:True or project_id:%(project_id)s"
"os_compute_api:os-aggregates:index": "rule:project_reader_or_admin"
"os_compute_api:os-keypairs:index": "user_id:%(user_id)s"
"os_compute_api:servers:index": "rule:admin_or_owner"
"context_is_admin": "role:admin or role:service"
"""


@pytest.fixture(scope="module")
def programs() -> Path:
    return make_nova_environment()


@pytest.fixture
def nova(programs: Path, tmp_path: Path) -> Callable[..., Any]:
    """Ask Nova: questions, options and policy.yaml -> what the script says."""

    def ask(questions: list[tuple[str, str, dict[str, Any]]], options: str, text: str) -> Any:
        configuration = tmp_path / "nova.conf"
        configuration.write_text(f"[DEFAULT]\nstate_path = {tmp_path}\n[oslo_policy]\n{options}\n")
        (tmp_path / "policy.yaml").write_text(text)
        asked = {"callers": {name: _context(who) for name, who in _CALLERS.items()}, "questions": questions}
        done = subprocess.run(
            [programs / "python", "-W", "ignore", _SCRIPT, configuration],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return ask


def test_our_defaults_are_those_that_nova_registers(nova: Callable[..., Any]) -> None:
    rules = nova([], "", "")["rules"]

    ours = {
        **{name: (rule, None) for name, rule in ALIASES.items()},
        **{permission.value: (RULES[permission], ["project"]) for permission in _NOVA_RULES},
    }
    assert {
        name: [str(rule.check), scopes, rule.former and rule.former.name, rule.former and rule.former.check]
        for name, (rule, scopes) in ours.items()
    } == {name: rules[name] for name in ours}


@pytest.mark.parametrize(
    ("options", "text"),
    [("", ""), ("enforce_new_defaults = false", ""), ("", _OLD_NAMES)],
    ids=["defaults", "before readers", "overrides"],
)
def test_we_decide_as_nova_does(nova: Callable[..., Any], tmp_path: Path, options: str, text: str) -> None:
    questions = [
        (name, rule, is_own)
        for name in _CALLERS
        for rule in ["context_is_admin", *_NOVA_RULES]
        for is_own in (True, False)
    ]

    theirs = nova(
        [(name, rule, _target(_CALLERS[name], rule, is_own)) for name, rule, is_own in questions],
        options,
        text,
    )["answers"]
    (tmp_path / "treetop.conf").write_text(f"{AUTH}[oslo_policy]\n{options}\n")
    policy = Policy(read_library_options([str(tmp_path / "treetop.conf")]))
    ours = [_decide(policy, _CALLERS[name], rule, is_own) for name, rule, is_own in questions]

    differences = [
        (*question, nova) for question, nova, we in zip(questions, theirs, ours, strict=True) if nova != we
    ]
    assert differences == []
    assert {True, False} <= set(theirs)
    assert len(theirs) > 1_000


def _context(who: Credentials) -> dict[str, Any]:
    return {**who.policy_values(), "is_admin": None}


def _target(who: Credentials, rule: str, is_own: bool) -> dict[str, Any]:
    """What Nova's handlers check the rule about; None: the caller."""
    own = {"project_id": who.project_id, "user_id": who.user_id}
    about = About.CALLER if rule == "context_is_admin" else RULES[Permission(rule)].about
    asked = own if is_own else {"project_id": "b", "user_id": "v"}
    return {
        About.CALLER: own,
        About.PROJECT: {"project_id": asked["project_id"]},
        About.USER: {"user_id": asked["user_id"]},
        About.NOTHING: {},
    }[about]


def _decide(policy: Policy, who: Credentials, rule: str, is_own: bool) -> bool:
    caller = policy.caller(who)
    if rule == "context_is_admin":
        return caller.is_admin
    elsewhere = {} if is_own else {"project_id": "b", "user_id": "v"}
    return caller.may(Permission(rule), **elsewhere)
