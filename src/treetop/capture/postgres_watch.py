# SPDX-License-Identifier: Apache-2.0
"""Ask a PostgreSQL zone twice a second, beside its stream, where its log ends and when that is.

In: an ordinary session, asked without ever waiting for it. Out: `Sighting`s. They are needed because the
stream alone cannot tell "nothing is pending" from "the server has not looked that far yet" (a keepalive
carries the walsender's own progress, not the log's end), nor a walsender busy with a large foreign
transaction from a dead connection. Facts: PostgreSQL docs, pg_stat_activity (wait events of walsenders).
"""

import select
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import errors, pq

from treetop.capture.lsn import parse_lsn
from treetop.capture.pgoutput import EPOCH
from treetop.capture.postgres_publication import PUBLICATION

ASK_SECONDS: Final = 0.5
HURRIED_SECONDS: Final = 0.02  # the same when somebody waits

# Each re-added table has a new oid in pg_publication_rel: taking one out and back does not go unnoticed.
_ASK = f"""
SELECT pg_current_wal_flush_lsn(),
       (extract(epoch FROM clock_timestamp() - '2000-01-01 00:00:00+00') * 1000000)::bigint,
       (SELECT coalesce(wait_event_type, 'busy') FROM pg_stat_get_activity($1)),
       (SELECT md5(to_jsonb(p)::text || coalesce(string_agg(to_jsonb(r)::text, ',' ORDER BY r.oid), ''))
          FROM pg_publication p
          LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid
         WHERE p.pubname = '{PUBLICATION}'
         GROUP BY p.*)
"""  # noqa: S608 (a constant of ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the zone answered. end_lsn: everything committed before `at` (the zone's clock) lies before it.

    is_sender_waiting: the walsender waits for us or for new log, or is gone: it has nothing to do.
    publication: changes when the publication's tables do. answered_at: our `time.monotonic()`.
    """

    end_lsn: int
    at: datetime
    is_sender_waiting: bool
    publication: str
    answered_at: float


class Watch:
    """Asks over its own session; belongs to the stream's thread. Never blocks; raises psycopg's errors."""

    def __init__(self, conn: psycopg.Connection[Any], walsender_pid: int) -> None:
        self._conn = conn
        self._pgconn = conn.pgconn
        self._pgconn.nonblocking = 1
        self._pid = str(walsender_pid).encode()
        self._asked_at = 0.0
        self._is_asking = False
        self._is_hurried = False
        self.latest: Sighting | None = None

    @property
    def fileno(self) -> int:
        """The session's socket."""
        return self._pgconn.socket

    def register(self, poll: select.poll) -> None:
        """Let `poll` wake when an answer comes."""
        poll.register(self.fileno, select.POLLIN)

    def hurry(self) -> None:
        """Have the next `look` ask. Thread-safe."""
        self._is_hurried = True

    def look(self) -> bool:
        """Take an answer if one came, ask again if it is time; say whether `latest` is new."""
        is_new = self._is_asking and self._take_answer()
        pause_seconds = HURRIED_SECONDS if self._is_hurried else ASK_SECONDS
        if not self._is_asking and time.monotonic() >= self._asked_at + pause_seconds:
            self._asked_at = time.monotonic()
            self._is_hurried = False
            self._is_asking = True
            self._pgconn.send_query_params(_ASK.encode(), [self._pid])
            self._pgconn.flush()
        return is_new

    def close(self) -> None:
        """Close the session; idempotent."""
        self._conn.close()

    def _take_answer(self) -> bool:
        self._pgconn.consume_input()
        is_new = False
        while not self._pgconn.is_busy():  # else get_result would wait, perhaps for ever
            result = self._pgconn.get_result()
            if result is None:
                self._is_asking = False
                break
            if result.status != pq.ExecStatus.TUPLES_OK:
                raise errors.error_from_result(result)
            lsn, microseconds, wait, publication = (result.get_value(0, column) for column in range(4))
            assert lsn is not None
            assert microseconds is not None
            self.latest = Sighting(
                end_lsn=parse_lsn(lsn.decode()),
                at=EPOCH + timedelta(microseconds=int(microseconds)),
                is_sender_waiting=wait in (None, b"Client", b"Activity"),
                publication=(publication or b"").decode(),
                answered_at=time.monotonic(),
            )
            is_new = True
        return is_new
