# SPDX-License-Identifier: Apache-2.0
"""Prove that a MariaDB's log still holds the last transaction that was read, before reading on behind it.

In: a session and the `LogPlace` that the position carries. The event at that place is fetched by file and
offset (one more connection, one event, no search) and compared. Another event or none there, or a file
newer than the log's newest: `Resnapshot`. No proof is possible, and the stream goes on by GTID alone, when the
server is another one than wrote the hint (failover) or when the file is gone but older than the newest
(purged: the server itself refuses what it no longer has).

`BINLOG_GTID_POS` would not do: after RESET MASTER equally large transactions end at equal offsets with equal
numbers. MySQL is not looked at: its GTIDs carry the server's uuid, so that a restored copy differs, but a
RESET MASTER there is not noticed once the old number is passed. Tried on MariaDB 10.11; the texts of its
errors are those of `sql/sql_repl.cc`.
"""

import logging
import secrets
import zlib
from struct import Struct, pack

from pymysql.err import OperationalError

from treetop.capture.gtid import MariadbGtidSet
from treetop.capture.log_place import EVENT_BYTES, LogPlace
from treetop.capture.mysql_session import ANSWER_SECONDS, Session, connect, failure
from treetop.errors import Resnapshot
from treetop.model.change import Position
from treetop.model.zone import Zone

log = logging.getLogger(__name__)

COM_BINLOG_DUMP, DO_NOT_WAIT, OK, ERROR = 0x12, 1, 0x00, 0xFF
FIRST_SERVER_ID, SERVER_IDS = 1 << 31, 1 << 30  # as of `mysql`: ids that no server has
XID, XID_BYTES = 16, 31  # with its checksum
# ROTATE, FORMAT_DESCRIPTION, HEARTBEAT, START_ENCRYPTION: come before the event that was asked for
_PREFACE = frozenset({4, 15, 27, 164})
_REFUSED = 1236
_NOTHING_THERE = (
    "impossible position",
    "bogus data",
    "truncated in the middle",
    "exceeded max_allowed_packet",
    "did not pass crc check",
    "decryption failure",
)
_HEADER = Struct("<IBIII")


def name_server(session: Session) -> str:
    """Say whose log files a session's server has: its server_id; on Galera, where nodes share one, its node."""
    found = dict(
        session.query(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'wsrep_on', 'wsrep_node_name')"
        )
    )
    if found.get("wsrep_on") != "ON":
        return str(found["server_id"])
    return f"{found['server_id']}-{zlib.crc32(str(found.get('wsrep_node_name')).encode()):08x}"


def require_held(session: Session, position: Position) -> None:
    """Raise `Resnapshot` when the server's log provably lost the position's last transaction.

    Guarantees nothing where no proof is possible. Raises `Retry`, `StopZone` like any reading.
    """
    place = LogPlace.of_position(position)
    if place is None or place.server != name_server(session):
        return
    zone = session.zone
    event = _event_at(zone, place.file, place.offset)
    if event is None:
        newest, _ = _end_of_log(session)
        if not _is_newer(place.file, newest):
            log.info("%s is no longer in the zone's log: going on by GTID alone", place.file)
            return
        found = f"the newest file is {newest}"
    elif zlib.crc32(event[:EVENT_BYTES]) == place.fingerprint:
        return
    else:
        found = "another transaction is there" if event else "nothing is there"
    raise Resnapshot(
        f"zone {zone.name}: its log no longer holds the last transaction that was read ({position}): {found};"
        " the log was reset, lost its end in a crash, or comes from a backup",
        hint="nothing: the zone is loaded anew; sync_binlog=1 on its server keeps the log's end in a crash",
    )


def place_of_end(session: Session, gtids: MariadbGtidSet) -> LogPlace | None:
    """Find the closing event of the log's last transaction; None unless the log ends with `gtids` and an XID."""
    file, end = _end_of_log(session)
    if end <= XID_BYTES:
        return None
    event = _event_at(session.zone, file, end - XID_BYTES)
    if not event or _HEADER.unpack_from(event)[1::2] != (XID, XID_BYTES):
        return None
    ((text,),) = session.query("SELECT BINLOG_GTID_POS(%s, %s)", file, end)
    place = LogPlace.of_event(event, 0, file=file, server=name_server(session))
    is_last = place is not None and place.offset == end - XID_BYTES
    return place if is_last and text is not None and MariadbGtidSet.parse(text) == gtids else None


def _end_of_log(session: Session) -> tuple[str, int]:
    """Return the newest log file and its size; needs no right."""
    found = dict(
        session.query(
            "SHOW STATUS WHERE Variable_name IN ('Binlog_snapshot_file', 'Binlog_snapshot_position')"
        )
    )
    return str(found.get("Binlog_snapshot_file", "")), int(found.get("Binlog_snapshot_position") or 0)


def _is_newer(file: str, newest: str) -> bool:
    (name, _, number), (newest_name, _, newest_number) = file.rpartition("."), newest.rpartition(".")
    is_comparable = name == newest_name and number.isdecimal() and newest_number.isdecimal()
    return is_comparable and int(number) > int(newest_number)


def _event_at(zone: Zone, file: str, offset: int) -> bytes | None:
    """Fetch the event that begins at `offset`; empty: none can begin there; None: there is no such file.

    What begins there may not be an event at all: compare before use.
    """
    session = connect(zone, purpose="treetop log place")
    try:
        session.query("SET @master_binlog_checksum=@@GLOBAL.binlog_checksum, @mariadb_slave_capability=4")
        packets = session.packets()
        packets.limit_silence(ANSWER_SECONDS)
        server_id = FIRST_SERVER_ID + secrets.randbelow(SERVER_IDS)
        packets.send(COM_BINLOG_DUMP, pack("<IHI", offset, DO_NOT_WAIT, server_id) + file.encode())
        for data, start, end in packets.packets():
            if data[start] == ERROR:
                return _refusal(zone, data[start + 1 : end])
            if data[start] != OK:
                return b""  # the log ends here
            if end - start <= EVENT_BYTES or data[start + 5] not in _PREFACE:
                return data[start + 1 : end]
        return b""
    finally:
        session.close()


def _refusal(zone: Zone, packet: bytes) -> bytes | None:
    number = int.from_bytes(packet[:2], "little")
    said = packet[2:].decode("utf-8", "replace")
    if number != _REFUSED:
        raise failure(zone, "looking for our place in the log", OperationalError(number, said))
    return b"" if any(text in said.lower() for text in _NOTHING_THERE) else None
