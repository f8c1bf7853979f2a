# SPDX-License-Identifier: Apache-2.0
"""The registry of zones in the top: add, list, find, remove. No password is ever in it.

Each function is one commit of its own. A zone's partition of the aggregate table is made and dropped with it.
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import dict_row

from treetop.errors import NotFound, Refuse
from treetop.model.source_url import parse_source_url
from treetop.model.zone import (
    MAX_ZONE_ID,
    PasswordReference,
    SourceUrl,
    Trust,
    Zone,
    ZoneId,
    ZoneKind,
    ZoneName,
    ZoneState,
    parse_password_reference,
    shown_name,
)
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES, MIRRORED_CELL_TABLES, top_table
from treetop.store.leases import revoke
from treetop.store.partition import create_partition, drop_partition
from treetop.store.session import store_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneReport:
    """A zone as a person sees it: what it is, where it stands, how far it has been read.

    position, as_of, lag_seconds: None until the zone was opened. reason, hint: None while nothing is wrong.
    servers: live rows at the top (deleted ones not counted).
    """

    zone: Zone
    state: ZoneState
    since: datetime
    reason: str | None
    hint: str | None
    retry_at: datetime | None
    position: str | None
    as_of: datetime | None
    lag_seconds: float | None
    transactions: int
    changes: int
    loaded_upto: int | None
    is_loaded: bool
    servers: int


def add_zone(
    conn: psycopg.Connection,
    *,
    name: ZoneName,
    region: str,
    trust: Trust,
    url: SourceUrl,
    password: PasswordReference | None,
    kind: ZoneKind = ZoneKind.CELL,
) -> Zone:
    """Register a zone and make its partition, in one commit.

    Raises `Refuse` if the name is taken, the same database is a zone already, or a region would get a second API
    database.
    """
    with store_errors(), conn.transaction():
        conn.execute("LOCK TABLE zone IN SHARE ROW EXCLUSIVE MODE")
        for other in list_zones(conn):
            hint = f"treetop zone show {other.name}"
            if other.name == name:
                raise Refuse(f"there is a zone {name} already", hint=hint)
            if url.is_same_database(other.url):
                raise Refuse(f"{url} is zone {other.name} already", hint=hint)
            if kind is other.kind is ZoneKind.API and region == other.region:
                raise Refuse(f"the API database of region {region} is zone {other.name} already", hint=hint)
        row = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM zone").fetchone()
        assert row is not None
        if row[0] > MAX_ZONE_ID:
            raise Refuse(f"the registry holds {MAX_ZONE_ID} zones, and no more fit")
        zone_id = ZoneId(row[0])
        conn.execute(
            "INSERT INTO zone (id, name, region, trust, url, password, kind) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (zone_id, name, region, trust, str(url), str(password) if password else None, kind),
        )
        conn.execute("INSERT INTO zone_position (zone_id) VALUES (%s)", (zone_id,))
        conn.execute("INSERT INTO zone_status (zone_id, state) VALUES (%s, 'new')", (zone_id,))
        conn.execute(create_partition(zone_id))
    return Zone(id=zone_id, name=name, region=region, trust=trust, url=url, password=password, kind=kind)


def list_zones(conn: psycopg.Connection) -> list[Zone]:
    """Every zone, by name."""
    with store_errors(), conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            "SELECT id, name, region, trust, url, password, kind FROM zone ORDER BY name"
        ).fetchall()
    return [_zone(row) for row in rows]


def find_api_zone(conn: psycopg.Connection, region: str | None) -> Zone:
    """The zone that is a region's API database. region: None means the only one there is.

    Raises `NotFound` when there is none, `Refuse` when there are several and none was named.
    """
    found = [zone for zone in list_zones(conn) if zone.kind is ZoneKind.API and region in (None, zone.region)]
    if not found:
        named = "" if region is None else f" {shown_name(region)}"
        raise NotFound(
            f"there is no region{named} whose API database is known",
            hint="treetop region add NAME --nova-api URL; treetop region list",
        )
    if len(found) > 1:
        names = ", ".join(repr(zone.region) for zone in found)
        raise Refuse(f"there are {len(found)} regions: {names}", hint="say which: --region NAME")
    return found[0]


def find_zone(conn: psycopg.Connection, name: str) -> Zone:
    """One zone by name. Raises `NotFound`."""
    for zone in list_zones(conn):
        if zone.name == name:
            return zone
    raise NotFound(f"there is no zone {name!r}", hint="treetop zone list")


def report_zones(conn: psycopg.Connection, name: str | None = None) -> list[ZoneReport]:
    """Every zone, or the one named, as a person sees it. Raises `NotFound` for a name that is not there.

    Counts live servers by an index-only scan of each zone's partition: milliseconds per 100,000 servers.
    """
    with store_errors(), conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_REPORT, {"name": name}).fetchall()
    if name is not None and not rows:
        raise NotFound(f"there is no zone {name!r}", hint="treetop zone list")
    return [
        ZoneReport(
            zone=_zone(row),
            state=ZoneState(row["state"]),
            since=row["since"],
            reason=row["reason"],
            hint=row["hint"],
            retry_at=row["retry_at"],
            position=row["position"],
            as_of=row["as_of"],
            lag_seconds=row["lag_seconds"],
            transactions=row["transactions"],
            changes=row["changes"],
            loaded_upto=row["loaded_upto"],
            is_loaded=row["is_loaded"],
            servers=row["servers"],
        )
        for row in rows
    ]


def top_id(conn: psycopg.Connection) -> str:
    """What tells this top from others that read the same zones: eight hexadecimal digits."""
    with store_errors():
        row = conn.execute("SELECT id FROM top").fetchone()
    assert row is not None
    return str(row[0])


def remove_zone(conn: psycopg.Connection, name: str) -> Zone:
    """Forget a zone and its rows, in one commit; its worker ends. conn: in autocommit. Raises `NotFound`.

    The worker loses the zone first: a batch under way holds rows and then wants `zone_position`, which would be ours.
    """
    zone = find_zone(conn, name)
    revoke(conn, zone.id)
    with store_errors(), conn.transaction():
        conn.execute(drop_partition(zone.id))
        for table, column in _OF_A_ZONE:
            conn.execute(f"DELETE FROM {table} WHERE {column} = %s", (zone.id,))  # noqa: S608  # our own names
    return zone


_OF_A_ZONE = (
    ("zone_position", "zone_id"),
    ("zone_status", "zone_id"),
    ("zone_verification", "zone_id"),
    ("server_feed", "zone_id"),
    ("write_mark", "zone_id"),
    *((top_table(table), "zone_id") for table in (*MIRRORED_API_TABLES, *MIRRORED_CELL_TABLES)),
    ("zone", "id"),
)

_REPORT = """
    SELECT z.id, z.name, z.region, z.trust, z.url, z.password, z.kind,
           s.state, s.since, s.reason, s.hint, s.retry_at,
           p.position, p.as_of, p.transactions, p.changes, p.loaded_upto, p.is_loaded,
           CASE WHEN p.as_of IS NOT NULL  -- greatest() passes NULL over
                THEN greatest(0, extract(epoch FROM now() - p.as_of))::float8 END AS lag_seconds,
           (SELECT count(*) FROM server WHERE zone_id = z.id AND NOT deleted) AS servers
      FROM zone AS z
      JOIN zone_position AS p ON p.zone_id = z.id
      JOIN zone_standing AS s ON s.zone_id = z.id
     WHERE %(name)s::text IS NULL OR z.name = %(name)s
     ORDER BY z.name
"""


def _zone(row: dict[str, object]) -> Zone:
    password = row["password"]
    return Zone(
        id=ZoneId(int(str(row["id"]))),
        name=ZoneName(str(row["name"])),
        region=str(row["region"]),
        trust=Trust(str(row["trust"])),
        url=parse_source_url(str(row["url"])),
        password=parse_password_reference(str(password)) if password is not None else None,
        kind=ZoneKind(str(row["kind"])),
    )
