# SPDX-License-Identifier: Apache-2.0
"""The log of a MariaDB or MySQL zone: a `LogSource` that reads the binlog as a replica does.

Resumes by the whole GTID set, once `mysql_place` has made sure that the log is still the one that was read
(else `Resnapshot`). The server sends heartbeats, five a second, when its log is quiet; three seconds of silence
mean a dead connection: `Retry`. An error of the server at the dump becomes `Resnapshot` where the log was
purged, `StopZone` where the histories differ. `acknowledge`, `nudge` and `forget` do
nothing: the server keeps nothing for us. Every stream registers with a random server_id between
2,147,483,648 and 3,221,225,471, so that two readers never end each other; keep the servers' own ids below
that.

MySQL (GTID mode, COM_BINLOG_DUMP_GTID) follows its documentation and was not tried: no MySQL server could
be had. Facts: MariaDB 10.11 and its `sql/sql_repl.cc`; MySQL source documentation "COM_BINLOG_DUMP_GTID".
"""

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from struct import pack

from treetop.capture.binlog import BinlogDecoder
from treetop.capture.binlog_rows import RowsDecoder
from treetop.capture.gtid import MariadbGtidSet, MysqlGtidSet
from treetop.capture.log_place import LogPlace
from treetop.capture.mysql_check import check
from treetop.capture.mysql_describe import charsets, describe_table
from treetop.capture.mysql_place import name_server, place_of_end, require_held
from treetop.capture.mysql_session import Session, connect
from treetop.capture.mysql_wire import PacketStream
from treetop.capture.source import SourceFacts
from treetop.errors import Resnapshot, Retry, StopZone, TreetopError
from treetop.model.change import LogEvent, Position
from treetop.model.zone import Zone
from treetop.nova.table import Table
from treetop.nova.watched import watched_tables

HEARTBEAT_SECONDS = 0.2  # 5 of some 50 bytes a second; how soon an idle zone's freshness is known
SILENCE_SECONDS = 3.0
FIRST_SECONDS = (
    60.0  # until the first transaction or heartbeat: the server looks for our position in its files
)
FIRST_SERVER_ID, SERVER_IDS = 1 << 31, 1 << 30

COM_BINLOG_DUMP, COM_REGISTER_SLAVE, COM_BINLOG_DUMP_GTID = 0x12, 0x15, 0x1E
OK, END, ERROR = 0x00, 0xFE, 0xFF


class MysqlLog:
    """See `capture.source.LogSource`."""

    def __init__(self, zone: Zone, *, tables: Mapping[str, Table] | None = None) -> None:
        self._zone = zone
        self._tables = watched_tables(zone.kind, zone.trust) if tables is None else tables
        self._packets: PacketStream | None = None
        self._is_closed = False

    def check(self) -> SourceFacts:
        """Look whether the zone can be read; `mysql_check` has the requirements."""
        session = self._connect("treetop check")
        try:
            registered = _register(session.packets(), _server_id())
            return check(session, may_replicate=registered[0] == OK)
        finally:
            session.close()

    def begin(self) -> Position:
        """Return the end of the log. Nothing is made in the zone."""
        session = self._connect("treetop begin")
        try:
            variable = "gtid_binlog_pos" if session.is_mariadb else "gtid_executed"
            ((text,),) = session.query(f"SELECT @@GLOBAL.{variable}")
            gtids = parse_gtid_set(session, text)
            place = place_of_end(session, gtids) if isinstance(gtids, MariadbGtidSet) else None
            return gtids.text() if place is None else place.behind(gtids.text())
        finally:
            session.close()

    def stream(self, position: Position) -> Iterator[LogEvent]:
        """Yield what follows `position`; see `LogSource.stream`."""
        session = self._connect("treetop log")
        try:
            start = parse_gtid_set(session, position)
            if session.is_mariadb:
                require_held(session, position)
            self._packets = packets = session.packets()
            decoder = self._decoder(session, packets, position)
            _prepare(session)
            if self._is_closed:
                raise Retry(f"zone {self._zone.name}: the source was closed")
            packets.limit_silence(FIRST_SECONDS)
            _request(packets, session, start)
            yield from self._events(packets, decoder)
        finally:
            self._packets = None
            session.close()

    def acknowledge(self, position: Position) -> None:
        """Do nothing: binlogs are kept by the server's own rules."""

    def nudge(self) -> None:
        """Do nothing: every transaction of a snapshot comes by itself."""

    def forget(self) -> None:
        """Do nothing: `begin` made nothing."""

    def close(self) -> None:
        """End a running `stream` with `Retry`; idempotent."""
        self._is_closed = True
        packets = self._packets
        if packets is not None:
            packets.shut()

    def _connect(self, purpose: str) -> Session:
        if self._is_closed:
            raise Retry(f"zone {self._zone.name}: the source was closed")
        return connect(self._zone, purpose=purpose)

    def _decoder(self, session: Session, packets: PacketStream, position: Position) -> BinlogDecoder:
        offset = timedelta(seconds=session.clock_offset_seconds)
        zone = self._zone
        rows = RowsDecoder(
            database=zone.url.database,
            tables=self._tables,
            trust=zone.trust,
            charsets=charsets(session),
            describe=lambda table: describe_table(zone, table),
            is_mariadb=session.is_mariadb,
        )
        return BinlogDecoder(
            start=parse_gtid_set(session, position),
            place=LogPlace.of_position(position),
            server=name_server(session) if session.is_mariadb else None,
            rows=rows,
            database=zone.url.database,
            tables=self._tables,
            clock=lambda: datetime.fromtimestamp(packets.sent_at, UTC) + offset,
        )

    def _events(self, packets: PacketStream, decoder: BinlogDecoder) -> Iterator[LogEvent]:
        feed = decoder.feed
        is_first = True
        for data, start, end in packets.packets():
            kind = data[start]
            if kind == OK:
                event = feed(data, start + 1, end)
                if event is not None:
                    if is_first:
                        is_first = False
                        packets.limit_silence(SILENCE_SECONDS)
                    yield event
            elif kind == ERROR:
                raise dump_failure(self._zone, data[start:end])
            else:
                raise Retry(f"zone {self._zone.name}: the server ended the log stream (it may be stopping)")


def parse_gtid_set(session: Session, text: str) -> MariadbGtidSet | MysqlGtidSet:
    """Read a position of the kind that this server uses."""
    return MariadbGtidSet.parse(text) if session.is_mariadb else MysqlGtidSet.parse(text)


def dump_failure(zone: Zone, packet: bytes) -> TreetopError:
    """Return what an error packet in place of the log means."""
    number = int.from_bytes(packet[1:3], "little")
    said = packet[3:].decode("utf-8", "replace")
    said = said[6:] if said.startswith("#") else said  # the SQL state
    what = f"zone {zone.name}: the server refuses its log: {said} (error {number})"
    lower = said.lower()
    if any(text in lower for text in _OTHER_HISTORY):
        return StopZone(
            what,
            hint="the zone's history is not the one that was read (restored, crashed, or failed over to a "
            "server that was behind): look at SELECT @@gtid_binlog_pos there, then treetop zone resync NAME",
        )
    if number == 1236 and any(text in lower for text in _PURGED):
        return Resnapshot(what)
    if number in (1045, 1227):
        return StopZone(what, hint=f"GRANT REPLICATION SLAVE ON *.* TO '{zone.url.user}'")
    return Retry(what)


_OTHER_HISTORY = ("not in the master's binlog", "diverged", "more gtids than")  # the last: MySQL
_PURGED = (
    "could not find gtid state",
    "could not find first log file",
    "purged",
    "probably the slave state is too old",
)


def _prepare(session: Session) -> None:
    for statement in (
        "SET @master_binlog_checksum=@@GLOBAL.binlog_checksum",
        "SET @source_binlog_checksum=@@GLOBAL.binlog_checksum",
        f"SET @master_heartbeat_period={round(HEARTBEAT_SECONDS * 1e9)}",
        f"SET @source_heartbeat_period={round(HEARTBEAT_SECONDS * 1e9)}",
    ):
        session.query(statement)


def _request(packets: PacketStream, session: Session, start: MariadbGtidSet | MysqlGtidSet) -> None:
    """Register as a replica and ask for the log after `start`."""
    server_id = _server_id()
    if isinstance(start, MariadbGtidSet):
        session.query("SET @mariadb_slave_capability=4")  # GTID events as they are, no replacement
        session.query("SET @slave_gtid_strict_mode=0, @slave_gtid_ignore_duplicates=0")
        session.query("SET @slave_connect_state=%s", start.text())
    answer = _register(packets, server_id)
    if answer[0] != OK:
        raise dump_failure(session.zone, answer)
    if isinstance(start, MariadbGtidSet):
        packets.send(COM_BINLOG_DUMP, pack("<IHI", 4, 0, server_id))
    else:
        seen = start.encode()
        packets.send(COM_BINLOG_DUMP_GTID, pack("<HIIQI", 4, server_id, 0, 4, len(seen)) + seen)


def _server_id() -> int:
    return FIRST_SERVER_ID + secrets.randbelow(SERVER_IDS)


def _register(packets: PacketStream, server_id: int) -> bytes:
    """Register as a replica; return the server's answer."""
    packets.send(COM_REGISTER_SLAVE, pack("<I3sHII", server_id, b"", 0, 0, 0))
    data, at, end = next(packets.packets())
    return data[at:end]
