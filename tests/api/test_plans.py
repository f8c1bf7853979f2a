# SPDX-License-Identifier: Apache-2.0
"""No answer reads a large table from end to end where a page, a project or a server bounds it: every route, by the
plans that really run.

Each statement of the API is run by `EXPLAIN ANALYZE` as well, and the rows that it takes from each large table are
counted. Rows, not times: they are the same on every machine.
"""

import json
from collections import Counter
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import tuple_row

from tests.api.conftest import Client
from tests.api.route_table import FIELDS, routes_of
from tests.store.builders import a_zone
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.caller import admin_of, reader_of
from treetop.api.microversion import MAXIMUM
from treetop.api.options import ApiOptions
from treetop.nova.mirrored_tables import MIRRORED_API_TABLES, MIRRORED_CELL_TABLES, top_table
from treetop.store.migrate import sync_schema
from treetop.store.pool import open_pool

ROWS = 24_000
MOST_ROWS = 200  # of 24,000: more than a page or a project (80 servers) has, with what its filter drops
UNBOUNDED = {"/v1/zones"}  # counts every zone's servers
CELLS, API_ZONE = (1, 2, 3), 4
#: What a region has a row of for every server, and more.
LARGE = (
    *("request_specs", "instance_mappings", "instance_group_member", "key_pairs"),
    *("migrations", "instance_actions", "instance_actions_events"),
)

_SERVERS = """
    INSERT INTO server (zone_id, uuid, source_id, created_at, updated_at, launched_at, deleted, hidden, project_id,
                        user_id, display_name, vm_state, host, node, flavor_id, flavor, fixed_ips, memory_mb, vcpus)
    SELECT 1 + n % 3, md5(n::text)::uuid, n, timestamp '2026-01-01' + n * interval '1 minute',
           timestamp '2026-01-01' + n * interval '2 minutes', timestamp '2026-01-01' + n * interval '1 minute',
           n % 10 = 0, false, md5((n % 299)::text), md5((n % 500)::text), 'server-' || n,
           CASE WHEN n % 10 = 0 THEN 'deleted' ELSE 'active' END,
           'host-' || n % 600, 'host-' || n % 600, 'small', '{}', ' 10.0.' || n % 250 || '.7 ', 512, 1
    FROM generate_series(1, 24000) AS n
"""
#: What fills a column of a large table, by its name.
_COLUMNS = {
    "id": "n",
    "instance_uuid": "md5(n::text)::uuid::text",
    "project_id": "md5((n % 299)::text)",
    "user_id": "md5((n % 500)::text)",
    "group_id": "n / 10",
    "action_id": "n",
    "request_id": "'req-' || md5(n::text)::uuid",
    "uuid": "md5('another' || n)::uuid::text",
    "created_at": "timestamp '2026-01-01' + n * interval '1 minute'",
    "updated_at": "timestamp '2026-01-01' + n * interval '2 minutes'",
    "deleted": "0",
    "hidden": "false",
}


@pytest.fixture(scope="module")
def crowd(top_server):
    """The connection string of a top with 24,000 servers in three zones, as the planner knows them."""
    with psycopg.connect(top_server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE plans")
    sync_schema(top_server.conninfo("plans"))
    with psycopg.connect(top_server.conninfo("plans"), autocommit=True) as top:
        for zone_id in CELLS:
            a_zone(top, zone_id)
        a_zone(top, API_ZONE, name="api", kind="api")
        top.execute(_SERVERS)
        for name in LARGE:
            table = {**MIRRORED_API_TABLES, **MIRRORED_CELL_TABLES}[name]
            columns = [column for column in table.shared_columns if column in _COLUMNS]
            zone = str(API_ZONE) if name in MIRRORED_API_TABLES else "1 + n % 3"
            top.execute(
                f"INSERT INTO {top_table(name)} (zone_id, {', '.join(columns)})"
                f" SELECT {zone}, {', '.join(map(_COLUMNS.get, columns))} FROM generate_series(1, {ROWS}) AS n"
            )
        top.execute("VACUUM ANALYZE")
    return top_server.conninfo("plans")


@pytest.fixture(scope="module")
def sample(crowd):
    """A server that exists, with whose it is: (uuid, project, user)."""
    with psycopg.connect(crowd) as top:
        return top.execute(
            "SELECT uuid::text, project_id, user_id FROM server WHERE source_id = 12001"
        ).fetchone()


@pytest.fixture(scope="module")
def read_rows(crowd):
    """Return `measure(caller, path, minor)` -> rows taken from each large table by all statements of one request."""
    taken = Counter()

    class Explaining(psycopg.Cursor):
        """Notes the rows of a statement, then runs it."""

        def execute(self, query, params=None, **options):
            if not isinstance(query, bytes):
                query = query if isinstance(query, sql.Composable) else sql.SQL(query)
                row_factory, self.row_factory = self.row_factory, tuple_row
                super().execute(sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) ") + query, params)
                for (plan,) in self.fetchall():
                    count(json.loads(plan)[0]["Plan"])
                self.row_factory = row_factory
            return super().execute(query, params, **options)

    def count(node):
        table = node.get("Relation Name", "")
        if table.startswith("server_") or table in map(top_table, LARGE):
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            taken[table] += read * node["Actual Loops"]
        for child in node.get("Plans", ()):
            count(child)

    pool = open_pool(crowd, size=1, statement_timeout_seconds=30)
    with pool.connection() as connection:
        connection.cursor_factory = Explaining

    def measure(caller, path, minor=MAXIMUM):
        taken.clear()
        answer = Client(pool, authenticator=lambda _request, _project: caller).ask(path, minor)
        return answer.status_code, dict(taken)

    yield measure
    pool.close()


PAGES = [
    "servers?limit=20&all_tenants=1",
    "servers/detail?limit=20&all_tenants=1",
    "servers/detail?limit=20&all_tenants=1&marker={uuid}",
    "servers/detail?limit=20&all_tenants=1&sort_key=created_at&sort_dir=asc",
    "servers/detail?limit=20&all_tenants=1&sort_key=display_name&sort_dir=asc",
    "servers/detail?limit=20&all_tenants=1&sort_key=display_name&sort_dir=asc&marker={uuid}",
    "servers/detail?limit=20&all_tenants=1&sort_key=display_name&sort_dir=desc&marker={uuid}",
    "servers/detail?limit=20&all_tenants=1&project_id={project}",
    "servers/detail?limit=20&all_tenants=1&status=ACTIVE",
    "servers/detail?limit=20&all_tenants=1&name=server",
    "servers/detail?limit=20&all_tenants=1&host=host-7",
    "servers/detail?all_tenants=1&uuid={uuid}",
    "servers/detail?limit=20&all_tenants=1&changes-since=2026-01-01T00:00:00Z",
    "servers/detail?limit=20&all_tenants=1&changes-before=2026-09-01T00:00:00Z&marker={uuid}",
    "servers/detail?limit=10&all_tenants=1&deleted=True",
    "servers/detail?limit=10&all_tenants=1&status=DELETED",
    "servers/detail?limit=20&all_tenants=1&deleted=True&project_id={project}",
    "os-migrations?limit=20",
    "os-migrations?limit=20&project_id={project}",
    "os-migrations?instance_uuid={uuid}",
]
OF_A_PROJECT = [
    "servers",
    "servers/detail",
    "servers/detail?limit=20&marker={uuid}",
    *(f"servers/detail?{query}" for query in ("name=server-1.*", "name=zz", "ip=10.0.1", "status=ERROR")),
    *(f"servers/detail?sort_key={key}" for key in ("display_name", "updated_at", "vm_state", "uuid")),
    "servers/detail?sort_key=created_at&sort_dir=desc&sort_key=display_name&sort_dir=desc&sort_key=uuid&sort_dir=desc",
    "servers/detail?changes-since=2026-01-01T00:00:00Z",
    "servers/detail?changes-before=2026-02-01T00:00:00Z",
    "servers/{uuid}",
    "servers/detail?changes-since=2026-01-01T00:00:00Z&limit=20&marker={uuid}",
]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_about_its_own_rows(read_rows, sample, path):
    uuid, project, _ = sample

    status, taken = read_rows(admin_of(project), f"/v2.1/{path.format(uuid=uuid, project=project)}")

    assert status == 200
    assert taken, "no large table was read, so nothing is known"
    assert max(taken.values()) <= MOST_ROWS, taken


def test_for_a_flavor_that_no_region_has_no_server_is_looked_at(read_rows, sample):
    _, project, _ = sample

    status, taken = read_rows(admin_of(project), "/v2.1/servers/detail?all_tenants=1&flavor=nosuch")

    assert (status, sum(taken.values())) == (200, 0)


@pytest.mark.parametrize("path", OF_A_PROJECT)
def test_a_projects_servers_are_found_among_its_own(read_rows, sample, path):
    uuid, project, user = sample

    status, taken = read_rows(a_reader(project, user), f"/v2.1/{path.format(uuid=uuid)}")

    assert status == 200
    assert taken, "no large table was read, so nothing is known"
    assert max(taken.values()) <= MOST_ROWS, taken


def test_no_route_reads_a_large_table_for_one_project(read_rows, sample):
    uuid, project, user = sample
    for route in routes_of(make_app(None, authenticator=noauth, options=ApiOptions())):
        values = {field: FIELDS[field][0] for field in route.fields}
        path = route.path(values | {"server_id": uuid, "project_id": project})
        for minor in (1, MAXIMUM):
            _, taken = read_rows(a_reader(project, user), path, minor)
            if route.template not in UNBOUNDED:
                assert max(taken.values(), default=0) <= MOST_ROWS, (route.template, taken)


def a_reader(project, user):
    return replace(reader_of(project), user_id=user)
