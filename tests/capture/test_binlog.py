# SPDX-License-Identifier: Apache-2.0
"""The binlog decoder fed by hand: MySQL's events, and events that must stop a zone.

No MySQL server could be had: its events here are made from the protocol's documentation. What MariaDB sends is
tested against the real one in `test_mysql_log` and `test_mysql_types`.
"""

import struct
import zlib
from datetime import UTC, datetime
from uuid import UUID

import pytest

from treetop.capture.binlog import BinlogDecoder
from treetop.capture.binlog_rows import RowsDecoder
from treetop.capture.gtid import MariadbGtidSet, MysqlGtidSet
from treetop.errors import Resnapshot, StopZone
from treetop.model.change import Heartbeat, Op, Transaction
from treetop.model.zone import Trust
from treetop.nova.tables import TAGS

SERVER = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECONDS = 1_700_000_000


class Log:
    """Makes events as a server would and feeds them to a decoder."""

    def __init__(self, start=None, *, has_checksums=True):
        start = MysqlGtidSet() if start is None else start
        self.has_checksums = has_checksums
        self.position = 4
        rows = RowsDecoder(
            database="nova",
            tables={"tags": TAGS},
            trust=Trust.FULL,
            charsets={33: "utf8mb3"},
            describe=lambda table: (),
            is_mariadb=isinstance(start, MariadbGtidSet),
        )
        self.decoder = BinlogDecoder(
            start=start, rows=rows, database="nova", tables={"tags": TAGS}, clock=lambda: NOW
        )
        self.feed(4, struct.pack("<Q", 4) + b"bin.000001", flags=0x20)
        format_description = struct.pack("<H50sIB", 4, b"8.0.36", 0, 19) + bytes(41)
        self.feed(15, format_description + bytes([has_checksums]), always_checksum=True)

    def event(self, kind, body, *, flags=0, server_id=1, always_checksum=False):
        size = 19 + len(body) + (4 if self.has_checksums or always_checksum else 0)
        self.position += size
        event = struct.pack("<IBIIIH", SECONDS, kind, server_id, size, self.position, flags) + body
        if self.has_checksums or always_checksum:
            event += struct.pack("<I", zlib.crc32(event))
        return event

    def feed(self, kind, body, **options):
        event = self.event(kind, body, **options)
        return self.decoder.feed(b"front" + event + b"back", 5, 5 + len(event))

    def gtid(self, number, *, microseconds=None):
        body = b"\0" + UUID(SERVER).bytes + struct.pack("<Q", number) + b"\2" + bytes(16)
        if microseconds is not None:
            body += microseconds.to_bytes(7, "little") + b"\0"
        return self.feed(33, body)

    def query(self, text, database=b"nova"):
        head = struct.pack("<IIBHH", 1, 0, len(database), 0, 3)
        return self.feed(2, head + b"var" + database + b"\0" + text.encode())

    def table_map(self, schema=b"nova", table=b"tags"):
        names = b"".join(bytes([len(name)]) + name for name in (b"resource_id", b"tag"))
        optional = b"\x02\x01\x21" + b"\x04" + bytes([len(names)]) + names
        meta = struct.pack("<HH", 108, 240)
        body = struct.pack("<IHH", 77, 0, 1) + bytes([len(schema)]) + schema + b"\0"
        body += bytes([len(table)]) + table + b"\0" + b"\2\x0f\x0f" + bytes([len(meta)]) + meta + b"\0"
        return self.feed(19, body + optional)

    def rows(self, kind, images, *, extra=b""):
        """Version 2 row event of `tags`: images of (resource_id, tag)."""
        body = struct.pack("<IHHH", 77, 0, 1, 2 + len(extra)) + extra + b"\2"
        body += b"\x03\x03" if kind == 31 else b"\x03"
        for image in images:
            body += b"\0" + b"".join(bytes([len(text)]) + text for text in image)
        return self.feed(kind, body)

    def xid(self):
        return self.feed(16, struct.pack("<Q", 9))


@pytest.mark.parametrize("has_checksums", [True, False])
def test_mysql_transaction_of_version_2_rows(has_checksums):
    log = Log(has_checksums=has_checksums)

    log.feed(35, bytes(8))  # PREVIOUS_GTIDS
    assert log.gtid(5, microseconds=1_700_000_000_123_456) is None
    log.query("BEGIN")
    log.table_map()
    log.rows(30, [(b"s", b"a"), (b"s", b"b")], extra=b"\x00\x04ndb!")
    log.rows(31, [(b"s", b"a"), (b"s", b"c")])
    log.rows(32, [(b"s", b"b")])
    found = log.xid()

    assert found == Transaction(
        position=f"{SERVER}:5",
        mark=(SERVER, 5),
        committed_at=datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC),
        changes=found.changes,
        size_bytes=found.size_bytes,
    )
    assert [(change.op, change.row, change.old_row) for change in found.changes] == [
        (Op.INSERT, ("s", "a"), None),
        (Op.INSERT, ("s", "b"), None),
        (Op.UPDATE, ("s", "c"), ("s", "a")),
        (Op.DELETE, ("s", "b"), None),
    ]


def test_mysql_position_closes_gaps():
    log = Log(MysqlGtidSet.parse(f"{SERVER}:1-4:6"))

    log.gtid(5)

    assert log.query("CREATE TABLE x (id INT)").position == f"{SERVER}:1-6"


def test_mysql_ddl_is_a_transaction_of_its_own():
    log = Log()
    log.gtid(1)

    found = log.query("TRUNCATE TABLE tags")

    assert [(change.op, change.table) for change in found.changes] == [(Op.TRUNCATE, "tags")]
    assert found.committed_at == datetime.fromtimestamp(SECONDS, UTC)


def test_transaction_of_the_start_position_is_not_given_again():
    log = Log(MysqlGtidSet.parse(f"{SERVER}:1-5"))
    log.gtid(5)
    log.query("BEGIN")
    log.table_map()
    log.rows(30, [(b"s", b"a")])

    assert log.xid() is None


def test_skipped_statements_do_not_stop_the_zone():
    log = Log(MysqlGtidSet.parse(f"{SERVER}:1-5"))
    log.gtid(5)

    assert log.query("DROP TABLE tags") is None


@pytest.mark.parametrize("statement", ["XA START X'78',X'',1", "XA BEGIN 'x'"])
def test_mysql_xa_on_watched_rows_stops_the_zone(statement):
    log = Log()
    log.gtid(1)
    log.query(statement)
    log.table_map()

    with pytest.raises(StopZone, match="XA transaction"):
        log.rows(30, [(b"s", b"a")])


def test_mysql_xa_elsewhere_ends_at_its_prepare():
    log = Log()
    log.gtid(1)
    log.query("XA START 'x'")
    log.query("XA END 'x'")
    assert log.feed(38, b"\0" * 12).changes == []
    log.gtid(2)

    assert log.query("XA COMMIT 'x'").position == f"{SERVER}:1-2"


def test_rows_of_another_database_are_passed_over():
    log = Log()
    log.gtid(1)
    log.query("BEGIN")
    log.table_map(schema=b"else")
    log.rows(30, [(b"s", b"a")])

    assert log.xid().changes == []


def test_filtered_statement_of_mysql_is_passed_over():
    log = Log()
    log.gtid(1)
    log.query("BEGIN")
    log.feed(30, struct.pack("<IHHH", 0xFFFFFF, 0, 1, 2) + b"\0")

    assert log.xid().changes == []


@pytest.mark.parametrize(
    ("kind", "body", "told", "hint"),
    [
        (34, bytes(25), "without GTID", "gtid_mode"),
        (40, bytes(30), "compressed transaction", "binlog_transaction_compression=OFF"),
        (42, bytes(30), "tagged GTID", "gtid_next"),
        (172, bytes(30), "row in parts", "fragment"),
        (99, bytes(30), "unknown event of type 99", "upgrade"),
        (24, bytes(30), "table id 0", "mariadb-binlog"),
        (20, bytes(30), "5.1.17", "upgrade"),
    ],
)
def test_event_that_may_hide_rows_stops_the_zone(kind, body, told, hint):
    log = Log()

    with pytest.raises(StopZone, match=told) as stop:
        log.feed(kind, body)

    assert hint in stop.value.hint


def test_unknown_event_that_may_be_ignored_is_passed_over():
    assert Log().feed(99, bytes(30), flags=0x80) is None


def test_partial_json_update_stops_the_zone_only_on_a_watched_table():
    log = Log()
    log.gtid(1)
    log.query("BEGIN")
    log.table_map(table=b"gats")
    log.feed(39, struct.pack("<IH", 77, 0) + bytes(20))
    log.table_map()

    with pytest.raises(StopZone, match="parts of JSON columns"):
        log.feed(39, struct.pack("<IH", 77, 0) + bytes(20))


def test_lost_events_ask_for_a_new_load():
    with pytest.raises(Resnapshot, match="lost"):
        Log().feed(26, b"\1\0\0")


def test_wrong_checksum_stops_the_zone():
    log = Log()
    event = bytearray(log.event(16, struct.pack("<Q", 9)))
    event[20] ^= 1

    with pytest.raises(StopZone, match="checksum of an event of type 16 is wrong"):
        log.decoder.feed(bytes(event), 0, len(event))


def test_event_of_a_wrong_size_stops_the_zone():
    log = Log()
    event = log.event(16, struct.pack("<Q", 9))

    with pytest.raises(StopZone, match="bytes and has"):
        log.decoder.feed(event, 0, len(event) - 1)


def test_row_that_does_not_fit_its_event_stops_the_zone():
    log = Log()
    log.gtid(1)
    log.query("BEGIN")
    log.table_map()

    with pytest.raises(StopZone, match="does not end where its event ends"):
        log.feed(30, struct.pack("<IHHH", 77, 0, 1, 2) + b"\2\x03" + b"\0" + b"\x05s")


def test_rows_outside_a_transaction_stop_the_zone():
    log = Log()
    log.table_map()

    with pytest.raises(StopZone, match="outside a transaction"):
        log.rows(30, [(b"s", b"a")])


def test_transaction_without_end_stops_the_zone():
    log = Log()
    log.gtid(1)

    with pytest.raises(StopZone, match="has no end"):
        log.gtid(2)


def test_tables_are_known_by_file():
    """A restarted server counts table ids anew, so that an old id must not be taken for the same table."""
    log = Log()
    log.gtid(1)
    log.query("BEGIN")
    log.table_map()
    log.feed(4, struct.pack("<Q", 4) + b"bin.000002")

    with pytest.raises(StopZone, match="no TABLE_MAP"):
        log.rows(30, [(b"s", b"a")])


def mariadb_gtid(log, domain, server_id, sequence):
    return log.feed(162, struct.pack("<QIB6s", sequence, domain, 1, b""), server_id=server_id)


def test_mariadb_number_that_runs_backwards_stops_the_zone():
    log = Log(MariadbGtidSet.parse("0-1-10"))
    mariadb_gtid(log, 0, 1, 11)
    assert log.query("CREATE TABLE x (id INT)").position == "0-1-11"

    with pytest.raises(StopZone, match="after a later one") as stop:
        mariadb_gtid(log, 0, 2, 7)

    assert "gtid_strict_mode" in stop.value.hint


def test_mariadb_transaction_that_comes_again_is_skipped():
    log = Log(MariadbGtidSet.parse("0-1-10,3-1-1"))
    mariadb_gtid(log, 0, 1, 10)
    assert log.query("CREATE TABLE x (id INT)") is None
    mariadb_gtid(log, 0, 2, 11)

    assert log.query("CREATE TABLE y (id INT)").position == "0-2-11,3-1-1"


def heartbeat(log, position):
    body = b"bin.000001"
    event = struct.pack("<IBIIIH", 0, 27, 1, 19 + len(body) + 4, position, 0) + body
    event += struct.pack("<I", zlib.crc32(event))
    return log.decoder.feed(event, 0, len(event))


def test_heartbeat_counts_where_the_stream_ended():
    log = Log()
    log.gtid(1)
    log.query("CREATE TABLE x (id INT)")

    assert heartbeat(log, log.position) == Heartbeat(position=f"{SERVER}:1", at=NOW)


def test_heartbeat_on_the_way_to_the_end_does_not_count():
    """A server that passes over what the stream has seen sends heartbeats too: only standing still is the end."""
    log = Log()

    assert heartbeat(log, 1000) is None
    assert heartbeat(log, 2000) is None
    assert heartbeat(log, 2000) == Heartbeat(position="", at=NOW)


def test_heartbeat_inside_a_transaction_does_not_count():
    log = Log()
    log.gtid(1)
    heartbeat(log, log.position)

    assert heartbeat(log, log.position) is None
