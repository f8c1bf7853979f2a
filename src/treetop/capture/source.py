# SPDX-License-Identifier: Apache-2.0
"""The two ways to read a zone: its log (`LogSource`) and rows as of an exact point of that log (`RowSource`).

Both give canonical values (`model.change`) that went through `nova.trust`. They never retry and never skip:
an error of the zone becomes `Retry`, `Resnapshot` or `StopZone`, and `sync` decides. One object belongs to one
thread; a `LogSource.acknowledge` may be called from another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from treetop.model.change import Chunk, LogEvent, Position


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What `check` found.

    identity: names the history that positions belong to (MariaDB: server_id and GTID domain; MySQL: the server
    uuid; PostgreSQL: system identifier and timeline). A changed identity makes a stored position worthless
    unless the engine's own rules say otherwise.
    clock_offset_seconds: the zone's clock minus the worker's clock.
    servers: an estimate of the rows in `instances`; 0 for an API database.
    """

    version: str
    identity: str
    clock_offset_seconds: float
    servers: int


class LogSource(Protocol):
    """A zone's log, transaction by transaction."""

    def check(self) -> SourceFacts:
        """Look whether the zone can be read (settings, privileges, tables, columns).

        Raises `StopZone` with a hint (the SQL or option that mends it), or `Retry` when it does not answer.
        """

    def begin(self) -> Position:
        """Prepare a new reading (PostgreSQL: publication and a new slot) and return where it starts.

        Everything committed after the returned position will be in the stream from there.
        """

    def stream(self, position: Position) -> Iterator[LogEvent]:
        """Yield what follows `position`, for ever, whole transactions in commit order.

        Waits inside, at most about one second without yielding: then a `Heartbeat` if the zone confirmed that
        nothing is pending. A transaction at or before `position` is not given again. Raises `Retry`
        (connection lost or silent), `Resnapshot` (the log no longer reaches back to `position`), `StopZone`
        (something on a watched table that cannot be decoded; nothing after it was yielded).
        """

    def acknowledge(self, position: Position) -> None:
        """Let the zone forget its log up to `position`: the top has it durably. Thread-safe, does not block."""

    def nudge(self) -> None:
        """Ask the zone to say soon how far its log goes, so that a `Heartbeat` comes. Thread-safe, does not block.

        A chunk waits for the stream to reach its snapshot; on an idle PostgreSQL only a keepalive tells. May do
        nothing where positions are known without it (MariaDB).
        """

    def forget(self) -> None:
        """Remove what `begin` left in the zone (PostgreSQL: the slot). Idempotent."""

    def close(self) -> None:
        """Close connections; idempotent; ends a running `stream` in another thread with `Retry`."""


class RowSource(Protocol):
    """The rows of a zone, read without locks in one consistent snapshot per chunk."""

    def read_range(self, *, after: int, rows: int) -> Chunk:
        """Read at most `rows` servers (with all their rows) or rows of a mirrored table, in the order of row keys.

        after: a row key (`nova.watched`); a chunk has rows of one segment only, perhaps none.
        `Chunk.upto` is the last key read, or None when nothing follows. Raises like `LogSource.stream`.
        """

    def read_servers(self, uuids: Sequence[str]) -> Chunk:
        """Read just these servers again (`Chunk.only` set, `after` 0, `upto` None)."""

    def read_rows(self, table: str, ids: Sequence[int]) -> Chunk:
        """Read just these rows of a mirrored table again (`Chunk.only` and `table` set, `after` 0, `upto` None)."""

    def close(self) -> None:
        """Close the connection; idempotent."""
