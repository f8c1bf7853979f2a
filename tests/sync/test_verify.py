# SPDX-License-Identifier: Apache-2.0
"""`treetop zone verify`: what it finds, says and mends, beside a running worker and without one."""

from concurrent.futures import ThreadPoolExecutor

from tests.servers import wait_until
from tests.sync.running import LIVE, Cell, Top, Work

ADDED = "00000000-0000-4000-8000-000000000001"


def spoil(top: Top) -> tuple[str, str]:
    """Change one server at the top, remove one, add one; return the uuids of the first two."""
    changed, removed = (
        str(uuid) for (uuid,) in top.execute("SELECT uuid FROM server ORDER BY source_id LIMIT 2")
    )
    top.execute(
        "UPDATE server SET display_name = 'wrong', tags = '{\"odd\": true}' WHERE uuid = %s", (changed,)
    )
    top.execute("DELETE FROM server WHERE uuid = %s", (removed,))
    top.execute(
        "INSERT INTO server (zone_id, uuid, source_id, deleted) SELECT id, %s, 1000000, false FROM zone",
        (ADDED,),
    )
    return changed, removed


def test_differences_are_listed_with_their_columns_and_mended(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(30))
    with top.worker("west"):
        top.wait_for_state("west", LIVE)
        equal = top.command("zone", "verify", "west")
        rows = top.all_rows("west")
        changed, removed = spoil(top)

        found = top.command("zone", "verify", "west")
        repaired = top.command("zone", "verify", "west", "--repair")
        again = top.command("zone", "verify", "west")

    assert (equal.returncode, equal.stdout) == (0, f"{rows} rows compared, 0 differences\n")
    assert rows > 30  # servers, and what is mirrored
    lines = found.stdout.splitlines()
    assert found.returncode == 1
    assert lines[-1] == f"{rows} rows compared, 3 differences"
    assert f"missing   {removed}" in lines
    assert f"extra     {ADDED}" in lines
    place = lines.index(f"different {changed}")
    assert [line.split(":")[0].strip() for line in lines[place + 1 : place + 3]] == ["display_name", "tags"]
    assert "top 'wrong', zone " in lines[place + 1]
    assert (repaired.returncode, again.returncode) == (0, 0)
    assert again.stdout == f"{rows} rows compared, 0 differences\n"


def test_a_busy_zone_has_no_false_differences(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(200))
    with top.worker("west", chunk_servers="20"), Work(cell=cell):
        top.wait_for_state("west", LIVE)

        results = [top.verify("west") for _ in range(5)]

        assert [result.differences for result in results] == [0] * 5, [each.examples for each in results]
        assert min(result.rows for result in results) > 100


def test_a_difference_in_a_busy_zone_is_found_and_mended(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(100))
    with top.worker("west"), Work(cell=cell):
        top.wait_for_state("west", LIVE)
        spoil(top)

        repair, after = top.verify("west", repair=True), top.verify("west")

    assert 2 <= repair.differences <= 3  # Nova's own work may have mended the changed one
    assert after.differences == 0, after.examples


def test_a_server_that_changes_without_pause_is_compared_too(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(10))
    with top.worker("west"), ThreadPoolExecutor() as pool:
        top.wait_for_state("west", LIVE)
        stop = [False]

        def hammer() -> int:
            with cell.open() as zone:
                count = 0
                while not stop[0]:
                    with zone.transaction():
                        zone.update("instances", {"display_name": f"name {count}"}, id=3)
                    count += 1
            return count

        hammering = pool.submit(hammer)
        try:
            results = [top.verify("west", seconds=30) for _ in range(2)]
        finally:
            stop[0] = True
        assert [(each.rows, each.differences) for each in results] == [(top.all_rows("west"), 0)] * 2
        assert hammering.result() > 100


def test_without_a_worker_the_command_is_the_worker(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(30))

    first = top.command("zone", "verify", "west")
    rows = top.all_rows("west")
    spoil(top)
    second = top.command("zone", "verify", "west")

    assert (first.returncode, first.stdout) == (0, f"{rows} rows compared, 0 differences\n")
    assert (second.returncode, second.stdout.splitlines()[-1]) == (1, f"{rows} rows compared, 3 differences")
    assert top.execute("SELECT owner FROM zone_position") == [(None,)]


def test_a_zone_that_cannot_be_read_says_so_at_once(top: Top, cell: Cell) -> None:
    top.add("west", cell)  # no tables in it

    result = top.command("zone", "verify", "west", "--timeout", "60")

    assert result.returncode == 1
    assert "zone west is stopped" in result.stderr
    assert "instances" in result.stderr
    assert "Try: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_verification_that_a_worker_left_is_done_by_the_next(top: Top, cell: Cell) -> None:
    top.add("west", cell.fill(300))
    worker = top.worker("west", chunk_servers="1")
    top.wait_for_state("west", LIVE)
    with ThreadPoolExecutor() as pool:
        result = pool.submit(top.verify, "west")
        progress = "SELECT count(*) FROM zone_verification WHERE finished_at IS NULL"
        wait_until("it is asked for", lambda: top.execute(progress) == [(1,)])
        wait_until("it runs", lambda: "verify begins" in worker.log)

        worker.kill()
        with top.worker("west"):
            assert (result.result().rows, result.result().differences) == (top.all_rows("west"), 0)
