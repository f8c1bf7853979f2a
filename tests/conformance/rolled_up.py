# SPDX-License-Identifier: Apache-2.0
"""Treetop over a region: every cell registered and read by real workers, the real API over what they wrote.

`RolledUp(region, top, folder)`, a context manager: it answers at `url` once every zone is live. Who asks is
read from the token as the oracle's stand-in for Keystone reads it.
"""

import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import falcon

from tests.conformance.region.databases import Region
from tests.sync.running import LIVE, Cell, Top
from treetop.api.app import make_app
from treetop.api.caller import Caller, admin_of, reader_of
from treetop.api.fault import Fault
from treetop.api.options import ApiOptions
from treetop.api.server_process import ApiServer, Listening
from treetop.store.pool import open_pool

_PATIENCE_SECONDS = 120.0
_THREADS = 4


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
        self._stack.enter_context(top.supervisor())
        for name in region.cells:
            top.wait_for_state(name, LIVE, _PATIENCE_SECONDS)
        for name in region.cells:
            top.wait_until_applied(name, _PATIENCE_SECONDS)
        pool = open_pool(top.dsn, size=_THREADS, statement_timeout_seconds=30)
        self._stack.callback(pool.close)
        app = make_app(pool, authenticator=asker_of, options=ApiOptions())
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


def asker_of(request: falcon.Request, _url_project: str | None) -> Caller:
    """The caller that a token of the tests names."""
    role, _, rest = (request.get_header("X-Auth-Token") or "").partition(":")
    project, _, _user = rest.partition(":")
    if role not in ("admin", "member", "reader"):
        raise Fault(401, "unauthorized", "no token")
    return admin_of(project) if role == "admin" else reader_of(project)
