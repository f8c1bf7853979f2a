# SPDX-License-Identifier: Apache-2.0
"""The real `openstack` client, many commands in one process: starting it costs seconds, a command does not.

Run as a program: a JSON object {name: [word, …]} comes in, {name: {status, output, errors}} goes out.
"""

import contextlib
import io
import json
import sys

from openstackclient.shell import OpenStackShell


def run(words: list[str]) -> dict[str, object]:
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = OpenStackShell().run([*words, "-f", "json"])
        except SystemExit as left:  # of the parser, which has said why
            status = left.code
    return {"status": status, "output": output.getvalue(), "errors": errors.getvalue()}


if __name__ == "__main__":
    commands = json.load(sys.stdin)
    json.dump({name: run(words) for name, words in commands.items()}, sys.stdout)
