# SPDX-License-Identifier: Apache-2.0
"""What the real `openstack` client prints, logged in by `OS_*` variables: `run_openstack`, and `refusals_of`."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("openstack_program.py")


def run_openstack(commands: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, Any]:
    """The output of each command by its name. environment: `OS_*`; this process's own are left out."""
    answers = _run(commands, environment)
    failed = {name: answer["errors"] for name, answer in answers.items() if answer["status"]}
    assert not failed, failed
    return {name: json.loads(answer["output"]) for name, answer in answers.items()}


def refusals_of(commands: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """What each command, which must fail, says about it."""
    answers = _run(commands, environment)
    passed = {name: answer["output"] for name, answer in answers.items() if not answer["status"]}
    assert not passed, passed
    return {name: answer["errors"] for name, answer in answers.items()}


def _run(commands: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, Any]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", _PROGRAM],
        input=json.dumps({name: command.split() for name, command in commands.items()}),
        env=kept | dict(environment),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers
