# SPDX-License-Identifier: Apache-2.0
"""The API as a process of its own under waitress, with one thread, over a top: `with ApiProcess(conninfo) as api`."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.options import ApiOptions
from treetop.api.server_process import ApiServer, Listening
from treetop.store.pool import open_pool

Application = Callable[..., Any]  # Any: WSGI


class ApiProcess:
    """Answers at `url` as process `pid`. around: makes what is served of the application (a module's function)."""

    def __init__(self, conninfo: str, around: Callable[[Application], Application] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(conninfo, around, theirs))
        self._process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}"
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def __enter__(self) -> "ApiProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()


def _serve(conninfo: str, around: Callable[[Application], Application] | None, ready: Connection) -> None:
    pool = open_pool(conninfo, size=1, statement_timeout_seconds=10)
    app: Application = make_app(pool, authenticator=noauth, options=ApiOptions())
    server = ApiServer(app if around is None else around(app), Listening(host="127.0.0.1", port=0, threads=1))
    server.stop_on_signals()
    ready.send(server.port)
    server.run()
    pool.close()
