# SPDX-License-Identifier: Apache-2.0
"""Rows as one JSON parameter, and the part of a statement that reads them: any number of rows, one round trip."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson
from psycopg import sql

#: A statement's text and its parameters.
Statement: TypeAlias = tuple[bytes, dict[str, Any]]


def document(rows: list[dict[str, Any]]) -> str:
    """Return rows as the JSON text that `json_to_recordset` takes."""
    return orjson.dumps(rows).decode()


def recordset(columns: Mapping[str, str]) -> sql.Composed:
    """Return `json_to_recordset(%(rows)s::json) AS x (column type, …)`."""
    typed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()
    )
    return sql.SQL("json_to_recordset(%(rows)s::json) AS x ({})").format(typed)
