# SPDX-License-Identifier: Apache-2.0
"""A MariaDB or MySQL binlog as a replica gets it: event bytes in, `Transaction`s and `Heartbeat`s out. Pure.

`BinlogDecoder.feed` takes one event at a time. It verifies checksums (the algorithm is read from the log
itself), follows GTID groups to their end (XID, COMMIT, or the statement itself for DDL), and reads the rows
of watched tables only. It raises `StopZone` for what it cannot decode and what may hide rows, `Resnapshot`
where the log itself says that something is missing; nothing is skipped silently. What is skipped knowingly
is in `_PASSED`.

committed_at: MariaDB's log has whole seconds (when the commit statement began); MySQL 8 has microseconds.

Facts: MySQL source documentation "Binlog Event"; MariaDB `sql/log_event.h`; the order of events on MariaDB
10.11. MySQL's own events (GTID 33 and others) follow the documentation and were not tried on a server.
"""

import zlib
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final
from uuid import UUID

from treetop.capture.binlog_group import LOAD_AGAIN, GroupAssembler, GroupStart, instant
from treetop.capture.binlog_query import Meaning, Statement, read_statement
from treetop.capture.binlog_rows import ROW_EVENTS, RowsDecoder, uncompress
from treetop.capture.gtid import MariadbGtidSet, MysqlGtidSet
from treetop.capture.log_place import LogPlace
from treetop.errors import Resnapshot, StopZone
from treetop.model.change import Heartbeat, LogEvent, Op, RowChange

QUERY, ROTATE, FORMAT_DESCRIPTION, XID, EXECUTE_LOAD_QUERY, TABLE_MAP = 2, 4, 15, 16, 18, 19
INCIDENT, HEARTBEAT, GTID, ANONYMOUS_GTID, XA_PREPARE, PARTIAL_UPDATE_ROWS = 26, 27, 33, 34, 38, 39
TRANSACTION_PAYLOAD, GTID_TAGGED = 40, 42
MARIADB_GTID, QUERY_COMPRESSED, PARTIAL_ROW_DATA = 162, 165, 172

HEADER: Final = Struct("<IBIIIH")
IGNORABLE, ARTIFICIAL = 0x80, 0x20  # flags of an event header
STANDALONE, PREPARED_XA, COMPLETED_XA = 1, 64, 128  # flags of a MariaDB GTID event
CRC32_RESIDUE: Final = 0x2144DF1C  # CRC-32 of anything followed by its own CRC-32, little endian

# STOP, INTVAR, RAND, USER_VAR, BEGIN_LOAD_QUERY, IGNORABLE, ROWS_QUERY, PREVIOUS_GTIDS, TRANSACTION_CONTEXT,
# VIEW_CHANGE, HEARTBEAT_V2, MariaDB's ANNOTATE_ROWS, BINLOG_CHECKPOINT, GTID_LIST, START_ENCRYPTION
_PASSED = frozenset({3, 5, 13, 14, 17, 28, 29, 35, 36, 37, 41, 160, 161, 163, 164})


class BinlogDecoder:
    """One stream from one connection, beginning just after the GTID set `start`."""

    def __init__(
        self,
        *,
        start: MariadbGtidSet | MysqlGtidSet,
        rows: RowsDecoder,
        database: str,
        tables: Collection[str],
        clock: Callable[[], datetime],
        place: LogPlace | None = None,
        server: str | None = None,
    ) -> None:
        """`clock`: the zone's time when the bytes being fed were surely sent. `place`: of the end of `start`.
        `server`: whose log this is; None: positions get no place.
        """
        self._group = GroupAssembler(start, place)
        self._server = server
        self._rows = rows
        self._database = database
        self._tables = tables
        self._clock = clock
        self._has_checksums = False
        self._file = b""
        self._reached = (b"", 0)  # log file and end position of the last event seen
        self._log_position = 0
        self._handlers = self._make_handlers()

    def feed(self, data: bytes, start: int, end: int) -> LogEvent | None:
        """Take in the event `data[start:end]`, header and checksum included; return what it completed."""
        timestamp, kind, _, size, log_position, flags = HEADER.unpack_from(data, start)
        if size != end - start:
            raise _damaged(f"an event of type {kind} says it has {size} bytes and has {end - start}")
        handler = self._handlers.get(kind)
        if handler is None:
            if kind in _PASSED or flags & IGNORABLE:
                handler = _pass
            else:
                raise StopZone(
                    f"unknown event of type {kind} in the log: it may hold row changes",
                    hint="upgrade Treetop, or turn off the server option that makes such events",
                )
        end = self._without_checksum(data, start, end, kind)
        if log_position:
            self._log_position = log_position
        return handler(kind, data, start + 19, end, timestamp)

    def _without_checksum(self, data: bytes, start: int, end: int, kind: int) -> int:
        if kind == FORMAT_DESCRIPTION:
            self._has_checksums = data[end - 5] == 1  # 0: none; its own checksum is always there
            is_checked = self._has_checksums
        elif kind in (ROTATE, HEARTBEAT):  # made by the sender, perhaps before the format is known
            return end - 4 if zlib.crc32(data[start:end]) == CRC32_RESIDUE else end
        else:
            is_checked = self._has_checksums
        if not is_checked:
            return end - 4 if kind == FORMAT_DESCRIPTION else end
        if zlib.crc32(data[start:end]) != CRC32_RESIDUE:
            raise _damaged(f"the checksum of an event of type {kind} is wrong")
        return end - 4

    def _make_handlers(self) -> "dict[int, _Handler]":
        return {
            QUERY: self._query,
            QUERY_COMPRESSED: self._query,
            EXECUTE_LOAD_QUERY: self._query,
            ROTATE: self._rotate,
            FORMAT_DESCRIPTION: self._format_description,
            XID: self._xid,
            XA_PREPARE: self._xid,
            TABLE_MAP: self._table_map,
            INCIDENT: self._incident,
            HEARTBEAT: self._heartbeat,
            GTID: self._mysql_gtid,
            MARIADB_GTID: self._mariadb_gtid,
            ANONYMOUS_GTID: _refuse("a transaction without GTID", "turn on GTID mode: gtid_mode=ON"),
            GTID_TAGGED: _refuse("a tagged GTID", "let no session set gtid_next to AUTOMATIC:TAG"),
            TRANSACTION_PAYLOAD: _refuse(
                "a compressed transaction", "SET GLOBAL binlog_transaction_compression=OFF"
            ),
            PARTIAL_ROW_DATA: _refuse(
                "a row in parts", "SET GLOBAL binlog_row_event_fragment_threshold to its most"
            ),
            PARTIAL_UPDATE_ROWS: self._partial_rows,
            **dict.fromkeys(
                (20, 21, 22), _refuse("row events of MySQL 5.1.17 or older", "upgrade the server")
            ),
            **dict.fromkeys(ROW_EVENTS, self._row_event),
        }

    def _row_event(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> LogEvent | None:
        if self._group.is_skipped:
            return None
        changes = self._rows.changes(ROW_EVENTS[kind], data, start, end)
        return self._group.add(changes, end - start, at=instant(timestamp)) if changes else None

    def _table_map(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        if not self._group.is_skipped:
            self._rows.table_map(data, start, end)

    def _xid(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> LogEvent | None:
        return self._end(data, start, timestamp)

    def _end(self, data: bytes, start: int, timestamp: int) -> LogEvent | None:
        before, self._reached = self._reached, (self._file, self._log_position)
        place = None
        if self._server is not None and before < self._reached:  # not: positions began anew at 4 GiB
            file = self._file.decode("utf-8", "replace")
            place = LogPlace.of_event(data, start - 19, file=file, server=self._server)
        return self._group.end(instant(timestamp), place)

    def _mariadb_gtid(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        sequence, domain, flags = _MARIADB_GTID.unpack_from(data, start)
        (server_id,) = _UINT32.unpack_from(data, start - 14)  # of the event header: the server that wrote it
        reached = self._group.reached
        assert isinstance(reached, MariadbGtidSet)
        self._group.begin(
            GroupStart(
                mark=(domain, sequence),
                after=reached.advance(domain, server_id, sequence),
                is_xa=bool(flags & (PREPARED_XA | COMPLETED_XA)),
                ends_with_statement=bool(flags & (STANDALONE | COMPLETED_XA)),
            )
        )

    def _mysql_gtid(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        uuid = str(UUID(bytes=data[start + 1 : start + 17]))
        number = int.from_bytes(data[start + 17 : start + 25], "little")
        committed_at = None
        if end - start >= 49 and data[start + 25] == 2:  # logical clock, then 7 bytes of commit time
            microseconds = int.from_bytes(data[start + 42 : start + 49], "little") & ~(1 << 55)
            committed_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        reached = self._group.reached
        assert isinstance(reached, MysqlGtidSet)
        self._group.begin(
            GroupStart(
                mark=(uuid, number),
                after=reached.advance(uuid, number),
                ends_with_statement=True,  # until BEGIN or XA START says otherwise
                committed_at=committed_at,
            )
        )

    def _query(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> LogEvent | None:
        group = self._group.group
        if group is None:
            raise StopZone(
                "a statement outside a transaction", hint="this log has no GTIDs: turn GTID mode on"
            )
        text, default = _statement_text(kind, data, start, end)
        statement = read_statement(text, default=default, database=self._database, tables=self._tables)
        if not self._group.is_skipped:
            self._take_in(statement, text)
        is_xa = text[:2].upper() == "XA"
        if statement.meaning is Meaning.BEGIN or (is_xa and _opens_xa(text)):
            self._group.group = replace(group, ends_with_statement=False, is_xa=group.is_xa or is_xa)
            return None
        ends = group.ends_with_statement or statement.meaning is Meaning.COMMIT or _is_whole_rollback(text)
        return self._end(data, start, timestamp) if ends else None

    def _take_in(self, statement: Statement, text: str) -> None:
        shown = " ".join(text.split())[:60]
        if statement.meaning is Meaning.TRUNCATE:
            self._group.truncate(RowChange(Op.TRUNCATE, statement.table, ()))
        elif statement.meaning is Meaning.LAYOUT:
            self._rows.forget_layouts()
        elif statement.meaning is Meaning.ROLLBACK:
            self._group.roll_back()
        elif statement.meaning is Meaning.GONE:
            raise StopZone(
                f"the rows of {statement.table} went away without row events: {shown}",
                hint=f"see that Nova's tables are in place again, {LOAD_AGAIN}",
            )
        elif statement.meaning is Meaning.CHANGES:
            raise StopZone(
                f"a statement instead of row events in {self._database}: {shown}",
                hint=f"SET GLOBAL binlog_format=ROW (and in every session that changed it), {LOAD_AGAIN}",
            )

    def _rotate(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        self._file = data[start + 8 : end]
        self._log_position = int.from_bytes(data[start : start + 8], "little")
        self._rows.forget_ids()

    def _format_description(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        if data[start] != 4 or data[end - 1] not in (0, 1):
            raise StopZone(
                f"this log has version {data[start]} and checksum algorithm {data[end - 1]}: not supported",
                hint="SET GLOBAL binlog_checksum=CRC32",
            )
        self._rows.forget_ids()

    def _heartbeat(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> Heartbeat | None:
        """Sent while the server waits at its log's end; also while it passes over what this stream has seen.

        So it says "nothing is pending" only where the last event or heartbeat ended, and not in a group.
        """
        here = (data[start:end], self._log_position)
        is_waiting = here == self._reached and self._group.group is None
        self._reached = here
        return Heartbeat(position=self._group.position, at=self._clock()) if is_waiting else None

    def _partial_rows(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        if not self._group.is_skipped and self._rows.is_watched(data, start):
            raise StopZone(
                "a row update that holds only parts of JSON columns",
                hint="SET GLOBAL binlog_row_value_options=''",
            )

    def _incident(self, kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        raise Resnapshot("the zone's log says that events were lost (incident event)")


_Handler = Callable[[int, bytes, int, int, int], LogEvent | None]
_UINT32 = Struct("<I")
_MARIADB_GTID = Struct("<QIB")
_QUERY_HEAD = Struct("<IIBHH")


def _pass(kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
    """Not needed for rows and transactions."""


def _refuse(what: str, hint: str) -> _Handler:
    def stop(kind: int, data: bytes, start: int, end: int, timestamp: int) -> None:
        raise StopZone(f"the log holds {what} (event type {kind}), which Treetop cannot read", hint=hint)

    return stop


def _statement_text(kind: int, data: bytes, start: int, end: int) -> tuple[str, str]:
    """Return a QUERY event's statement and default database."""
    _, _, database_size, _, variables_size = _QUERY_HEAD.unpack_from(data, start)
    at = start + (26 if kind == EXECUTE_LOAD_QUERY else 13) + variables_size
    database = data[at : at + database_size].decode("utf-8", "replace")
    at += database_size + 1
    statement = uncompress(data, at, end) if kind == QUERY_COMPRESSED else data[at:end]
    return statement.decode("utf-8", "replace").strip(), database


def _opens_xa(text: str) -> bool:
    return text[2:].split(maxsplit=1)[0].upper() in ("START", "BEGIN", "END")


def _is_whole_rollback(text: str) -> bool:
    return text.rstrip("; ").upper() in ("ROLLBACK", "ROLLBACK WORK")


def _damaged(message: str) -> StopZone:
    return StopZone(
        f"{message}: the log or the network damaged it",
        hint="check the log: mariadb-binlog --verify-binlog-checksum; if it is damaged: treetop zone resync NAME",
    )
