# SPDX-License-Identifier: Apache-2.0
"""Credentials -> `Caller`, by Nova's rules: its defaults, and over them the operator's `policy.yaml`.

Every permission of a caller is decided at once and kept, so that a request evaluates no rule: about once a minute per
user. A changed policy file counts within a second; one that cannot be read leaves the rules as they were, and is
logged. Raises `Refuse` at the start for a policy that cannot be meant. Thread-safe. Needs oslo.policy.
"""

import logging
import time
import warnings
from collections import defaultdict
from threading import Lock
from typing import Any, Final

from oslo_config import cfg
from oslo_policy import policy

from treetop.api.caller import Caller
from treetop.api.credentials import Credentials
from treetop.api.fault import unavailable
from treetop.api.permission import Permission
from treetop.api.policy_rules import ALIASES, RULES, About, Rule
from treetop.errors import Refuse

log = logging.getLogger(__name__)

_ADMIN: Final = "context_is_admin"
_RULES_SECONDS: Final = 1.0  # how old rules may be
#: What oslo.policy raises for a file that is missing, no YAML, or no mapping of names to rules.
_UNUSABLE: Final = (ValueError, TypeError, AttributeError, OSError, cfg.Error)
_CALLER_SECONDS: Final = 60.0  # how old a decision may be: a rule may ask a service (http:…)
_SINCE: Final = "21.0.0"
_REASON: Final = "Nova's policy has reader, member, manager and admin now."
_SOMEBODY_ELSE: Final = "another project or user"
_NO_DECISION: Final = "It cannot be found out what the policy allows: a service that it asks does not answer."
_RETRY_SECONDS: Final = 5


class Policy:
    """The rules in force. conf: with the options of oslo.policy registered. callers_max: how many are remembered."""

    def __init__(self, conf: cfg.ConfigOpts, *, callers_max: int = 2_000) -> None:
        self._conf = conf
        self._callers_max = callers_max
        self._lock = Lock()
        self._enforcer = _enforcer(conf)
        self._load_first()
        self._rules: object = self._enforcer.rules
        self._alike = _alike(self._enforcer)
        self._looked_at = self._emptied_at = time.monotonic()
        self._callers: dict[Credentials, Caller] = {}

    def caller(self, credentials: Credentials) -> Caller:
        """Who they are to us. Raises a 503 `Fault` if a service that a rule asks does not answer."""
        while True:
            with self._lock:
                self._forget_if_old(time.monotonic())
                known, rules = self._callers.get(credentials), self._rules
            if known is not None:
                return known
            caller = self._decide(
                credentials
            )  # not within the lock: a service that a rule asks may take its time
            with self._lock:
                if self._rules is rules:  # else it was decided while they changed
                    if len(self._callers) >= self._callers_max:
                        self._callers.pop(next(iter(self._callers)))
                    self._callers[credentials] = caller
                    return caller

    def _decide(self, credentials: Credentials) -> Caller:
        try:
            return self._decided(credentials)
        except (OSError, RuntimeError) as error:  # what oslo.policy lets through of the client it asks with
            log.warning("a service that a rule of the policy asks does not answer: %s", error)
            raise unavailable(_NO_DECISION, retry_after_seconds=_RETRY_SECONDS) from error

    def _decided(self, credentials: Credentials) -> Caller:
        values = credentials.policy_values()
        own = {"project_id": credentials.project_id, "user_id": credentials.user_id}
        is_admin = bool(self._enforcer.enforce(_ADMIN, own, values))
        # Both spellings, because oslo.policy compares texts and Nova takes either.
        values["is_admin"] = [str(is_admin), str(is_admin).lower()]
        return Caller(
            user_id=credentials.user_id,
            project_id=credentials.project_id or "",
            is_admin=is_admin,
            permissions=self._allowed(own, own, values),
            elsewhere=self._allowed(own, dict.fromkeys(own, _SOMEBODY_ELSE), values),
        )

    def _allowed(
        self, own: dict[str, Any], asked: dict[str, Any], values: dict[str, Any]
    ) -> frozenset[Permission]:
        targets = {
            About.CALLER: own,
            About.PROJECT: {"project_id": asked["project_id"]},
            About.USER: {"user_id": asked["user_id"]},
            About.NOTHING: {},
        }
        return frozenset().union(
            *(
                alike
                for about, alike in self._alike
                if self._enforcer.enforce(next(iter(alike)).value, targets[about], values)
            )
        )

    def _load_first(self) -> None:
        name = self._conf.oslo_policy.policy_file
        if self._conf.find_file(name) is None and name != "policy.yaml":
            raise Refuse(
                f"[oslo_policy] policy_file {name} does not exist",
                hint="give its whole path, or a path from the folder of treetop.conf",
            )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self._load()
            except _UNUSABLE as error:
                raise Refuse(
                    f"the policy file {name} cannot be used: {' '.join(str(error).split())}",
                    hint="check it with: oslopolicy-validator --namespace nova",
                ) from error
        for warning in caught:
            log.warning("policy: %s", str(warning.message).partition(". Reason:")[0])
        self._enforcer.suppress_deprecation_warnings = (
            True  # said once; later ones would come from any thread
        )

    def _forget_if_old(self, now: float) -> None:
        """Read changed files, and drop what was decided by other rules or long ago."""
        if now - self._looked_at < _RULES_SECONDS:
            return
        self._looked_at = now
        try:
            self._load()
        except _UNUSABLE as error:  # answers go on by the rules that were read before
            log.warning(
                "the policy file cannot be used, and is not: %s", error, extra={"hint": "correct the file"}
            )
            return
        if self._enforcer.rules is not self._rules or now - self._emptied_at > _CALLER_SECONDS:
            self._rules, self._emptied_at = self._enforcer.rules, now
            self._alike = _alike(self._enforcer)
            self._callers.clear()

    def _load(self) -> None:
        self._enforcer.use_conf = True
        try:
            self._enforcer.load_rules()
        finally:
            self._enforcer.use_conf = False  # or every single check would look at the files again


def _alike(enforcer: policy.Enforcer) -> tuple[tuple[About, frozenset[Permission]], ...]:
    """Permissions that require the same of the same, which is decided once: a check costs oslo.policy 60 µs.

    A rule that asks a service tells it its own name, and is alike to no other.
    """
    alike: defaultdict[tuple[About, str], set[Permission]] = defaultdict(set)
    for permission in Permission:
        check = str(enforcer.rules[permission.value])
        alike[RULES[permission].about, permission.value if "http" in check else check].add(permission)
    return tuple((about, frozenset(permissions)) for (about, _), permissions in alike.items())


def _enforcer(conf: cfg.ConfigOpts) -> policy.Enforcer:
    enforcer = policy.Enforcer(conf)
    enforcer.suppress_default_change_warnings = True  # as Nova: what changed is Nova's, not the operator's
    for name, rule in ALIASES.items():
        enforcer.register_default(_default(name, rule, scope_types=None))
    for permission, rule in RULES.items():
        enforcer.register_default(_default(permission.value, rule, scope_types=["project"]))
    return enforcer


def _default(name: str, rule: Rule, scope_types: list[str] | None) -> policy.RuleDefault:
    former = None
    if rule.former is not None:
        former = policy.DeprecatedRule(
            name=rule.former.name,
            check_str=rule.former.check,
            deprecated_reason=_REASON,
            deprecated_since=_SINCE,
        )
    return policy.RuleDefault(name, str(rule.check), deprecated_rule=former, scope_types=scope_types)
