# SPDX-License-Identifier: Apache-2.0
"""One SELECT on a zone's database, whichever engine it is, over a connection of its own that only reads.

For what a person asks now; rows that are kept come through `open_log` and `open_rows`. Raises `Retry`, `StopZone`
and `Refuse` as the sessions do.
"""

from contextlib import closing
from typing import Any

import psycopg

from treetop.errors import StopZone
from treetop.model.zone import Engine, Zone

PURPOSE = "treetop command"


def query_zone(zone: Zone, sql: str, *, hint: str) -> list[tuple[Any, ...]]:
    """Return the rows (Any: whatever the columns hold).

    sql: without parameters, the same text on every engine. hint: what to do where it may not be read.
    """
    query = _query_postgres if zone.url.engine is Engine.POSTGRESQL else _query_mysql
    return query(zone, sql, hint)


def _query_postgres(zone: Zone, sql: str, hint: str) -> list[tuple[Any, ...]]:
    from treetop.capture import postgres_session  # noqa: PLC0415  # only who needs the driver loads it

    with postgres_session.connect(zone, purpose=PURPOSE) as conn:
        try:
            conn.execute("SET default_transaction_read_only = on")
            return conn.execute(sql.encode()).fetchall()
        except psycopg.Error as error:
            failure = postgres_session.failure(zone, "reading Nova's tables", error)
            raise StopZone(str(failure), hint=hint) if isinstance(failure, StopZone) else failure from error


def _query_mysql(zone: Zone, sql: str, hint: str) -> list[tuple[Any, ...]]:
    from treetop.capture import mysql_session  # noqa: PLC0415

    with closing(mysql_session.connect(zone, purpose=PURPOSE)) as session:
        try:
            session.query("SET SESSION TRANSACTION READ ONLY")
            return session.query(sql)
        except StopZone as error:
            raise StopZone(str(error), hint=hint) from error
