# SPDX-License-Identifier: Apache-2.0
"""What the real Nova's policy says: `decide_with_nova.py NOVA_CONF` with questions as JSON on stdin.

{"callers": {NAME: arguments of RequestContext}, "questions": [[caller's name, rule, target], …]} ->
{"rules": {name: [check, scope types, former name, former check]}, "answers": [bool, …]}. Runs in Nova's environment.
"""

import json
import sys

from nova import context, policy
from nova.conf import CONF
from nova.policies import list_rules

CONF([], project="nova", default_config_files=[sys.argv[1]])
asked = json.load(sys.stdin)
callers = {
    name: context.RequestContext(overwrite=False, **arguments) for name, arguments in asked["callers"].items()
}
rules = {
    rule.name: [
        rule.check_str,
        rule.scope_types,
        rule.deprecated_rule and rule.deprecated_rule.name,
        rule.deprecated_rule and rule.deprecated_rule.check_str,
    ]
    for rule in list_rules()
}
answers = [
    bool(policy.authorize(callers[caller], rule, target, do_raise=False))
    for caller, rule, target in asked["questions"]
]
json.dump({"rules": rules, "answers": answers}, sys.stdout)
