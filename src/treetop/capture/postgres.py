# SPDX-License-Identifier: Apache-2.0
"""`LogSource` of a PostgreSQL zone: pgoutput over a replication connection, resumed by commit end LSN.

In: a `Zone`. Out: `Transaction` and `Heartbeat` with positions that print like `0/16B3748`; a transaction's
mark is its 64-bit transaction id. What the zone keeps for us: publication `treetop` and one slot; the slot
moves only by `acknowledge`, so a stored position is never behind it. Heartbeats carry positions too: store
and acknowledge one now and then, or an idle zone keeps the log of its busy neighbours for us.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import errors

from treetop.capture.lsn import parse_lsn
from treetop.capture.pgoutput import Decoder
from treetop.capture.postgres_check import check_zone
from treetop.capture.postgres_publication import PUBLICATION, ensure_publication, publication_problem
from treetop.capture.postgres_reading import Reading
from treetop.capture.postgres_session import SLOT_SUFFIX, bounded, connect, failure
from treetop.capture.postgres_slot import create_slot, drop_slot, require_resumable, slot_name
from treetop.capture.postgres_stream import WalStream
from treetop.capture.postgres_tables import TableState, find_tables, table_problems
from treetop.capture.postgres_watch import Watch
from treetop.capture.source import SourceFacts
from treetop.errors import Resnapshot, Retry, StopZone, TreetopError
from treetop.model.change import LogEvent, Position
from treetop.model.zone import Zone
from treetop.nova.watched import watched_tables

SLOT_SECONDS: Final = 30  # how long a new slot may wait for open transactions
ANSWER_SECONDS: Final = 15.0  # for all questions of a check, or before a stream
SILENCE_SECONDS: Final = 3.0  # the server is asked for a sign of life every half second
_LOCK_SECONDS = 5  # making a publication waits for running DDL and vacuums
# txid_… rather than pg_…: PostgreSQL 12 has no other
_STATE = "SELECT pg_current_wal_flush_lsn()::text, txid_snapshot_xmax(txid_current_snapshot())"


class PostgresLog:
    """The log of one PostgreSQL zone.

    slot_seconds: how long `begin` waits for a new slot. silence_seconds: after how long without a word the
    stream's connection counts as dead, unless the server is seen to be busy with it. answer_seconds: how long
    the other questions may take altogether.
    """

    def __init__(
        self,
        zone: Zone,
        *,
        slot_seconds: int = SLOT_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._zone = zone
        self._slot = slot_name(zone.name, zone.url.options.get(SLOT_SUFFIX, ""))
        self._watched = watched_tables(zone.kind, zone.trust)
        self._slot_seconds = slot_seconds
        self._silence_seconds = silence_seconds
        self._answer_seconds = answer_seconds
        self._closed = threading.Event()
        self._stream: WalStream | None = None
        self._watch: Watch | None = None

    def check(self) -> SourceFacts:
        """Look whether the zone can be read; `StopZone` lists every problem with the SQL that mends it."""
        with self._session("the check") as conn:
            return check_zone(conn, self._zone, self._slot)

    def begin(self) -> Position:
        """Make the publication where our role may, then a new slot, and return where its stream starts.

        An old slot of ours is dropped. `Retry` names the open transaction that a new slot waits for.
        """
        with self._session("a new reading") as conn:
            conn.execute("SELECT set_config('lock_timeout', %s, false)", (f"{_LOCK_SECONDS}s",))
            found = self._find_tables(conn)
            problems = table_problems(self._zone, found, self._zone.url.user)
            if problems:
                raise StopZone(f"zone {self._zone.name}: {problems[0].what}", hint=problems[0].mend)
            ensure_publication(conn, self._zone, found)  # before the slot: the slot sees only what was there
            return create_slot(conn, self._zone, self._slot, seconds=self._slot_seconds)

    def stream(self, position: Position) -> Iterator[LogEvent]:
        """Yield what commits after `position`; see `LogSource.stream`. One stream at a time."""
        stream = watch = None
        try:
            decoder = self._decoder(position)
            stream = WalStream(connect(self._zone, purpose=self._slot, replication=True))
            watch = Watch(connect(self._zone, purpose=f"{self._slot} watch"), stream.walsender_pid)
            stream.start(self._slot, parse_lsn(position), lifeline=watch.fileno)
            self._stream, self._watch = stream, watch
            yield from Reading(
                self._zone,
                stream,
                watch,
                decoder,
                is_closed=self._closed.is_set,
                silence_seconds=self._silence_seconds,
            ).events()
        except psycopg.Error as error:
            if self._closed.is_set():
                raise Retry(f"zone {self._zone.name}: the reading was closed") from error
            raise self._stream_failure(error) from error
        finally:
            self._stream = self._watch = None
            if stream is not None:
                stream.close()
            if watch is not None:
                watch.close()

    def acknowledge(self, position: Position) -> None:
        """Let the zone forget its log up to `position`; reported within half a second."""
        stream = self._stream
        if stream is not None:
            stream.confirm(parse_lsn(position))

    def nudge(self) -> None:
        """Ask the server now for its log's end, and for a keepalive when the stream is there."""
        stream, watch = self._stream, self._watch
        if stream is not None and watch is not None:
            watch.hurry()
            stream.ask()

    def forget(self) -> None:
        """Drop the slot. The publication stays: another top may use it, and it costs nothing alone."""
        with self._session("dropping the slot") as conn:
            drop_slot(conn, self._zone, self._slot)

    def close(self) -> None:
        """End a running stream and its connections."""
        self._closed.set()
        stream = self._stream
        if stream is not None:
            stream.close()

    def _decoder(self, position: Position) -> Decoder:
        """Look whether the stream can go on at `position`, and make its decoder."""
        with self._session("resuming") as conn:
            problem = publication_problem(conn, self._zone, self._find_tables(conn))
            if problem is not None:
                # comments, so that the hint can be pasted whole
                hint = f"{problem.mend}\n-- then treetop zone resync NAME: its log may lack rows since"
                raise StopZone(f"zone {self._zone.name}: {problem.what}", hint=hint)
            require_resumable(conn, self._zone, self._slot, position)
            row = conn.execute(_STATE).fetchone()
        assert row is not None
        flushed, next_transaction_id = row
        after = parse_lsn(position)
        if parse_lsn(flushed) < after:
            raise Resnapshot(
                f"zone {self._zone.name}: its log ends at {flushed}, before the stored position {position}:"
                " the server lost its last transactions in a crash, or was restored or replaced"
            )
        return Decoder(
            trust=self._zone.trust,
            after=after,
            near_transaction_id=next_transaction_id,
            tables=self._watched,
        )

    def _find_tables(self, conn: psycopg.Connection[Any]) -> dict[str, TableState]:
        return find_tables(conn, self._watched)

    def _stream_failure(self, error: psycopg.Error) -> TreetopError:
        """What an error of the stream means for the stored position."""
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        what = f"zone {self._zone.name}: slot {self._slot}: {said}"
        match error:
            case errors.UndefinedObject() if "publication" in said:
                with self._session("looking at the publication") as conn:
                    problem = publication_problem(conn, self._zone, self._find_tables(conn))
                if problem is not None:
                    return StopZone(what, hint=problem.mend)
                return Resnapshot(
                    f"{what}: publication {PUBLICATION} was made anew after the stored position"
                )
            case errors.UndefinedObject() | errors.ObjectNotInPrerequisiteState() | errors.UndefinedFile():
                return Resnapshot(what)
        return failure(self._zone, f"reading slot {self._slot}", error)

    @contextmanager
    def _session(self, doing: str) -> Iterator[psycopg.Connection[Any]]:
        conn = connect(self._zone, purpose=f"{self._slot} control")
        try:
            with bounded(conn, self._slot_seconds + self._answer_seconds):
                yield conn
        except psycopg.Error as error:
            raise failure(self._zone, doing, error) from error
        finally:
            conn.close()
