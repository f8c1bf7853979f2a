# SPDX-License-Identifier: Apache-2.0
"""Look whether a MariaDB or MySQL zone can be read; say of each thing that is missing how to mend it.

In: a session. Out: `SourceFacts`, or one `StopZone` that names every missing requirement with the SQL or
option for it. What makes reading worse but not wrong (metadata, Galera) is logged as a warning.

Needed rights, found by trying on MariaDB 10.11: SELECT on the database and REPLICATION SLAVE; the chunks'
`binlog_snapshot_*` and BINLOG_GTID_POS need no more. MySQL (not tried): BACKUP_ADMIN besides.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from treetop.capture.binlog_columns import LATIN1, UTF8_CHARSETS
from treetop.capture.mysql_describe import describe
from treetop.capture.mysql_session import Session
from treetop.capture.source import SourceFacts
from treetop.errors import StopZone
from treetop.model.zone import ZoneKind
from treetop.nova.table import Kind, Table
from treetop.nova.watched import DATABASE_NAMES, watched_tables

log = logging.getLogger(__name__)

OLDEST_MARIADB: Final = (10, 4)
OLDEST_MYSQL: Final = (8, 0, 11)

#: Variable -> its value and what sets it, for both servers.
_SETTINGS: Final = {
    "log_bin": ("1", "start the server with log_bin and server_id=1 in its configuration"),
    "binlog_format": ("ROW", "SET GLOBAL binlog_format=ROW, and binlog_format=ROW in its configuration"),
    "binlog_row_image": ("FULL", "SET GLOBAL binlog_row_image=FULL, and the same in its configuration"),
}
_MYSQL_SETTINGS: Final = {
    "gtid_mode": ("ON", "turn on GTID mode: gtid_mode=ON and enforce_gtid_consistency=ON"),
    "binlog_row_value_options": ("", "SET GLOBAL binlog_row_value_options=''"),
    "binlog_transaction_compression": ("0", "SET GLOBAL binlog_transaction_compression=OFF"),
}

Problem = tuple[str, str]  # what is missing, how to mend it


def check(session: Session, *, may_replicate: bool) -> SourceFacts:
    """Return what was found; raise `StopZone` naming everything that is missing.

    may_replicate: whether the server took this user for a replica (asked apart, by the protocol).
    """
    problems = [*_version_problems(session), *_setting_problems(session)]
    user = _account(session)
    if not may_replicate:
        problems.append(
            (f"{user} may not read the log", f"GRANT REPLICATION SLAVE ON *.* TO {user}"),
        )
    for table in _watched(session).values():
        problems += _table_problems(session, table)
    problems += _cascade_problems(session)
    if not session.is_mariadb:
        problems += _mysql_problems(session)
    if problems:
        hints = dict.fromkeys(hint for _, hint in problems)  # each once, in order
        raise StopZone(
            f"zone {session.zone.name} cannot be read: {'; '.join(what for what, _ in problems)}",
            hint="; ".join(hints),
        )
    _warn(session)
    return SourceFacts(
        version=session.version,
        identity=_identity(session),
        clock_offset_seconds=session.clock_offset_seconds,
        servers=_servers(session),
    )


def _watched(session: Session) -> Mapping[str, Table]:
    return watched_tables(session.zone.kind, session.zone.trust)


def _servers(session: Session) -> int:
    if session.zone.kind is not ZoneKind.CELL:
        return 0
    ((servers,),) = session.query(
        "SELECT TABLE_ROWS FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = 'instances'",
        session.zone.url.database,
    )
    return int(servers or 0)


def _identity(session: Session) -> str:
    if session.is_mariadb:
        ((server_id, domain),) = session.query("SELECT @@GLOBAL.server_id, @@GLOBAL.gtid_domain_id")
        return f"mariadb server {server_id} domain {domain}"
    ((uuid,),) = session.query("SELECT @@GLOBAL.server_uuid")
    return f"mysql {uuid}"


def _version_problems(session: Session) -> list[Problem]:
    numbers = tuple(int(number) for number in re.findall(r"\d+", session.version)[:3])
    oldest = OLDEST_MARIADB if session.is_mariadb else OLDEST_MYSQL
    if numbers >= oldest:
        return []
    name = "MariaDB" if session.is_mariadb else "MySQL"
    return [
        (f"the server is {session.version}", f"Treetop reads {name} {'.'.join(map(str, oldest))} or newer")
    ]


def _setting_problems(session: Session) -> list[Problem]:
    wanted = _SETTINGS if session.is_mariadb else _SETTINGS | _MYSQL_SETTINGS
    found = _variables(session, wanted)
    return [
        (f"{name} is {found.get(name, 'unknown')!r}, not {value!r}", hint)
        for name, (value, hint) in wanted.items()
        if _plain(found.get(name)) != value
    ]


def _account(session: Session) -> str:
    """Our account as the server matched it, quoted for a GRANT: 'user'@'host'."""
    ((account,),) = session.query("SELECT CURRENT_USER()")
    user, _, host = str(account).rpartition("@")
    return f"'{user}'@'{host}'"


def _plain(value: object) -> str | None:
    return {"ON": "1", "OFF": "0"}.get(str(value), str(value)) if str(value) != "ON_PERMISSIVE" else None


def _variables(session: Session, names: Any) -> dict[str, Any]:  # Any: a mapping's or a list's names
    listed = ", ".join(f"'{name}'" for name in names)
    return dict(session.query(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({listed})"))


def _table_problems(session: Session, table: Table) -> list[Problem]:
    url = session.zone.url
    grant = f"GRANT SELECT ON `{url.database}`.* TO {_account(session)}"
    columns = {column.name: column for column in describe(session, table.name)}
    if not columns:
        what = f"there is no table {table.name} in {url.database}, or {url.user} may not read it"
        kind = DATABASE_NAMES[session.zone.kind]
        return [(what, f"{grant}; if it has the right, {url.database} is not a {kind}")]
    problems = []
    missing = [column.name for column in table.columns if column.required and column.name not in columns]
    if missing:
        problems.append(
            (
                f"table {table.name} has no column {', '.join(missing)}",
                f"compare with Nova's schema: SHOW CREATE TABLE {url.database}.{table.name}",
            )
        )
    for column in table.columns:
        charset = columns[column.name].charset if column.name in columns else None
        if column.kind is Kind.TEXT and charset not in (*UTF8_CHARSETS, LATIN1, None):
            problems.append(
                (
                    f"{table.name}.{column.name} is stored in charset {charset}, which Treetop cannot decode",
                    f"ALTER TABLE {table.name} CONVERT TO CHARACTER SET utf8mb4",
                )
            )
    return [*problems, *_engine_problems(session, table), *_select_problems(session, table, grant)]


def _engine_problems(session: Session, table: Table) -> list[Problem]:
    rows = session.query(
        "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
        session.zone.url.database,
        table.name,
    )
    if not rows or rows[0][0] in (None, "InnoDB"):
        return []
    return [
        (
            f"table {table.name} is kept by {rows[0][0]}, which has no snapshots",
            f"ALTER TABLE {table.name} ENGINE=InnoDB",
        )
    ]


def _select_problems(session: Session, table: Table, grant: str) -> list[Problem]:
    try:
        session.query(f"SELECT 1 FROM {table.name} LIMIT 0")  # noqa: S608  # one of our own names
    except StopZone:
        return [(f"{session.zone.url.user} may not read {table.name}", grant)]
    return []


def _cascade_problems(session: Session) -> list[Problem]:
    """Rows that InnoDB changes for a foreign key are in no log."""
    rows = session.query(
        """
        SELECT CONSTRAINT_NAME, TABLE_NAME
        FROM information_schema.REFERENTIAL_CONSTRAINTS
        WHERE CONSTRAINT_SCHEMA = %s
          AND (DELETE_RULE IN ('CASCADE', 'SET NULL') OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))
        """,
        session.zone.url.database,
    )
    return [
        (
            f"foreign key {name} of {table} changes rows without logging them",
            f"ALTER TABLE {table} DROP FOREIGN KEY {name}, and add it again without CASCADE or SET NULL",
        )
        for name, table in rows
        if table in _watched(session)
    ]


def _mysql_problems(session: Session) -> list[Problem]:
    try:
        session.query("SELECT LOCAL FROM performance_schema.log_status")
    except StopZone:
        user = f"'{session.zone.url.user}'"
        hint = f"GRANT BACKUP_ADMIN ON *.* TO {user}; GRANT SELECT ON performance_schema.log_status TO {user}"
        return [(f"{user} may not read performance_schema.log_status", hint)]
    return []


def _warn(session: Session) -> None:
    found = _variables(
        session,
        ("binlog_row_metadata", "wsrep_on", "wsrep_gtid_mode", "log_slave_updates", "log_replica_updates"),
    )
    zone = session.zone.name
    if found.get("binlog_row_metadata") != "FULL":
        log.warning(
            "zone's log does not name columns: a renamed column may go unnoticed",
            extra={"zone": zone, "hint": "SET GLOBAL binlog_row_metadata=FULL"},
        )
    if found.get("wsrep_on") == "ON":
        if found.get("log_slave_updates", found.get("log_replica_updates")) != "ON":
            log.warning(
                "Galera node logs only what is written through itself",
                extra={"zone": zone, "hint": "start every node with log_slave_updates=ON"},
            )
        if found.get("wsrep_gtid_mode") != "ON":
            log.warning(
                "Galera nodes number transactions apart: stay on one node, load again after a change",
                extra={"zone": zone, "hint": "wsrep_gtid_mode=ON with one wsrep_gtid_domain_id on all nodes"},
            )
