# SPDX-License-Identifier: Apache-2.0
"""How much faster than the real nova-api: the same lists of the same 100,000 servers in ten cells, in the same run.

Nova 34 as a process of its own over MariaDB (Keystone and Neutron stood in for), Treetop's API over the top that real
workers loaded from the same databases. One client asks one request after the other. Takes about fifteen
minutes, most of them Nova's.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import Request

import psycopg

from bench.api_process import ApiProcess
from bench.cost import Cost, backends, get, measure
from bench.figure import Figure
from bench.region import large_region, rolled_up
from tests.conformance.oracle import Oracle
from treetop.demo.catalogue import PROJECTS

NAME = "nova"
CELLS: Final = 10
SERVERS_PER_CELL: Final = 10_000
REQUESTS: Final = 30
NOVA_REQUESTS: Final = 3  # each takes many seconds
TIMES_FASTER: Final = 300
_NOVA_PATIENCE_SECONDS: Final = 600.0
_PROJECT: Final = PROJECTS[1]
_ALL: Final = "all_tenants=1&limit=1000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is asked of both. cpu_target_ms: of Treetop's API, where one is set."""

    name: str
    path: str
    minor: int = 100
    cpu_target_ms: float | None = None


def run() -> list[Figure]:
    """Measure every page: how many a second, and the CPU where it has a target."""
    folder = Path(tempfile.mkdtemp(prefix="treetop-bench-"))
    try:
        with (
            large_region(folder, cells=CELLS, servers_per_cell=SERVERS_PER_CELL) as region,
            rolled_up(region) as top,
            ApiProcess(top.conninfo()) as api,
        ):
            oracle_folder = folder / "oracle"
            oracle_folder.mkdir()
            with Oracle(region, oracle_folder) as nova:
                _ask_nova(
                    nova, Page(name="the first", path=f"/servers/detail?{_ALL}"), times=1
                )  # it warms up
                return [
                    figure
                    for page in _pages(top.conninfo())
                    for figure in _figures(
                        page, _ask_treetop(api, top.conninfo(), page), _ask_nova(nova, page)
                    )
                ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pages(conninfo: str) -> Iterator[Page]:
    deep, since = _marker(conninfo, SERVERS_PER_CELL * CELLS // 2), _recent(conninfo)
    yield Page(name="detail at 2.1", path=f"/servers/detail?{_ALL}", minor=1, cpu_target_ms=40)
    yield Page(name="detail at 2.100", path=f"/servers/detail?{_ALL}", cpu_target_ms=40)
    yield Page(name="index", path=f"/servers?{_ALL}")
    yield Page(name="one project", path="/servers/detail?limit=1000")
    yield Page(name="status", path=f"/servers/detail?{_ALL}&status=ERROR")
    yield Page(name="name regex", path=f"/servers/detail?{_ALL}&name=^web-0.*7$")
    yield Page(name="ip", path=f"/servers/detail?{_ALL}&ip=10.0.3")
    yield Page(name="changes-since", path=f"/servers/detail?{_ALL}&changes-since={since}")
    yield Page(name="sort by display_name", path=f"/servers/detail?{_ALL}&sort_key=display_name&sort_dir=asc")
    yield Page(name="detail, 50,000 deep", path=f"/servers/detail?{_ALL}&marker={deep}")
    yield Page(name="page of 20", path="/servers/detail?all_tenants=1&limit=20", cpu_target_ms=3)
    yield Page(name="page of 20, 50,000 deep", path=f"/servers/detail?all_tenants=1&limit=20&marker={deep}")


def _figures(page: Page, ours: Cost, nova: Cost) -> Iterator[Figure]:
    nova_a_second = 1000 / nova.wall_ms
    yield Figure(
        name=f"{page.name}, of {SERVERS_PER_CELL * CELLS:,} in {CELLS} zones",
        value=1000 / ours.wall_ms,
        unit="pages/s",
        target=TIMES_FASTER * nova_a_second,
        reference_name="nova-api",
        reference_value=nova_a_second,
        note=f"{ours.wall_ms:,.1f} ms instead of {nova.wall_ms:,.0f} ms (medians); {ours.size / 1000:,.0f} kB; "
        f"CPU of the API {ours.cpu_ms['api']:.1f} ms, of PostgreSQL {ours.cpu_ms['database']:.1f} ms, "
        f"of nova-api {nova.cpu_ms['api']:,.0f} ms",
    )
    if page.cpu_target_ms is not None:
        yield Figure(
            name=f"{page.name}, CPU of the API",
            value=ours.cpu_ms["api"],
            unit="ms",
            target=page.cpu_target_ms,
            reference_name="nova-api",
            reference_value=nova.cpu_ms["api"],
            note="",
        )


def _ask_treetop(api: ApiProcess, conninfo: str, page: Page) -> Cost:
    request = _request(api.url, page, {"X-Project-Id": _PROJECT.id})
    get(request)  # so that there is a backend
    return measure(request, {"api": [api.pid], "database": backends(conninfo)}, times=REQUESTS, warm_up=3)


def _ask_nova(nova: Oracle, page: Page, *, times: int = NOVA_REQUESTS) -> Cost:
    token = f"admin:{_PROJECT.id}:{_PROJECT.users[0][0]}"  # what `stand_ins` reads
    return measure(
        _request(nova.url, page, {"X-Auth-Token": token}),
        {"api": [nova.pid]},
        times=times,
        warm_up=0,
        timeout_seconds=_NOVA_PATIENCE_SECONDS,
    )


def _request(url: str, page: Page, headers: dict[str, str]) -> Request:
    version = {"OpenStack-API-Version": f"compute 2.{page.minor}"}
    return Request(f"{url}/v2.1{page.path}", headers=headers | version)


def _marker(conninfo: str, depth: int) -> str:
    """The server at this place of the default order."""
    return _one(
        conninfo,
        "SELECT uuid::text FROM server WHERE NOT deleted ORDER BY created_at DESC NULLS LAST, uuid"
        f" OFFSET {depth} LIMIT 1",
    )


def _recent(conninfo: str) -> str:
    """An instant since when about 1,000 servers have changed."""
    return _one(
        conninfo,
        'SELECT to_char(updated_at, \'YYYY-MM-DD"T"HH24:MI:SS"Z"\') FROM server'
        " WHERE updated_at IS NOT NULL ORDER BY updated_at DESC OFFSET 1000 LIMIT 1",
    )


def _one(conninfo: str, query: str) -> str:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return str(row[0])
