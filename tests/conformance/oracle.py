# SPDX-License-Identifier: Apache-2.0
"""The real Nova API as a program beside the tests, on a region's databases.

`Oracle(region, folder)`, a context manager: `url` is where it listens. Nova's own policies and defaults; what
is set is only what a test region needs (no Keystone, no RPC, heartbeats that are as old as the region).
"""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Final

from tests.conformance.nova_environment import ENVIRONMENT, make_nova_environment
from tests.conformance.region.databases import Region
from tests.conformance.region.plan import SERVICE_DOWN_SECONDS

_PROGRAM: Final = Path(__file__).with_name("inside_nova") / "serve.py"
_PASTE: Final = ENVIRONMENT / "etc" / "nova" / "api-paste.ini"
_KEYSTONE: Final = "keystonemiddleware.auth_token:filter_factory"
_SETTINGS: Final = f"""
[DEFAULT]
service_down_time = {SERVICE_DOWN_SECONDS}
host = nova-api
[api]
response_validation = ignore
[oslo_policy]
policy_file = {{folder}}/no-policy.yaml
"""


class Oracle:
    """A running Nova API. url: without a slash at the end."""

    def __init__(self, region: Region, folder: Path) -> None:
        """Start it and wait until it can answer. folder: private, empty."""
        programs = make_nova_environment()
        settings = _SETTINGS.format(folder=folder)
        configuration = folder / "nova.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(_merged(region.configuration.read_text(), settings))
        paste = _PASTE.read_text()
        assert _KEYSTONE in paste
        (folder / "api-paste.ini").write_text(paste.replace(_KEYSTONE, "stand_ins:auth"))
        self.log = folder / "output.log"
        with self.log.open("wb") as errors:
            self._process = subprocess.Popen(
                [str(programs / "python"), str(_PROGRAM), str(folder)],
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        assert port, self.log.read_text()[-3000:]
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> "Oracle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that answers."""
        return self._process.pid

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def _merged(configuration: str, settings: str) -> str:
    """Both texts as one; oslo.config takes a group that is written twice as one."""
    return configuration + settings
