# SPDX-License-Identifier: Apache-2.0
"""The wire of a PostgreSQL log: start replication, receive messages, and report how far we are.

In: a replication connection. Out: payloads of CopyData (`w` log data, `k` keepalive) in order; errors as
psycopg's. A thread of its own answers the server while the consumer is busy, so that `wal_sender_timeout`
never ends a connection whose reader waits for the top. Facts: PostgreSQL docs, "Streaming
Replication Protocol".

Three traps: an error after START_REPLICATION shows as end of the copy and has to be fetched; libpq is not
thread-safe, hence the lock; and a server that shuts down waits for its walsenders until all was confirmed, which
a consumer that waits for the top cannot do. So the same thread watches an ordinary session, the lifeline, which
the server ends at once, and then lets go of the stream.
"""

import select
import struct
import threading
import time
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
from psycopg import errors, pq, sql

from treetop.capture.lsn import print_lsn
from treetop.capture.postgres_publication import PUBLICATION
from treetop.capture.postgres_session import bounded

STATUS_SECONDS: Final = 0.5
_START_SECONDS = 10.0  # the server answers before it begins to decode
_BATCH_MESSAGES = 512  # taken under one hold of the lock
_STATUS = struct.Struct(">cQQQq?")  # 'r', written, flushed, applied, our clock, reply wanted
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class WalStream:
    """One running stream. `receive` belongs to one thread; `confirm` and `close` may be called from any."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._pgconn = conn.pgconn
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._written = 0
        self._confirmed = 0
        self._lifeline = select.poll()
        self._ended: psycopg.Error | None = None
        self._asks = False
        self._reporter = threading.Thread(target=self._report_for_ever, name="wal-feedback", daemon=True)

    @property
    def fileno(self) -> int:
        """The socket to poll for input."""
        return self._pgconn.socket

    @property
    def walsender_pid(self) -> int:
        """The server's process at the other end."""
        return self._pgconn.backend_pid

    def start(self, slot: str, lsn: int, *, lifeline: int | None = None) -> None:
        """Ask for everything that commits after `lsn`; raises psycopg's error if the server refuses.

        lifeline: the socket of an ordinary session; when the server closes it, the stream ends too.
        """
        command = sql.SQL(
            "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {})"
        ).format(sql.Identifier(slot), sql.SQL(print_lsn(lsn)), sql.Literal(f'"{PUBLICATION}"'))
        with bounded(self._conn, _START_SECONDS):
            result = self._pgconn.exec_(command.as_bytes(self._conn))
        if result.status != pq.ExecStatus.COPY_BOTH:
            raise errors.error_from_result(result)
        self._written = self._confirmed = lsn
        self._pgconn.nonblocking = 1
        if lifeline is not None:
            self._lifeline.register(lifeline, select.POLLRDHUP)
        self._reporter.start()

    def receive(self, poll: select.poll, seconds: float) -> list[bytes]:
        """Return the payloads that are there; wait up to `seconds` if none are. `poll` watches `fileno`.

        May return none early. Raises psycopg's error when the stream has ended, for whatever reason.
        """
        with self._lock:
            payloads = self._take()
        if not payloads:
            poll.poll(seconds * 1000)
            with self._lock:
                payloads = self._take() or self._take()  # TLS may hold a rest that the socket does not show
        return payloads

    def written(self, lsn: int, *, reply: bool = False) -> None:
        """Note how far the stream was received. reply: the server wants to hear of it now."""
        self._written = max(self._written, lsn)
        if reply:
            self._wake.set()

    def confirm(self, lsn: int) -> None:
        """Let the server forget its log up to `lsn`; sent within `STATUS_SECONDS`. Does not block."""
        self._confirmed = max(self._confirmed, lsn)

    def ask(self) -> None:
        """Ask the server now how far it is; it answers with a keepalive. Does not block."""
        self._asks = True
        self._wake.set()

    def close(self) -> None:
        """End the conversation; idempotent. What was confirmed is sent first if the socket takes it."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._wake.set()
        if self._reporter.is_alive() and self._reporter is not threading.current_thread():
            self._reporter.join()
        with self._lock:
            self._conn.close()

    def _take(self) -> list[bytes]:
        if self._ended is not None:
            raise self._ended
        self._pgconn.consume_input()
        payloads: list[bytes] = []
        while len(payloads) < _BATCH_MESSAGES:
            size, data = self._pgconn.get_copy_data(1)
            if size == 0:
                break
            if size < 0:
                self._ended = self._end()  # told once only; what came before it is given first
                return payloads or self._take()
            payloads.append(bytes(data))
        return payloads

    def _end(self) -> psycopg.Error:
        """Why the copy ended: the error is kept behind its end."""
        result = self._pgconn.get_result()
        if result is not None and result.status == pq.ExecStatus.FATAL_ERROR:
            return errors.error_from_result(result)
        return errors.AdminShutdown("the server ended the stream")

    def _report_for_ever(self) -> None:
        try:
            next_at = time.monotonic()
            while not self._closed.is_set():
                if self._lifeline.poll(0):
                    self._hang_up()
                    return
                is_due = time.monotonic() >= next_at
                if is_due:
                    next_at = time.monotonic() + STATUS_SECONDS
                asked, self._asks = self._asks, False
                self._report(wants_reply=is_due or asked)
                self._wake.wait(max(0.0, next_at - time.monotonic()))
                self._wake.clear()
            self._report(wants_reply=False)
        except psycopg.Error:
            return  # the connection is broken: `receive` finds that by itself

    def _report(self, *, wants_reply: bool) -> None:
        confirmed = self._confirmed
        now = int((datetime.now(UTC) - _EPOCH).total_seconds() * 1_000_000)
        status = _STATUS.pack(b"r", max(self._written, confirmed), confirmed, 0, now, wants_reply)
        with self._lock:
            self._pgconn.put_copy_data(status)
            self._pgconn.flush()

    def _hang_up(self) -> None:
        """Close the connection under the consumer; its next `receive` says that the server ended it."""
        with self._lock:
            self._ended = errors.AdminShutdown("the server shuts down")
            self._conn.close()
