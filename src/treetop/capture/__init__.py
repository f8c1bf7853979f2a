# SPDX-License-Identifier: Apache-2.0
"""Reading zones: log events and chunks of rows of MariaDB, MySQL and PostgreSQL, as `model.change` values.

`open_log` and `open_rows` are the only places where a zone's engine becomes a class. Neither connects: the
first use does. The drivers are imported only when a zone needs them.
"""

from dataclasses import replace

from treetop.capture.source import LogSource, RowSource
from treetop.model.zone import Engine, Zone


def open_log(zone: Zone, *, slot_suffix: str = "") -> LogSource:
    """Return the zone's log.

    slot_suffix: tells the replication slots of two tops that read one PostgreSQL zone apart; MariaDB and
    MySQL keep nothing for a reader and do not need it.
    """
    if zone.url.engine is Engine.POSTGRESQL:
        from treetop.capture.postgres import PostgresLog  # noqa: PLC0415  # only who needs the driver loads it
        from treetop.capture.postgres_session import SLOT_SUFFIX  # noqa: PLC0415

        if slot_suffix:
            options = {**zone.url.options, SLOT_SUFFIX: slot_suffix}
            zone = replace(zone, url=replace(zone.url, options=options))
        return PostgresLog(zone)
    from treetop.capture.mysql import MysqlLog  # noqa: PLC0415

    return MysqlLog(zone)


def what_is_left(zone: Zone, *, slot_suffix: str = "") -> str | None:
    """SQL that removes by hand what `LogSource.forget` could not; None: nothing of ours can be in that zone."""
    if zone.url.engine is not Engine.POSTGRESQL:
        return None
    from treetop.capture.postgres_slot import slot_name  # noqa: PLC0415

    return f"SELECT pg_drop_replication_slot('{slot_name(zone.name, slot_suffix)}');"


def open_rows(zone: Zone) -> RowSource:
    """Return the zone's rows, to be read in chunks at exact positions."""
    if zone.url.engine is Engine.POSTGRESQL:
        from treetop.capture.postgres_rows import PostgresRows  # noqa: PLC0415

        return PostgresRows(zone)
    from treetop.capture.mysql_rows import MysqlRows  # noqa: PLC0415

    return MysqlRows(zone)
