# SPDX-License-Identifier: Apache-2.0
"""A MariaDB zone that fails: networks, restarts, purged and damaged logs, missing rights and settings."""

import threading
import time
from dataclasses import replace

import pytest

from tests.capture.mariadb_zone import (
    a_log,
    a_zone,
    add_server,
    changes_of,
    follow,
    make_cell,
    mark,
    read_to,
    setting,
    some_rows,
    started,
    value,
)
from tests.servers import MariaDBDatabase, TcpProxy, create_mariadb_database, wait_until
from treetop.capture.mysql import MysqlLog, dump_failure
from treetop.capture.mysql_rows import MysqlRows
from treetop.errors import Refuse, Resnapshot, Retry, StopZone
from treetop.model.change import Heartbeat, Position, Transaction
from treetop.model.zone import PasswordReference


@pytest.fixture
def cell(mariadb_database):
    return make_cell(mariadb_database)


def write_history(database, servers=12):
    """Commit some transactions of several rows; return the marker behind them."""
    with database.connect(autocommit=False) as connection, connection.cursor() as cursor:
        for number in range(servers):
            cursor.execute(
                "INSERT INTO instances (uuid, deleted, user_data) VALUES (%s, 0, REPEAT('d', 300))",
                (f"s{number}",),
            )
            cursor.execute("INSERT INTO tags VALUES (%s, 'a'), (%s, 'b')", (f"s{number}", f"s{number}"))
            cursor.execute("UPDATE instances SET vm_state = 'active' WHERE uuid = %s", (f"s{number}",))
            connection.commit()
    return mark(database)


def test_cut_at_many_offsets_gives_each_transaction_exactly_once(cell):
    position, events = started(cell)
    marker = write_history(cell)
    expected = read_to(marker, events)
    events.close()

    with TcpProxy(cell.port) as proxy:
        read_to(marker, a_log(cell, port=proxy.port).stream(position))
        whole = proxy.forwarded
        for cut_after in range(1, whole, whole // 40):
            assert read_through_cuts(cell, proxy, position, marker, cut_after) == expected


def read_through_cuts(cell, proxy, position, marker, cut_after):
    """Read to the marker; the network is cut once, and the reader goes on from the last whole transaction."""
    found: list[Transaction] = []
    proxy.cut_after(cut_after)
    for _ in range(3):
        log = a_log(cell, port=proxy.port)
        try:
            for event in log.stream(found[-1].position if found else position):
                if isinstance(event, Transaction):
                    if any(change.row[1:] == (marker,) for change in event.changes):
                        return found
                    found.append(event)
        except Retry:
            continue
        finally:
            log.close()
    raise AssertionError("cut more than once")


def test_half_open_connection_is_noticed(cell):
    with TcpProxy(cell.port) as proxy:
        _, events = started(cell, port=proxy.port)
        assert isinstance(next(events), Heartbeat)

        proxy.pause()
        began_at = time.monotonic()
        with pytest.raises(Retry, match="silent for 3 s"):
            for _ in events:
                pass

        assert 2 < time.monotonic() - began_at < 6


def test_heartbeat_that_lay_in_the_network_is_not_dated_now(cell):
    """A reader that was busy must not say of an old heartbeat that it holds now."""
    _, events = started(cell)
    next(events)
    left_at = time.time()
    time.sleep(2.5)

    heartbeat = next(events)

    assert isinstance(heartbeat, Heartbeat)
    assert heartbeat.at.timestamp() < left_at + 0.5


def test_close_ends_a_waiting_stream(cell):
    log = a_log(cell)
    events = log.stream(log.begin())
    next(events)
    closer = threading.Timer(0.2, log.close)
    closer.start()

    with pytest.raises(Retry):
        for _ in events:
            pass

    closer.join()
    with pytest.raises(Retry, match="was closed"):
        next(log.stream(Position("")))


def test_server_restarts_are_survived(own_mariadb):
    server = own_mariadb()
    cell = make_cell(create_mariadb_database(server, "nova_cell1"))
    position, events = started(cell)
    for number, end in enumerate((server.stop, server.kill, server.stop)):
        add_server(cell, f"s{number}")
        found = follow(cell, events)
        assert [value("instances", change.row, "uuid") for change in changes_of(found)] == [f"s{number}"]
        end()
        with pytest.raises(Retry):
            for _ in events:
                pass
        server.start()
        events = a_log(cell).stream(found[-1].position)
        follow(cell, events)  # the marker of the round before
    marker = mark(cell)

    everything = changes_of(read_to(marker, a_log(cell).stream(position)))

    uuids = [value("instances", change.row, "uuid") for change in everything if change.table == "instances"]
    assert uuids == ["s0", "s1", "s2"]


def test_purged_log_asks_for_a_new_load(own_mariadb):
    cell = make_cell(create_mariadb_database(own_mariadb(), "nova_cell1"))
    log = a_log(cell)
    position = log.begin()
    add_server(cell, "s")
    cell.execute("FLUSH BINARY LOGS")
    ((last, *_),) = cell.execute("SHOW MASTER STATUS")
    wait_until("the log is purged", lambda: purge(cell, last))

    with pytest.raises(Resnapshot, match="too old"):
        next(log.stream(position))
    follow(cell, log.stream(log.begin()))


def purge(cell, last):
    cell.execute("PURGE BINARY LOGS TO %s", (last,))
    return len(cell.execute("SHOW BINARY LOGS")) == 1


def test_position_that_the_zone_never_reached_stops_it(cell):
    ((position,),) = cell.execute("SELECT @@GLOBAL.gtid_binlog_pos")
    domain, server_id, sequence = position.split(",")[0].split("-")

    with pytest.raises(StopZone, match="not in the master's binlog") as stop:
        next(a_log(cell).stream(Position(f"{domain}-{server_id}-{int(sequence) + 1000}")))

    assert "treetop zone resync" in stop.value.hint


@pytest.mark.parametrize(
    ("number", "said", "reaction"),
    [
        (
            1236,
            "Could not find GTID state requested by slave in any binlog files. Probably the slave ...",
            Resnapshot,
        ),
        (1236, "Could not find first log file name in binary log index file", Resnapshot),
        (
            1236,
            "The slave is connecting ... but the master has purged binary logs containing GTIDs",
            Resnapshot,
        ),
        (
            1236,
            "Error: ... which is not in the master's binlog. Since the master's binlog contains GTIDs",
            StopZone,
        ),
        (1236, "An exception occurred ... it probably means that the slave has diverged", StopZone),
        (
            1236,
            "A slave with the same server_uuid/server_id as this slave has connected to the master",
            Retry,
        ),
        (1227, "Access denied; you need the REPLICATION SLAVE privilege", StopZone),
        (1053, "Server shutdown in progress", Retry),
    ],
)
def test_refusal_of_the_log_is_answered_by_its_reason(cell, number, said, reaction):
    packet = b"\xff" + number.to_bytes(2, "little") + b"#HY000" + said.encode()

    failure = dump_failure(a_zone(cell), packet)

    assert type(failure) is reaction
    assert said in str(failure)


def test_damaged_event_stops_the_zone_with_the_position_unchanged(own_mariadb):
    server = own_mariadb()
    cell = make_cell(create_mariadb_database(server, "nova_cell1"))
    position = a_log(cell).begin()
    add_server(cell, "s1")
    add_server(cell, "s2", display_name="harm me")
    server.stop()
    (log_file,) = (server.folder / "data").glob("binlog.000001")
    whole = log_file.read_bytes()
    log_file.write_bytes(whole.replace(b"harm me", b"harm ME"))
    server.start()

    events = a_log(cell).stream(position)
    first = next(events)
    with pytest.raises(StopZone, match="checksum") as stop:
        next(events)

    assert value("instances", first.changes[0].row, "uuid") == "s1"
    assert "mariadb-binlog" in stop.value.hint
    log_file.write_bytes(whole)
    found = changes_of(follow(cell, a_log(cell).stream(first.position)))
    assert [value("instances", change.row, "uuid") for change in found] == ["s2"]


def test_check_says_what_it_found(cell):
    facts = a_log(cell).check()

    assert "MariaDB" in facts.version
    assert facts.identity == "mariadb server 1 domain 0"
    assert abs(facts.clock_offset_seconds) < 1
    assert facts.servers >= 0


@pytest.fixture
def poor_user(cell, tmp_path):
    """Create a user without rights; return (its zone, grant)."""
    name = f"poor_{cell.name}"
    cell.execute(f"CREATE USER {name} IDENTIFIED BY 'its password'")
    (tmp_path / "password").write_text("its password\n")
    url = cell.source_url().__class__(
        engine=cell.source_url().engine, user=name, host="127.0.0.1", port=cell.port, database=cell.name
    )
    zone = a_zone(cell, url=url, password=PasswordReference(kind="file", name=str(tmp_path / "password")))
    yield zone, lambda what: cell.execute(f"GRANT {what} TO {name}")
    cell.execute(f"DROP USER {name}")


def test_needed_rights_are_named_and_are_enough(cell, poor_user):
    zone, grant = poor_user

    with pytest.raises(StopZone, match="Access denied") as stop:
        MysqlLog(zone).check()
    assert "GRANT SELECT ON" in stop.value.hint

    grant(f"SELECT ON `{cell.name}`.*")
    with pytest.raises(StopZone, match="may not read the log") as stop:
        MysqlLog(zone).check()
    assert f"GRANT REPLICATION SLAVE ON *.* TO 'poor_{cell.name}'" in stop.value.hint

    grant("REPLICATION SLAVE ON *.*")
    log = MysqlLog(zone)
    log.check()
    add_server(cell, "s")
    assert follow(cell, log.stream(log.begin())) == []
    rows = MysqlRows(zone)
    assert len(rows.read_range(after=0, rows=5).rows["instances"]) == 1
    rows.close()


def test_right_that_is_missing_at_the_stream_is_named(cell, poor_user):
    zone, grant = poor_user
    grant(f"SELECT ON `{cell.name}`.*")

    with pytest.raises(StopZone) as stop:
        next(MysqlLog(zone).stream(Position("")))

    assert "REPLICATION SLAVE" in stop.value.hint


def test_wrong_password_stops_the_zone_without_showing_it(cell, tmp_path):
    (tmp_path / "wrong").write_text("not-the-password")
    reference = PasswordReference(kind="file", name=str(tmp_path / "wrong"))
    log = MysqlLog(a_zone(cell, password=reference))

    with pytest.raises(StopZone, match="Access denied") as stop:
        log.check()

    assert f"correct the password in the file {tmp_path}/wrong" in stop.value.hint
    assert "--password-file" in stop.value.hint
    assert "not-the-password" not in repr(stop.value) + str(stop.value.hint)


def test_missing_password_is_named_with_the_option_that_gives_it(poor_user):
    zone, _ = poor_user

    with pytest.raises(StopZone, match="Access denied") as stop:
        MysqlLog(replace(zone, password=None)).check()

    assert "--password-file PATH" in stop.value.hint


def test_missing_database_stops_the_zone(cell):
    gone = MariaDBDatabase(server=cell.server, name="no_such_database")

    with pytest.raises(StopZone, match="Unknown database"):
        a_log(gone).check()


def test_server_that_does_not_answer_is_tried_again(cell):
    with TcpProxy(cell.port) as proxy:
        port = proxy.port

    with pytest.raises(Retry):
        a_log(cell, port=port).check()


@pytest.mark.parametrize(
    ("variable", "wrong", "hint"),
    [
        ("binlog_format", "MIXED", "SET GLOBAL binlog_format=ROW"),
        ("binlog_row_image", "MINIMAL", "SET GLOBAL binlog_row_image=FULL"),
        ("binlog_row_image", "NOBLOB", "SET GLOBAL binlog_row_image=FULL"),
    ],
)
def test_wrong_setting_is_named_with_the_sql_that_mends_it(cell, variable, wrong, hint):
    with (
        setting(cell, **{variable: wrong}),
        pytest.raises(StopZone, match=f"{variable} is '{wrong}'") as stop,
    ):
        a_log(cell).check()

    assert hint in stop.value.hint


def test_server_without_a_log_is_refused(own_mariadb):
    server = own_mariadb(settings={"log_bin": "-", "log_slave_updates": "-"})
    cell = make_cell(create_mariadb_database(server, "nova_cell1"))

    with pytest.raises(StopZone, match="log_bin is 'OFF'") as stop:
        a_log(cell).check()

    assert "log_bin" in stop.value.hint


@pytest.mark.parametrize(
    ("ddl", "told", "hint"),
    [
        ("DROP TABLE tags", "no table tags", "GRANT SELECT"),
        ("ALTER TABLE instances CHANGE vm_state other INT", "no column vm_state", "SHOW CREATE TABLE"),
        ("ALTER TABLE tags ENGINE=MyISAM", "kept by MyISAM", "ENGINE=InnoDB"),
        (
            "ALTER TABLE tags CONVERT TO CHARACTER SET ucs2",
            "charset ucs2",
            "CONVERT TO CHARACTER SET utf8mb4",
        ),
        (
            "ALTER TABLE instance_extra ADD FOREIGN KEY again (instance_uuid) REFERENCES instances (uuid)"
            " ON DELETE CASCADE",
            "without logging them",
            "DROP FOREIGN KEY",
        ),
    ],
)
def test_table_that_cannot_be_read_is_named(cell, ddl, told, hint):
    cell.execute(ddl)

    with pytest.raises(StopZone, match=told) as stop:
        a_log(cell).check()

    assert hint in stop.value.hint


def test_log_without_column_names_is_a_warning(cell, caplog):
    with setting(cell, binlog_row_metadata="NO_LOG"):
        a_log(cell).check()

    assert "does not name columns" in caplog.text


def test_unknown_option_of_the_url_is_refused(cell):
    log = MysqlLog(a_zone(cell, url=cell.source_url(sslmode="require")))

    with pytest.raises(Refuse, match="'sslmode'") as refused:
        log.check()

    assert "ssl_ca" in refused.value.hint


def test_tls_without_a_server_that_has_it_stops_the_zone(cell):
    log = MysqlLog(a_zone(cell, url=cell.source_url(ssl_verify="on")))

    with pytest.raises(StopZone) as stop:
        log.check()

    assert "ssl_ca" in stop.value.hint


def test_rows_connect_again_after_the_connection_broke(cell):
    add_server(cell, "s")
    rows = some_rows(cell)
    before = rows.read_range(after=0, rows=5)
    for (number,) in cell.execute(
        "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()", (cell.name,)
    ):
        cell.execute("KILL %s", (number,))

    with pytest.raises(Retry):
        rows.read_range(after=0, rows=5)

    assert rows.read_range(after=0, rows=5).rows == before.rows
    rows.close()
