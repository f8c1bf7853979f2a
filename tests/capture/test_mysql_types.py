# SPDX-License-Identifier: Apache-2.0
"""Every column type and awkward value: what the log gives equals what SELECT gives, and mysql-replication."""

import decimal
from datetime import date, datetime, timedelta

import pytest
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.row_event import WriteRowsEvent

from tests.capture.mariadb_zone import (
    add_server,
    changes_of,
    follow,
    make_cell,
    one_change,
    setting,
    some_rows,
    started,
    value,
)
from treetop.capture.mysql_text import utf8_text
from treetop.errors import StopZone
from treetop.model.change import Op
from treetop.model.zone import Trust

# Columns of `instances` whose type a test changes: kind of value -> names.
_TEXT_TYPES = {
    "display_name": "VARCHAR(20) CHARACTER SET latin1",
    "hostname": "VARCHAR(300) CHARACTER SET utf8mb4",
    "user_id": "CHAR(30) CHARACTER SET utf8mb4",
    "project_id": "CHAR(255) CHARACTER SET utf8mb4",
    "vm_state": "TINYTEXT",
    "task_state": "MEDIUMTEXT CHARACTER SET utf8mb4",
    "availability_zone": "LONGTEXT CHARACTER SET utf8mb4",
    "image_ref": "VARBINARY(100)",
    "kernel_id": "BLOB",
    "ramdisk_id": "DECIMAL(30, 10)",
    "key_name": "DECIMAL(9, 0)",
    "reservation_id": "FLOAT",
    "root_device_name": "DOUBLE",
    "access_ip_v4": "DATE",
    "access_ip_v6": "TIME(3)",
    "config_drive": "SET('a', 'b', 'it''s', 'ü')",
    "display_description": "VARCHAR(40) CHARACTER SET ascii",
    "locked_by": "ENUM('owner', 'admin', 'ümläut, with comma')",
    "user_data": "TIME",
}
_INTEGER_TYPES = {
    "power_state": "TINYINT",
    "progress": "TINYINT UNSIGNED",
    "instance_type_id": "SMALLINT",
    "launch_index": "SMALLINT UNSIGNED",
    "memory_mb": "MEDIUMINT",
    "vcpus": "MEDIUMINT UNSIGNED",
    "root_gb": "BIGINT",
    "ephemeral_gb": "BIGINT UNSIGNED",
    "deleted": "BIT(13)",
    "locked": "BIT(1)",
    "hidden": "INT UNSIGNED",
}
_TIMESTAMP_TYPES = {
    "created_at": "DATETIME(6)",
    "updated_at": "TIMESTAMP(3) NULL",
    "launched_at": "DATETIME(1)",
    "terminated_at": "TIMESTAMP NULL",
}
# Some stand before the wanted ones, so that a wrong place in a list of the TABLE_MAP shows.
_SKIPPED = ", ".join(
    f"ADD COLUMN {column}"
    for column in (
        "f_point POINT FIRST",
        "f_year YEAR FIRST",
        "f_enum ENUM('é') CHARACTER SET latin1 FIRST",
        "f_bits BIT(7) FIRST",
        "f_set SET('1', '2') FIRST",
        "f_inet INET6 FIRST",
        "f_packed VARCHAR(9) COMPRESSED FIRST",
        "s_json JSON",
        "s_point POINT",
        "s_year YEAR",
        "s_uuid UUID",
        "s_inet INET6",
        "s_bits BIT(64)",
        "s_enum ENUM('x') CHARACTER SET ucs2",
        "s_text TEXT CHARACTER SET utf16",
        "s_packed VARCHAR(500) COMPRESSED",
        "s_blob TEXT COMPRESSED",
        "s_time TIME(6)",
        "s_stamp TIMESTAMP(2) NULL",
    )
)
_SKIPPED_VALUES = {
    "f_year": 2155,
    "f_enum": "é",
    "f_bits": 5,
    "f_set": "1,2",
    "f_packed": "packed",
    "s_json": '{"a": [1, 2]}',
    "s_year": 2024,
    "s_uuid": "123e4567-e89b-12d3-a456-426614174000",
    "s_inet": "2001:db8::1",
    "s_bits": 2**63 + 5,
    "s_enum": "x",
    "s_text": "Ünïcode",
    "s_packed": "p" * 400,
    "s_blob": "q" * 4000,
    "s_time": "-12:34:56.123456",
    "s_stamp": "2024-05-06 07:08:09.12",
}

_ROWS = [
    {
        "display_name": "€uro café",
        "hostname": "emoji 😀 " + "x" * 250,
        "user_id": "padded  ",
        "project_id": "é" * 255,
        "vm_state": "",
        "task_state": "m" * 70_000,
        "availability_zone": '{"a": "' + "j" * 1_000_000 + '"}',
        "image_ref": b"\xff\xfe invalid \xc3(",
        "kernel_id": b"zero \x00 inside",
        "ramdisk_id": "-12345678901234567890.0123456789",
        "key_name": "123456789",
        "reservation_id": 3.14159,
        "root_device_name": 0.1,
        "access_ip_v4": "1999-12-31",
        "access_ip_v6": "-838:59:58.120",
        "config_drive": "a,it's,ü",
        "display_description": "plain",
        "locked_by": "ümläut, with comma",
        "user_data": "12:00:01",
        "power_state": -128,
        "progress": 255,
        "instance_type_id": -32768,
        "launch_index": 65535,
        "memory_mb": -8388608,
        "vcpus": 16777215,
        "root_gb": -(2**63),
        "ephemeral_gb": 2**64 - 1,
        "deleted": 8191,
        "locked": 1,
        "hidden": 2**32 - 1,
        "created_at": "2024-02-29 23:59:59.999990",
        "updated_at": "2037-01-01 00:00:00.120",
        "launched_at": "0001-01-01 00:00:00.5",
        "terminated_at": "1971-01-01 00:00:01",
    },
    {
        "display_name": "\x81\x8d",
        "hostname": "zero \x00 byte",
        "user_id": "",
        "project_id": "x",
        "ramdisk_id": "0.0000000001",
        "key_name": "-1",
        "reservation_id": -1e20,
        "root_device_name": 1.7976931348623157e308,
        "access_ip_v4": "0000-00-00",
        "access_ip_v6": "00:00:00.5",
        "config_drive": "",
        "locked_by": "",
        "user_data": "-01:02:03",
        "power_state": 127,
        "progress": 0,
        "deleted": 0,
        "locked": 0,
        "hidden": 0,
        "created_at": "0000-00-00 00:00:00",
        "updated_at": "2024-01-01 00:00:00",
        "launched_at": "9999-12-31 23:59:59.9",
        "terminated_at": "0000-00-00 00:00:00",
    },
    {
        "ramdisk_id": "99999999999999999999.9999999999",
        "key_name": "0",
        "root_device_name": -0.0,
        "access_ip_v6": "-00:00:00.001",
    },
    {},
]


def widened(database):
    """Give the cell's `instances` one column of every type."""
    make_cell(database)
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = '', foreign_key_checks = 0")
        cursor.execute("SHOW INDEX FROM instances")
        indexes = {row[2] for row in cursor.fetchall()} - {"PRIMARY", "uniq_instances0uuid"}
        dropped = [f"DROP INDEX `{index}`" for index in sorted(indexes)]
        types = _TEXT_TYPES | _INTEGER_TYPES | _TIMESTAMP_TYPES
        modified = [f"MODIFY `{name}` {column_type}" for name, column_type in types.items()]
        cursor.execute(f"ALTER TABLE instances {', '.join([*dropped, *modified, _SKIPPED])}")
    return database


def insert_rows(database):
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        for number, row in enumerate(_ROWS, start=1):
            values = {"id": number, "uuid": f"server-{number}", **row}
            if number == 1:
                values |= _SKIPPED_VALUES
            names = ", ".join(f"`{name}`" for name in values)
            places = ", ".join(["%s"] * len(values))
            cursor.execute(f"INSERT INTO instances ({names}) VALUES ({places})", tuple(values.values()))
        cursor.execute("UPDATE instances SET s_point = POINT(1, 2) WHERE id = 1")


@pytest.mark.parametrize("metadata", ["FULL", "NO_LOG", "MINIMAL"])
@pytest.mark.parametrize("compress", ["OFF", "ON"])
def test_log_and_select_give_equal_rows(mariadb_database, metadata, compress):
    database = widened(mariadb_database)
    with setting(database, binlog_row_metadata=metadata, log_bin_compress=compress):
        _, events = started(database)
        insert_rows(database)
        database.execute("UPDATE instances SET node = 'again'")
        changes = changes_of(follow(database, events))

    selected = {row[0]: row for row in some_rows(database).read_range(after=0, rows=100).rows["instances"]}
    inserts = {change.row[0]: change.row for change in changes if change.op is Op.INSERT}
    last = {change.row[0]: change.row for change in changes}
    node = 16
    assert len(inserts) == len(_ROWS) == len(selected)
    assert last == selected
    assert {key: row[:node] + row[node + 1 :] for key, row in inserts.items()} == {
        key: row[:node] + row[node + 1 :] for key, row in selected.items()
    }


def test_awkward_values_have_their_documented_form(mariadb_database):
    database = widened(mariadb_database)
    _, events = started(database)

    insert_rows(database)

    first, second, *_ = (change.row for change in changes_of(follow(database, events)))
    row = {name: value("instances", first, name) for name in _ROWS[0]}
    assert row["image_ref"] == "\ufffd\ufffd invalid \ufffd("
    assert row["kernel_id"] == "zero \ufffd inside"
    assert row["display_name"] == "€uro café"
    assert row["ramdisk_id"] == "-12345678901234567890.0123456789"
    assert (row["locked"], row["hidden"]) == (True, True)
    assert row["created_at"] == "2024-02-29 23:59:59.99999"
    assert row["launched_at"] == "0001-01-01 00:00:00.5"
    assert row["access_ip_v6"] == "-838:59:58.120"
    assert row["config_drive"] == "a,it's,ü"
    assert row["ephemeral_gb"] == 2**64 - 1
    assert value("instances", second, "hostname") == "zero \ufffd byte"
    assert value("instances", second, "display_name") == "\x81\x8d"
    for name in ("created_at", "terminated_at", "access_ip_v4"):
        assert value("instances", second, name) is None


def canonical(found):
    """Bring a value of mysql-replication to the form of `model.change`."""
    if isinstance(found, datetime):
        text = found.strftime(f"{found.year:04d}-%m-%d %H:%M:%S")
        return f"{text}.{found.microsecond:06d}".rstrip("0") if found.microsecond else text
    text = {date: date.isoformat, decimal.Decimal: "{:f}".format, float: repr, bytes: utf8_text}
    found = text.get(type(found), lambda same: same)(found)
    return found.replace("\0", "\ufffd") if isinstance(found, str) else found


@pytest.mark.filterwarnings("ignore:'db' is deprecated:DeprecationWarning")  # mysql-replication's own call
def test_values_equal_those_of_mysql_replication(mariadb_database):
    """Left out: what it reads wrongly or in another shape: BIT, SET, TIME, FLOAT, a TIMESTAMP of zero."""
    database = widened(mariadb_database)
    position, events = started(database)
    left_out = {"deleted", "locked", "hidden", "config_drive", "access_ip_v6", "user_data", "reservation_id"}
    left_out |= {"image_ref"}
    compared = [name for name in (*_TEXT_TYPES, *_INTEGER_TYPES, *_TIMESTAMP_TYPES) if name not in left_out]
    database.execute(  # it cannot read a TABLE_MAP with these
        "ALTER TABLE instances DROP COLUMN s_packed, DROP COLUMN s_blob, DROP COLUMN f_packed,"
        " DROP COLUMN image_ref,"
        " ADD COLUMN image_ref VARCHAR(40)"
    )
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = ''")
        for number, row in enumerate(_ROWS, start=1):
            values = {"id": number, "uuid": f"server-{number}", **row}
            values.pop("image_ref", None)
            values["display_name"] = "café"  # it cannot read MySQL's latin1 beyond Windows-1252
            names = ", ".join(f"`{name}`" for name in values)
            places = ", ".join(["%s"] * len(values))
            cursor.execute(f"INSERT INTO instances ({names}) VALUES ({places})", tuple(values.values()))
    ours = [change.row for change in changes_of(follow(database, events))]

    stream = BinLogStreamReader(
        connection_settings={
            "host": "127.0.0.1",
            "port": database.port,
            "user": "root",
            "password": database.server.password_file.read_text().strip(),
        },
        server_id=777,
        is_mariadb=True,
        auto_position=position,
        only_events=[WriteRowsEvent],
        only_tables=["instances"],
        only_schemas=[database.name],
    )
    theirs = [row["values"] for event in stream for row in event.rows]
    stream.close()

    assert len(theirs) == len(ours) == len(_ROWS)
    for mine, other in zip(ours, theirs, strict=True):
        assert {name: value("instances", mine, name) for name in compared} == {
            name: canonical(other[name]) for name in compared
        } | ({"terminated_at": None} if other["terminated_at"] == datetime(1970, 1, 1) else {})  # noqa: DTZ001


def test_old_temporal_formats_are_read(mariadb_database):
    with setting(mariadb_database, mysql56_temporal_format="OFF"):
        database = make_cell(mariadb_database)
        database.execute("ALTER TABLE instances MODIFY launched_at TIMESTAMP NULL, MODIFY key_name TIME")
        _, events = started(database)
        add_server(
            database,
            "old",
            created_at="2024-02-29 12:13:14",
            launched_at="2024-02-29 12:13:15",
            key_name="-12:13:16",
        )
        row = one_change(follow(database, events)).row

    assert value("instances", row, "created_at") == "2024-02-29 12:13:14"
    assert value("instances", row, "launched_at") == "2024-02-29 12:13:15"
    assert value("instances", row, "key_name") == "-12:13:16"
    assert [row] == some_rows(database).read_range(after=0, rows=9).rows["instances"]


@pytest.mark.parametrize(
    ("column_type", "told"),
    [
        ("VARCHAR(30) CHARACTER SET ucs2", "ucs2"),
        ("VARCHAR(30) CHARACTER SET cp1251", "cp1251"),
        ("BINARY(16)", "display_name"),
        ("UUID", "display_name"),
        ("POINT", "display_name"),
        ("VARCHAR(30) COMPRESSED", "display_name"),
    ],
)
def test_wanted_column_of_unreadable_type_stops_the_zone(mariadb_database, column_type, told):
    database = make_cell(mariadb_database)
    database.execute(f"ALTER TABLE instances MODIFY display_name {column_type}")
    _, events = started(database)
    database.execute("INSERT INTO instances (uuid, deleted) VALUES ('s', 0)")

    with pytest.raises(StopZone, match=told) as stop:
        follow(database, events)

    assert stop.value.hint


def test_zone_of_trust_servers_gives_no_host(mariadb_database):
    database = make_cell(mariadb_database)
    _, events = started(database, trust=Trust.SERVERS)

    add_server(database, "s", host="secret-host", node="secret-node", project_id="p")
    database.execute(
        "INSERT INTO instance_faults (instance_uuid, code, message, details, deleted)"
        " VALUES ('s', 500, 'm', 'secret trace', 0)"
    )

    assert "secret" not in repr(follow(database, events))
    assert "secret" not in repr(some_rows(database, trust=Trust.SERVERS).read_range(after=0, rows=9))


def test_unused_system_metadata_does_not_leave_the_zone(mariadb_database):
    database = make_cell(mariadb_database)
    add_server(database, "s")
    _, events = started(database)
    insert = (
        "INSERT INTO instance_system_metadata (instance_uuid, `key`, `value`, deleted)"
        " VALUES ('s', %s, 'v', 0)"
    )

    for key in ("image_os", "boot_roles", "locked_reason"):
        database.execute(insert, (key,))
    database.execute("UPDATE instance_system_metadata SET `value` = 'w'")
    database.execute("UPDATE instance_system_metadata SET `key` = 'dropped' WHERE `key` = 'image_os'")

    changes = [(change.op, *change.row[2:]) for change in changes_of(follow(database, events))]
    assert changes == [
        (Op.INSERT, "image_os", "v"),
        (Op.INSERT, "locked_reason", "v"),
        (Op.UPDATE, "image_os", "w"),
        (Op.UPDATE, "locked_reason", "w"),
        (Op.DELETE, "image_os", "w"),
    ]
    chunk = some_rows(database).read_range(after=0, rows=9)
    assert [row[2] for row in chunk.rows["instance_system_metadata"]] == ["locked_reason"]


def test_time_of_commit_is_the_zones_clock(mariadb_database):
    database = make_cell(mariadb_database)
    _, events = started(database)
    before = database.execute("SELECT UTC_TIMESTAMP()")[0][0]

    add_server(database, "s")

    (transaction,) = follow(database, events)
    assert timedelta(0) <= transaction.committed_at.replace(tzinfo=None) - before < timedelta(seconds=5)
