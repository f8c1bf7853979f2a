# SPDX-License-Identifier: Apache-2.0
"""Both sides over the same rows: a region, the real Nova on it, Treetop over it; and both asked.

`Both(folder, top_dsn)`, a context manager, takes about half a minute to be ready. `ask(walks)` asks.
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final

from tests.conformance.asking import Question, ask
from tests.conformance.comparing import Exchange
from tests.conformance.corpus.matrix import Walk
from tests.conformance.oracle import Oracle
from tests.conformance.region.databases import make_region
from tests.conformance.rolled_up import RolledUp
from treetop.demo.mariadb import PrivateMariaDB

_COUNTS_SECONDS: Final = "'uptime'"
_ATTEMPTS: Final = 50
_ORACLES: Final = 2  # one Nova process answers one request at a time
_FAST_AND_LOSING_ON_POWER_CUT: Final = {"innodb_flush_log_at_trx_commit": "0", "sync_binlog": "0"}


class Both:
    """Both sides, running. folder: private, empty, removed by the caller; top_dsn: of an empty database."""

    def __init__(self, folder: Path, top_dsn: str) -> None:
        self._stack = ExitStack()
        try:
            self._start(folder, top_dsn)
        except BaseException:
            self._stack.close()
            raise

    def _start(self, folder: Path, top_dsn: str) -> None:
        server = PrivateMariaDB(
            folder=folder / "mariadb", settings=_FAST_AND_LOSING_ON_POWER_CUT, dies_with_parent=True
        )
        server.start()
        self._stack.callback(server.remove)
        region = make_region(server, _made(folder / "region"))
        oracles = [Oracle(region, _made(folder / f"oracle{number}")) for number in range(_ORACLES)]
        for oracle in oracles:
            self._stack.callback(oracle.stop)
        self._nova_urls = [oracle.url for oracle in oracles]
        self._url = self._stack.enter_context(RolledUp(region, top_dsn, _made(folder / "top"))).url

    def __enter__(self) -> "Both":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def nova_url(self) -> str:
        """Where one of the Novas listens."""
        return self._nova_urls[0]

    def ask(self, walks: Iterable[Walk]) -> Iterator["Asked"]:
        """Ask every page of every walk of both sides; in the order of the walks."""
        with ThreadPoolExecutor(max_workers=len(self._nova_urls)) as askers:
            pairs = zip(walks, itertools.cycle(self._nova_urls), strict=False)
            for found in askers.map(lambda pair: list(self._pages(*pair)), pairs):
                yield from found

    def _pages(self, walk: Walk, nova_url: str) -> Iterator["Asked"]:
        """The pages of a walk along our links: Nova's lose parameters (one of `differences`)."""
        question = walk.first
        for _ in range(walk.pages):
            exchange = self._exchange(nova_url, question)
            yield Asked(noun=walk.noun, exchange=exchange)
            if exchange.ours.next_path is None:
                return
            question = replace(question, path=exchange.ours.next_path)

    def _exchange(self, nova_url: str, question: Question) -> Exchange:
        """Ask both; where an answer counts the seconds until now, both within the same second."""
        for _ in range(_ATTEMPTS):
            second = int(time.time())
            exchange = Exchange(
                question=question, nova=ask(nova_url, question), ours=ask(self._url, question)
            )
            if _COUNTS_SECONDS not in str(exchange.nova.body) or second == int(time.time()):
                break
        return exchange


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What both sides answered to a question of a noun."""

    noun: str
    exchange: Exchange


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
