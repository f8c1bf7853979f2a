# SPDX-License-Identifier: Apache-2.0
"""What `information_schema` of a MariaDB or MySQL zone says: columns of a table, charsets of collations.

For logs that do not name columns (`binlog_row_metadata` NO_LOG), and for the check before a zone is read.
"""

import re
from collections.abc import Mapping
from typing import Final

from treetop.capture import binlog_columns as wire
from treetop.capture.binlog_tablemap import DescribedColumn
from treetop.capture.mysql_session import Session, connect
from treetop.errors import StopZone
from treetop.model.zone import Zone

#: SQL type -> the binlog types it is logged as.
_TYPES: Final[Mapping[str, frozenset[int]]] = {
    name: frozenset(types)
    for name, types in {
        "tinyint": {wire.TINY},
        "smallint": {wire.SHORT},
        "mediumint": {wire.INT24},
        "int": {wire.LONG},
        "bigint": {wire.LONGLONG},
        "float": {wire.FLOAT},
        "double": {wire.DOUBLE},
        "decimal": {wire.NEWDECIMAL},
        "year": {wire.YEAR},
        "bit": {wire.BIT},
        "date": {wire.DATE, wire.NEWDATE},
        "time": {wire.TIME, wire.TIME2},
        "datetime": {wire.DATETIME, wire.DATETIME2},
        "timestamp": {wire.TIMESTAMP, wire.TIMESTAMP2},
        "char": {wire.STRING},
        "binary": {wire.STRING},
        "uuid": {wire.STRING},
        "inet4": {wire.STRING},
        "inet6": {wire.STRING},
        "varchar": {wire.VARCHAR, wire.VAR_STRING, wire.VARCHAR_COMPRESSED},
        "varbinary": {wire.VARCHAR, wire.VAR_STRING, wire.VARCHAR_COMPRESSED},
        "enum": {wire.ENUM},
        "set": {wire.SET},
        "json": {wire.JSON, wire.BLOB},
        "vector": {wire.VECTOR},
    }.items()
}
_BLOBS = frozenset({wire.BLOB, wire.BLOB_COMPRESSED})
_LABEL = re.compile(r"'((?:[^']|'')*)'")


def describe_table(zone: Zone, table: str) -> tuple[DescribedColumn, ...]:
    """Read the table's columns in order over a connection of its own; empty when there is no such table."""
    session = connect(zone, purpose="treetop describe")
    try:
        return describe(session, table)
    finally:
        session.close()


def describe(session: Session, table: str) -> tuple[DescribedColumn, ...]:
    """Read the table's columns in order; empty when there is no such table or it may not be seen."""
    rows = session.query(
        """
        SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, CHARACTER_OCTET_LENGTH
        FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s
        ORDER BY ORDINAL_POSITION
        """,
        session.zone.url.database,
        table,
    )
    return tuple(_described(table, *row) for row in rows)


def _described(
    table: str, name: str, data_type: str, column_type: str, charset: str | None, octets: int | None
) -> DescribedColumn:
    types = _TYPES.get(data_type)
    if types is None:
        is_blob = data_type.endswith(("text", "blob"))
        types = _BLOBS if is_blob else frozenset({wire.GEOMETRY})
    labels = None
    if data_type in ("enum", "set"):
        labels = tuple(label.replace("''", "'") for label in _LABEL.findall(column_type))
    return DescribedColumn(
        name=name,
        types=types,
        unsigned="unsigned" in column_type,
        charset=charset,
        labels=labels,
        octets=octets if data_type in ("varchar", "varbinary") else None,
    )


def charsets(session: Session) -> dict[int, str]:
    """Read which charset each collation number belongs to."""
    for source in ("COLLATION_CHARACTER_SET_APPLICABILITY", "COLLATIONS"):  # the first knows MariaDB's newest
        try:
            rows = session.query(
                f"SELECT ID, CHARACTER_SET_NAME FROM information_schema.{source} WHERE ID IS NOT NULL"  # noqa: S608
            )
        except StopZone:  # no ID there: MySQL, and MariaDB before 10.10
            continue
        return {int(number): name for number, name in rows}
    raise StopZone(
        "the server does not say what collations it has", hint="GRANT SELECT on the zone's database"
    )
