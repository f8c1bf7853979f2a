# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a zone is said at the top: state, what it is about, what to type; nothing is lost by it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.servers import create_mariadb_database, create_postgres_database, wait_until
from tests.sync.running import LIVE, PATIENCE_SECONDS, Cell, Top
from treetop.demo.mariadb import PrivateMariaDB
from treetop.model.zone import Engine, PasswordReference, SourceUrl, ZoneState
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.zones import ZoneReport

SECRET = "n0t-for-anybody's-eyes"
ROLE = "reader"
WAITING, STOPPED = ZoneState.WAITING, ZoneState.STOPPED


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something wrong.

    breaks: statements for the zone, by its administrator. said: in the reason. hinted: in the hint.
    """

    engine: Engine
    state: ZoneState
    said: str
    hinted: str
    breaks: tuple[str, ...] = ()
    url: Callable[[SourceUrl], SourceUrl] = lambda url: url
    password: str | None = None


MARIADB, POSTGRESQL = Engine.MARIADB, Engine.POSTGRESQL
MARIADB_ROLE = (
    f"CREATE OR REPLACE USER {ROLE}@'127.0.0.1' IDENTIFIED BY '{SECRET.replace(chr(39), chr(39) * 2)}'",
)
POSTGRES_ROLE = (
    f"DROP ROLE IF EXISTS {ROLE}",
    f"CREATE ROLE {ROLE} LOGIN PASSWORD '{SECRET.replace(chr(39), chr(39) * 2)}'",
)


def as_role(url: SourceUrl) -> SourceUrl:
    return replace(url, user=ROLE)


def nowhere(url: SourceUrl) -> SourceUrl:
    return replace(url, port=9)


def to_nothing(url: SourceUrl) -> SourceUrl:
    return replace(url, database="nothing_here")


CASES = {
    "unreachable MariaDB": Case(
        engine=MARIADB, state=WAITING, said="127.0.0.1", hinted="127.0.0.1:9", url=nowhere
    ),
    "unreachable PostgreSQL": Case(
        engine=POSTGRESQL, state=WAITING, said="127.0.0.1", hinted="127.0.0.1:9", url=nowhere
    ),
    "wrong password of MariaDB": Case(
        engine=MARIADB, state=STOPPED, said="Access denied", hinted="password", password="wrong-" + SECRET
    ),
    "wrong password of PostgreSQL": Case(
        engine=POSTGRESQL,
        state=STOPPED,
        said="password authentication failed",
        hinted="password",
        password="wrong-" + SECRET,
    ),
    "no such database in MariaDB": Case(
        engine=MARIADB, state=STOPPED, said="nothing_here", hinted="SHOW DATABASES", url=to_nothing
    ),
    "no such database in PostgreSQL": Case(
        engine=POSTGRESQL, state=STOPPED, said="nothing_here", hinted="database", url=to_nothing
    ),
    "no rights on MariaDB": Case(
        engine=MARIADB,
        state=STOPPED,
        said=ROLE,
        hinted="GRANT",
        breaks=MARIADB_ROLE,
        url=as_role,
        password=SECRET,
    ),
    "no rights on PostgreSQL": Case(
        engine=POSTGRESQL,
        state=STOPPED,
        said="may not replicate",
        hinted=f'ALTER ROLE "{ROLE}" REPLICATION',
        breaks=POSTGRES_ROLE,
        url=as_role,
        password=SECRET,
    ),
    "no table in MariaDB": Case(
        engine=MARIADB,
        state=STOPPED,
        said="tags",
        hinted="Nova",
        breaks=("DROP TABLE tags",),
    ),
    "no table in PostgreSQL": Case(
        engine=POSTGRESQL,
        state=STOPPED,
        said="tags",
        hinted="",
        breaks=("DROP TABLE tags",),
    ),
    "no column in MariaDB": Case(
        engine=MARIADB,
        state=STOPPED,
        said="instances has no column host",
        hinted="SHOW CREATE TABLE",
        breaks=("ALTER TABLE instances RENAME COLUMN host TO hst",),
    ),
    "no column in PostgreSQL": Case(
        engine=POSTGRESQL,
        state=STOPPED,
        said="host",
        hinted="",
        breaks=("ALTER TABLE instances RENAME COLUMN host TO hst",),
    ),
    "unknown option in a URL": Case(
        engine=POSTGRESQL,
        state=STOPPED,
        said="unknown option 'sslmod'",
        hinted="sslmode",
        url=lambda url: replace(url, options={"sslmod": "require"}),
    ),
    "unknown charset": Case(
        engine=MARIADB,
        state=STOPPED,
        said="instances.display_name",
        hinted="utf8mb4",
        breaks=("ALTER TABLE instances MODIFY display_name VARCHAR(255) CHARACTER SET big5",),
    ),
}


def require_said(top: Top, report: ZoneReport, log: str, *, said: str, hinted: str) -> None:
    assert said in (report.reason or ""), report.reason
    assert hinted in (report.hint or ""), report.hint
    assert report.hint
    assert report.retry_at
    listed = top.command("zone", "list").stdout + top.command("zone", "show", str(report.zone.name)).stdout
    for text in (report.reason or "", report.hint, log, listed):
        assert SECRET not in text
        assert "Traceback" not in text


@pytest.mark.parametrize("name", CASES)
def test_a_bad_zone_says_what_is_wrong_and_what_to_type(
    name: str, top: Top, request: pytest.FixtureRequest
) -> None:
    case = CASES[name]
    cell: Cell = request.getfixturevalue("mariadb_cell" if case.engine is MARIADB else "postgres_cell")
    cell.fill(0)
    for statement in case.breaks:
        cell.execute(statement)
    password = None
    if case.password is not None:
        (top.folder / "password").write_text(case.password + "\n")
        password = PasswordReference(kind="file", name=str(top.folder / "password"))
    top.add("bad", cell, url=case.url(cell.database.source_url()), password=password)

    with top.worker("bad") as worker:
        report = top.wait_for_state("bad", case.state)

        require_said(top, report, worker.log, said=case.said, hinted=case.hinted)
        assert worker.process.poll() is None


def test_a_missing_password_file_is_named(top: Top, mariadb_cell: Cell) -> None:
    gone = top.folder / "gone.password"
    top.add("bad", mariadb_cell.fill(0), password=PasswordReference(kind="file", name=str(gone)))

    with top.worker("bad") as worker:
        report = top.wait_for_state("bad", STOPPED)

        require_said(top, report, worker.log, said=str(gone), hinted="ls -l")


@pytest.mark.parametrize(
    ("settings", "said", "hinted"),
    [
        ({"skip-log-bin": "", "log_bin": "-"}, "log_bin", "log_bin"),
        ({"binlog_format": "STATEMENT"}, "binlog_format", "SET GLOBAL binlog_format=ROW"),
        ({"binlog_row_image": "MINIMAL"}, "binlog_row_image", "SET GLOBAL binlog_row_image=FULL"),
    ],
    ids=["off", "statements", "minimal"],
)
def test_a_mariadb_whose_log_is_not_row_by_row_is_stopped(
    top: Top,
    own_mariadb: Callable[..., PrivateMariaDB],
    tmp_path: Path,
    settings: dict[str, str],
    said: str,
    hinted: str,
) -> None:
    cell = Cell(database=create_mariadb_database(own_mariadb(settings), "nova"), folder=tmp_path).fill(0)
    top.add("bad", cell)

    with top.worker("bad") as worker:
        report = top.wait_for_state("bad", STOPPED)

        require_said(top, report, worker.log, said=said, hinted=hinted)


def test_a_postgresql_without_a_logical_log_is_stopped(
    top: Top, own_postgres: Callable[..., EmbeddedPostgres], tmp_path: Path
) -> None:
    server = own_postgres({"wal_level": "replica"})
    cell = Cell(database=create_postgres_database(server, "nova"), folder=tmp_path).fill(0)
    top.add("bad", cell)

    with top.worker("bad") as worker:
        report = top.wait_for_state("bad", STOPPED)

        require_said(
            top, report, worker.log, said="wal_level", hinted="ALTER SYSTEM SET wal_level = 'logical'"
        )


def test_a_publication_that_was_dropped_stops_the_zone_with_the_sql_to_mend_it(
    top: Top, postgres_cell: Cell
) -> None:
    cell = postgres_cell
    top.add("west", cell.fill(5))
    with top.worker("west", stopped_retry_seconds="1") as worker:
        top.wait_for_state("west", LIVE)
        cell.execute("DROP PUBLICATION treetop")
        cell.mark("not in any publication")

        report = top.wait_for_state("west", STOPPED)

        require_said(top, report, worker.log, said="publication", hinted="")
        assert top.command("zone", "resync", "west").returncode == 0  # our role may make it anew by itself
        top.wait_for_mark("west", "not in any publication")
        top.wait_until_applied("west")
        top.require_equal("west")


def test_a_character_that_postgresql_cannot_hold_is_replaced(top: Top, mariadb_cell: Cell) -> None:
    cell = mariadb_cell
    top.add("west", cell.fill(3))
    with top.worker("west"):
        top.wait_for_state("west", LIVE)
        cell.execute("UPDATE instances SET display_name = concat('a', char(0), 'b') WHERE id = 1")
        cell.execute(
            "UPDATE instance_system_metadata SET value = concat('c', char(0)) WHERE `key` = 'image_os_distro'"
        )

        top.wait_for_mark("west", "a\ufffdb")
        top.wait_until_applied("west")
        top.require_equal("west")
        assert top.report("west").state is LIVE


def test_a_top_that_is_down_is_waited_for_and_named_in_the_log(
    own_postgres: Callable[..., EmbeddedPostgres], mariadb_cell: Cell, tmp_path: Path
) -> None:
    server = own_postgres()
    top = Top(dsn=server.conninfo("postgres"), folder=tmp_path).prepare()
    top.add("west", mariadb_cell.fill(3))
    server.stop()
    try:
        command = top.command("zone", "list")
        with top.supervisor() as supervisor:
            status = supervisor.process.wait(timeout=20)
    finally:
        server.start()

    assert (command.returncode, status) == (1, 1)
    for said in (command.stderr, supervisor.log):
        assert "the top's PostgreSQL does not answer" in said
        assert "Try: " in said
        assert "Traceback" not in said
    with top.worker("west"):
        wait_until("it goes on", lambda: top.report("west").state is LIVE, PATIENCE_SECONDS)
