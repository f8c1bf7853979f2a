# SPDX-License-Identifier: Apache-2.0
"""A MariaDB whose log lost what was read, and gives the same GTIDs again to other transactions."""

import shutil

import pytest

from tests.capture.mariadb_zone import (
    a_log,
    add_server,
    changes_of,
    follow,
    make_cell,
    started,
    value,
)
from tests.servers import create_mariadb_database, wait_until
from treetop.capture.gtid import MariadbGtidSet
from treetop.capture.log_place import LogPlace
from treetop.errors import Resnapshot
from treetop.model.change import Heartbeat, Position

READ = 13


@pytest.fixture
def server(own_mariadb):
    return own_mariadb()


@pytest.fixture
def cell(server):
    return make_cell(create_mariadb_database(server, "nova_cell1"))


def add_servers(cell, prefix, number):
    for index in range(number):
        add_server(cell, f"{prefix}{index:02}")


def read_all(cell):
    """Follow a fresh stream over a few transactions; return the position behind them."""
    _, events = started(cell)
    add_servers(cell, "s", READ)
    position = follow(cell, events)[-1].position
    events.close()
    assert LogPlace.of_position(position) is not None
    return position


def require_resumed(cell, position, uuid="after"):
    """Read on from a position: what is written from now on comes, and only that."""
    events = a_log(cell).stream(position)
    add_server(cell, uuid)
    found = changes_of(follow(cell, events))
    assert [value("instances", c.row, "uuid") for c in found if c.table == "instances"] == [uuid]
    events.close()


def require_lost(cell, position, match):
    with pytest.raises(Resnapshot, match=match) as lost:
        next(a_log(cell).stream(position))
    assert "sync_binlog=1" in lost.value.hint
    follow(cell, a_log(cell).stream(a_log(cell).begin()))  # a new load finds its way


@pytest.mark.parametrize(
    ("again", "told"),
    [(READ - 5, "nothing is there"), (READ, "another transaction"), (READ + 2, "another transaction")],
)
@pytest.mark.parametrize("is_read", [True, False])
def test_reset_log_with_equally_large_transactions_is_noticed(cell, is_read, again, told):
    """The new log gives the same numbers at the same offsets."""
    cell.execute("RESET MASTER")
    _, events = started(cell)
    add_servers(cell, "s", READ)
    read = [next(events) for _ in range(READ)] if is_read else []
    position = read[-1].position if is_read else a_log(cell).begin()
    events.close()

    cell.execute("RESET MASTER")
    add_servers(cell, "t", again)

    assert position.startswith(f"0-1-{READ} at binlog.000001:")
    require_lost(cell, position, told)


def test_reset_log_that_has_not_come_to_our_file_again_is_noticed(cell):
    cell.execute("FLUSH BINARY LOGS")
    position = read_all(cell)

    cell.execute("RESET MASTER")
    add_servers(cell, "t", 80)

    require_lost(cell, position, "newest file is binlog.000001")


def test_reset_under_a_waiting_stream_is_noticed_at_its_next_opening(cell):
    position = read_all(cell)
    log = a_log(cell)
    events = log.stream(position)
    next(events)

    cell.execute("RESET MASTER")
    add_servers(cell, "t", READ + 40)
    with pytest.raises(Exception, match="ended the log stream"):
        for _ in events:
            pass

    require_lost(cell, position, "log was reset")


def test_tail_lost_in_a_crash_is_noticed_once_its_numbers_are_passed(cell, server):
    add_servers(cell, "kept", 3)
    ((_, kept, *_),) = cell.execute("SHOW MASTER STATUS")
    position = read_all(cell)
    _, read = MariadbGtidSet.parse(position).last[0]

    server.kill()
    with (server.folder / "data" / "binlog.000001").open("r+b") as log_file:
        log_file.truncate(kept)
    server.start()
    add_servers(cell, "t", READ + 5)

    ((text,),) = cell.execute("SELECT @@GLOBAL.gtid_binlog_pos")
    assert MariadbGtidSet.parse(text).contains((0, read))
    require_lost(cell, position, "nothing is there")


def test_older_backup_is_noticed_once_its_numbers_are_passed(cell, server):
    data, backup = server.folder / "data", server.folder / "backup"
    server.stop()
    shutil.copytree(data, backup)
    server.start()
    position = read_all(cell)

    server.stop()
    shutil.rmtree(data)
    backup.rename(data)
    server.start()
    add_servers(cell, "another", READ + 5)

    assert LogPlace.of_position(position).file == "binlog.000002"
    require_lost(cell, position, "log was reset")


def test_restart_crash_and_rotation_lose_nothing(cell, server):
    position = at_end(cell, read_all(cell))

    for number, change in enumerate((server.stop, server.kill, lambda: cell.execute("FLUSH BINARY LOGS"))):
        events = a_log(cell).stream(position)
        add_server(cell, f"s{number}")
        found = follow(cell, events)
        events.close()
        change()
        server.start()
        require_resumed(cell, at_end(cell, found[-1].position), f"after {number}")
        position = at_end(cell, found[-1].position)


def at_end(cell, position):
    """Read on to the log's end, and return the position of the heartbeat there."""
    ((end,),) = cell.execute("SELECT @@GLOBAL.gtid_binlog_pos")
    for event in a_log(cell).stream(position):
        reached = MariadbGtidSet.parse(event.position)
        if isinstance(event, Heartbeat) and reached.covers(MariadbGtidSet.parse(end)):
            return event.position
    raise AssertionError("the stream ended")


def test_purged_file_of_the_last_transaction_is_no_loss(cell):
    position = at_end(cell, read_all(cell))
    cell.execute("FLUSH BINARY LOGS")
    wait_until("the old file is purged", lambda: purge_to(cell, "binlog.000002"))

    require_resumed(cell, position)


def purge_to(cell, name):
    cell.execute("PURGE BINARY LOGS TO %s", (name,))
    return cell.execute("SHOW BINARY LOGS")[0][0] == name


def test_second_domain_is_no_loss(cell):
    position = read_all(cell)
    with cell.connect() as connection, connection.cursor() as cursor:
        for domain in (7, 3):
            cursor.execute("SET SESSION gtid_domain_id = %s", (domain,))
            cursor.execute("INSERT INTO tags VALUES ('s', UUID())")
    position = at_end(cell, position)

    assert set(MariadbGtidSet.parse(position).last) == {0, 3, 7}
    require_resumed(cell, position)


def test_statement_as_the_last_transaction_is_no_loss(cell):
    position = read_all(cell)
    cell.execute("CREATE TABLE other (id INT)")

    require_resumed(cell, at_end(cell, position))


def test_new_position_stands_at_the_last_transaction(cell):
    add_server(cell, "s")

    position, events = started(cell)

    assert LogPlace.of_position(position) is not None
    assert next(events).position == position
    assert position == at_end(cell, position)


def test_new_position_behind_a_statement_has_no_place(cell):
    cell.execute("CREATE TABLE other (id INT)")

    assert LogPlace.of_position(a_log(cell).begin()) is None


def test_position_of_an_older_version_is_followed_by_its_gtids(cell):
    position = at_end(cell, read_all(cell))

    require_resumed(cell, Position(position.partition(" at ")[0]))


def test_place_on_another_server_proves_nothing(cell):
    position = at_end(cell, read_all(cell))
    gtids, _, place = position.partition(" at ")
    file, offset, _, fingerprint = place.split(":")

    require_resumed(cell, Position(f"{gtids} at {file}:{int(offset) - 1}:2:{fingerprint}"))
    require_lost(cell, Position(f"{gtids} at {file}:{int(offset) - 1}:1:{fingerprint}"), "no longer holds")


def test_file_of_another_name_proves_nothing(cell):
    position = at_end(cell, read_all(cell))

    require_resumed(cell, Position(position.replace("binlog.000001", "mysql-bin.000009")))
