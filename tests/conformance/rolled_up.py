# SPDX-License-Identifier: Apache-2.0
"""Treetop over a region: every database registered and read by real workers, the real API over what they wrote.

`RolledUp(region, top, folder)`, a context manager: it answers at `url` once every zone is live. Who asks is
read from the token as the oracle's stand-in for Keystone reads it.
"""

import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import falcon

from tests.conformance.region.databases import Region
from tests.conformance.region.plan import SERVICE_DOWN_SECONDS
from tests.sync.running import LIVE, Cell, Top
from treetop.api.app import make_app
from treetop.api.auth import Authenticator
from treetop.api.caller import Caller
from treetop.api.credentials import Credentials
from treetop.api.fault import Fault
from treetop.api.library_options import read_library_options
from treetop.api.options import ApiOptions
from treetop.api.policy import Policy
from treetop.api.server_process import ApiServer, Listening
from treetop.model.zone import ZoneKind
from treetop.store.pool import open_pool

_PATIENCE_SECONDS = 120.0
_THREADS = 4
_API = "api"
_ROLES = {
    "admin": ("admin", "manager", "member", "reader"),
    "member": ("member", "reader"),
    "reader": ("reader",),
}
#: Keystone's options must be there to be read; nobody is asked.
_POLICY = """[keystone_authtoken]
auth_type = password
auth_url = http://127.0.0.1:1/v3
www_authenticate_uri = http://127.0.0.1:1/v3
username = treetop
password = x
"""


class RolledUp:
    """A running API. url: without a slash at the end."""

    def __init__(self, region: Region, dsn: str, folder: Path) -> None:
        """Load every zone, then listen. dsn: of an empty database for the top; folder: private."""
        self._stack = ExitStack()
        try:
            self._start(region, Top(dsn=dsn, folder=folder).prepare(), folder)
        except BaseException:
            self._stack.close()
            raise

    def _start(self, region: Region, top: Top, folder: Path) -> None:
        for name, database in region.cells.items():
            top.add(name, Cell(database=database, folder=folder))
        top.add(_API, Cell(database=region.api, folder=folder), kind=ZoneKind.API)
        self._stack.enter_context(top.supervisor())
        for name in (_API, *region.cells):
            top.wait_for_state(name, LIVE, _PATIENCE_SECONDS)
        for name in (_API, *region.cells):
            top.wait_until_applied(name, _PATIENCE_SECONDS)
        pool = open_pool(top.dsn, size=_THREADS, statement_timeout_seconds=30)
        self._stack.callback(pool.close)
        app = make_app(
            pool,
            authenticator=by_token(folder),
            options=ApiOptions(service_down_seconds=SERVICE_DOWN_SECONDS),
        )
        server = ApiServer(app, Listening(host="127.0.0.1", port=0, threads=_THREADS))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        self._stack.callback(thread.join, 10)
        self._stack.callback(server.stop)
        self.url = f"http://127.0.0.1:{server.port}"

    def __enter__(self) -> "RolledUp":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def by_token(folder: Path) -> Authenticator:
    """Read who asks from a token of the tests, and let Nova's policy, as Treetop has it, say what they may."""
    configuration = folder / "policy.conf"
    configuration.write_text(_POLICY)
    policy = Policy(read_library_options([str(configuration)]))

    def authenticate(request: falcon.Request, _url_project: str | None) -> Caller:
        role, _, rest = (request.get_header("X-Auth-Token") or "").partition(":")
        project, _, user = rest.partition(":")
        if role not in _ROLES:
            raise Fault(401, "the tests' tokens name a role")
        return policy.caller(
            Credentials(
                user_id=user,
                user_domain_id="default",
                project_id=project,
                project_domain_id="default",
                domain_id=None,
                system_scope=None,
                roles=_ROLES[role],
                is_admin_project=True,
            )
        )

    return authenticate
