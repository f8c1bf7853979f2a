# SPDX-License-Identifier: Apache-2.0
"""The rows of a MariaDB or MySQL zone in chunks: a `RowSource` over SELECTs in an exactly known snapshot.

Servers: `instances` by primary key range, every other of their tables by joining it, 1 + 7 statements a chunk.
Mirrored tables: one of them by primary key range. No locks, nothing written. Rows come out as `mysql_values` makes
them and went through `nova.trust`; system metadata that trust would drop is not even asked for. A failed call closes
the session; the next one opens another.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pymysql.err import OperationalError

from treetop.capture.mysql_describe import describe
from treetop.capture.mysql_session import ANSWER_SECONDS, Session, connect, failure
from treetop.capture.mysql_snapshot import GtidSnapshot, SnapshotMaker
from treetop.capture.mysql_values import Convert, ResultColumn, convert_for, length, read_row
from treetop.capture.mysql_wire import Packet, PacketStream
from treetop.errors import Retry, StopZone
from treetop.model.change import Chunk, Row, Unit
from treetop.model.zone import Zone
from treetop.nova.mirrored_tables import ID_PLACE
from treetop.nova.table import Table
from treetop.nova.tables import CELL_TABLES, INSTANCE_SYSTEM_METADATA, INSTANCES
from treetop.nova.trust import sharing
from treetop.nova.watched import DATABASE_NAMES, Segment, cut, segment_after, watched_tables

COM_QUERY, OK, END, ERROR = 0x03, 0x00, 0xFE, 0xFF
UNKNOWN_COLUMN: Final = 1054

# What `nova.trust` keeps, as far as SQL can say it cheaply (LIKE ignores case, trust does not).
_FILTERS = {INSTANCE_SYSTEM_METADATA.name: r" AND (c.`key` LIKE 'image\_%' OR c.`key` = 'locked_reason')"}
_CHILDREN = tuple(table for table in CELL_TABLES.values() if table is not INSTANCES)


class MysqlRows:
    """See `capture.source.RowSource`. Connects at the first read."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._reading: _Reading | None = None

    def read_range(self, *, after: int, rows: int) -> Chunk:
        """Read at most `rows` servers or mirrored rows above `after` in one snapshot."""
        segment, row_id = segment_after(after, kind=self._zone.kind, trust=self._zone.trust)
        table = segment.table
        if table is None:
            return self._run(lambda reading: reading.servers_above(segment, row_id, rows))
        return self._run(lambda reading: reading.rows_above(segment, table, row_id, rows))

    def read_servers(self, uuids: Sequence[str]) -> Chunk:
        """Read just these servers in one snapshot."""
        return self._run(lambda reading: reading.servers(uuids))

    def read_rows(self, table: str, ids: Sequence[int]) -> Chunk:
        """Read just these rows of a mirrored table in one snapshot."""
        return self._run(lambda reading: reading.rows(table, ids))

    def close(self) -> None:
        """Close the connection; idempotent."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.session.close()

    def _run(self, read: "_Read") -> Chunk:
        try:
            if self._reading is None:
                self._reading = _Reading(connect(self._zone, purpose="treetop rows"))
            return read(self._reading)
        except BaseException:
            self.close()  # an answer may be half read
            raise


class _Reading:
    """One session's way of reading: its layout of the tables, its snapshots."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._packets: PacketStream = session.packets()
        self._packets.limit_silence(ANSWER_SECONDS)
        self._snapshots = SnapshotMaker(session)
        zone = session.zone
        self._tables = watched_tables(zone.kind, zone.trust)
        self._columns = {table.name: _select_list(session, table) for table in self._tables.values()}

    def servers_above(self, segment: Segment, row_id: int, rows: int) -> Chunk:
        snapshot = self._snapshots.begin()
        where = f"c.id > {row_id:d} ORDER BY c.id LIMIT {rows + 1:d}"
        servers = self._select(INSTANCES, f"FROM instances c WHERE {where}")
        upto = self._cut(servers, rows, segment)
        found = {INSTANCES.name: servers}
        if servers:
            within = f"i.id > {row_id:d} AND i.id <= {servers[-1][ID_PLACE]:d}"
            for table in _CHILDREN:
                joined = f"FROM instances i STRAIGHT_JOIN {table.name} c ON c.{table.owner} = i.uuid"
                found[table.name] = self._select(
                    table, f"{joined} WHERE {within}" + _FILTERS.get(table.name, "")
                )
        return self._chunk(found, snapshot, after=segment.first_key + row_id, upto=upto)

    def rows_above(self, segment: Segment, table: Table, row_id: int, rows: int) -> Chunk:
        snapshot = self._snapshots.begin()
        where = f"c.id > {row_id:d} ORDER BY c.id LIMIT {rows + 1:d}"
        found = self._select(table, f"FROM {table.name} c WHERE {where}")
        upto = self._cut(found, rows, segment)
        after = segment.first_key + row_id
        return self._chunk({table.name: found}, snapshot, table=table.name, after=after, upto=upto)

    def servers(self, uuids: Sequence[str]) -> Chunk:
        snapshot = self._snapshots.begin()
        listed = ", ".join(self.session.connection.escape(uuid) for uuid in uuids) or "NULL"
        found = {}
        for table in CELL_TABLES.values():
            where = f"FROM {table.name} c WHERE c.{table.owner} IN ({listed})"
            found[table.name] = self._select(table, where + _FILTERS.get(table.name, ""))
        return self._chunk(found, snapshot, only=frozenset(uuids))

    def rows(self, name: str, ids: Sequence[int]) -> Chunk:
        snapshot = self._snapshots.begin()
        listed = ", ".join(f"{row_id:d}" for row_id in ids) or "NULL"
        found = self._select(self._tables[name], f"FROM {name} c WHERE c.id IN ({listed})")
        return self._chunk({name: found}, snapshot, table=name, only=frozenset(ids))

    def _cut(self, rows: list[Row], most: int, segment: Segment) -> int | None:
        zone = self.session.zone
        return cut(rows, most, segment=segment, kind=zone.kind, trust=zone.trust)

    def _chunk(
        self,
        rows: dict[str, list[Row]],
        snapshot: GtidSnapshot,
        *,
        table: str | None = None,
        after: int = 0,
        upto: int | None = None,
        only: frozenset[Unit] | None = None,
    ) -> Chunk:
        self.session.query("COMMIT")
        shared = {name: _shared(self.session.zone, self._tables[name], found) for name, found in rows.items()}
        names = CELL_TABLES if table is None else (table,)
        return Chunk(
            table=table,
            after=after,
            upto=upto,
            only=only,
            snapshot=snapshot,
            rows={name: shared.get(name, []) for name in names},
        )

    def _select(self, table: Table, rest: str) -> list[Row]:
        self._packets.send(COM_QUERY, f"SELECT {self._columns[table.name]} {rest}".encode())
        packets = self._packets.packets()
        converts = self._result_columns(table, packets)
        rows: list[Row] = []
        for data, start, end in packets:
            first = data[start]
            if first == END and end - start < 9:
                return rows
            if first == ERROR:
                raise self._failure(table, data[start:end])
            rows.append(read_row(data, start, converts))
        raise AssertionError("packets end by raising")

    def _result_columns(self, table: Table, packets: Iterator[Packet]) -> list[Convert]:
        data, start, end = next(packets)
        if data[start] == ERROR:
            raise self._failure(table, data[start:end])
        count, _ = length(data, start)
        columns = [ResultColumn.parse(*next(packets)[:2]) for _ in range(count)]
        next(packets)  # the end of the column definitions
        return [
            convert_for(found, column.kind, table=table.name)
            for found, column in zip(columns, table.columns, strict=True)
        ]

    def _failure(self, table: Table, packet: bytes) -> Exception:
        number = int.from_bytes(packet[1:3], "little")
        said = packet[9:].decode("utf-8", "replace")
        if number == UNKNOWN_COLUMN:
            return Retry(f"zone {self.session.zone.name}: {table.name} was altered while it was read: {said}")
        return failure(self.session.zone, f"reading {table.name}", OperationalError(number, said))


_Read = Callable[[_Reading], Chunk]


def _select_list(session: Session, table: Table) -> str:
    """The SELECT list of the table's columns; one that the zone's release lacks reads as NULL."""
    present = {column.name for column in describe(session, table.name)}
    missing = [column.name for column in table.columns if column.required and column.name not in present]
    if missing:
        zone = session.zone
        raise StopZone(
            f"zone {zone.name}: table {table.name} has no column {', '.join(missing)}, or it may not be read",
            hint=f"is {zone.url.database} a {DATABASE_NAMES[zone.kind]}? GRANT SELECT ON `{zone.url.database}`.* "
            f"TO '{zone.url.user}'",
        )
    return ", ".join(f"c.`{name}`" if name in present else f"NULL AS `{name}`" for name in table.column_names)


def _shared(zone: Zone, table: Table, rows: list[Row]) -> list[Row]:
    share = sharing(table, zone.trust)
    if share is None:
        return rows
    return [shared for shared in map(share, rows) if shared is not None]
