# SPDX-License-Identifier: Apache-2.0
"""Pages of servers: together they are the whole list in order, and each is a short walk along an index."""

import functools
import json
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tests.store.builders import PROJECT, START, a_server, a_zone, add_server, server_columns, uuid_of
from treetop.errors import NotFound, Refuse
from treetop.store import servers as store_servers
from treetop.store.migrate import sync_schema
from treetop.store.pool import read_as_text
from treetop.store.server_filters import LIVE, NOT_SOFT_DELETED, matches, of_project, on_host
from treetop.store.server_order import SORT_KEYS, SortKey
from treetop.store.servers import ServerQuery, list_servers

UUID = ("uuid",)


@pytest.fixture
def top(top_dsn):
    sync_schema(top_dsn)
    with psycopg.connect(top_dsn, autocommit=True) as connection:
        read_as_text(connection)
        a_zone(connection, 1)
        a_zone(connection, 2)
        yield connection


TEXTS = st.sampled_from([None, "", "a", "A", "b", "é", "_", "zz"])
VALUES = {
    "text": TEXTS,
    "timestamp": st.sampled_from([None, *(START + timedelta(seconds=n / 2) for n in range(3))]),
    "integer": st.sampled_from([None, -1, 0, 1]),
    "boolean": st.sampled_from([None, False, True]),
}
COLUMNS = {name: kind for name, kind in SORT_KEYS.items() if name != "uuid"}
ROWS = st.lists(
    st.fixed_dictionaries({name: VALUES[kind] for name, kind in COLUMNS.items()}), min_size=1, max_size=12
)
ORDERS = st.lists(
    st.builds(SortKey, name=st.sampled_from(sorted(SORT_KEYS)), descending=st.booleans()),
    min_size=1,
    max_size=3,
)


def compare(order, one, other):
    """What the order should say of two rows: NULL is least, text without case, the uuid ends it."""
    for key in (*order, SortKey(name="uuid", descending=False)):
        a, b = one[key.name], other[key.name]
        if isinstance(a, str):
            a = a.lower()
        if isinstance(b, str):
            b = b.lower()
        if a != b:
            less = a is None or (b is not None and a < b)
            return (1 if less else -1) if key.descending else (-1 if less else 1)
    return 0


@given(rows=ROWS, order=ORDERS, limit=st.integers(1, 13))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_put_together_are_the_sorted_list(top, rows, order, limit):
    top.execute("DELETE FROM server")
    rows = [
        server_columns(number, zone_id=1 + number % 2) | values for number, values in enumerate(rows, start=1)
    ]
    for row in rows:
        add_server(top, row)

    found, marker = [], None
    while True:
        query = ServerQuery(columns=UUID, clauses=(), order=tuple(order), limit=limit, marker=marker)
        page = [uuid for (uuid,) in list_servers(top, query)]
        found += page
        if len(page) < limit:
            break
        marker = page[-1]

    expected = sorted(rows, key=functools.cmp_to_key(functools.partial(compare, order)))
    assert found == [row["uuid"] for row in expected]


def test_a_page_is_filled_although_some_servers_are_in_two_zones(top):
    for zone in (1, 2):
        for number in range(1, 9):
            a_server(top, number, zone_id=zone, created_at=START + timedelta(minutes=number, seconds=zone))

    query = ServerQuery(columns=UUID, clauses=(LIVE,), limit=5)

    assert [uuid for (uuid,) in list_servers(top, query)] == [uuid_of(n) for n in (8, 7, 6, 5, 4)]


def test_a_marker_that_is_no_server_is_not_found(top):
    with pytest.raises(NotFound, match="marker \\[x\\] not found"):
        list_servers(top, ServerQuery(columns=UUID, clauses=(), limit=1, marker="x"))


def test_a_pattern_the_database_cannot_read_is_refused_and_named(top):
    a_server(top, 1)

    with pytest.raises(Refuse, match="\\(\\?<x>a\\)"):
        list_servers(top, ServerQuery(columns=UUID, clauses=(matches("node", "(?<x>a)"),), limit=1))


@pytest.mark.parametrize("pattern", ["a|b", "(a|b)", "[|]", "a\\|b"])
def test_a_bar_in_a_pattern_is_no_alternative(top, pattern):
    a_server(top, 1, node="only letters: a")

    found = list_servers(top, ServerQuery(columns=UUID, clauses=(matches("node", pattern),), limit=1))

    assert found == []


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        ("0% of_it", True),
        ("50% OF", True),
        ("5_%", False),
        ("%", True),
        ("0|_", False),
        ("^50%", True),
        ("of.it$", True),
        ("of\\.it", False),
    ],
)
def test_a_text_without_signs_is_looked_for_as_it_is(top, pattern, is_found):
    a_server(top, 1, node="50% of_it")

    found = list_servers(top, ServerQuery(columns=UUID, clauses=(matches("node", pattern),), limit=1))

    assert bool(found) is is_found


@pytest.mark.parametrize("pattern", ["***=x", "***:x"])
def test_a_directive_of_the_database_is_refused(top, pattern):
    a_server(top, 1)

    with pytest.raises(Refuse):
        list_servers(top, ServerQuery(columns=UUID, clauses=(matches("node", pattern),), limit=1))


def test_a_bar_in_a_pattern_finds_a_bar(top):
    a_server(top, 1, node="a|b")

    for pattern in ("a|b", "a\\|b", "A[|]B"):
        query = ServerQuery(columns=UUID, clauses=(matches("node", pattern),), limit=1)
        assert list_servers(top, query) == [(uuid_of(1),)], pattern


@pytest.fixture
def crowd(top):
    """6,000 servers of 3 zones and 20 projects, as the planner knows them."""
    a_zone(top, 3)
    top.execute(
        """
        INSERT INTO server (zone_id, uuid, source_id, created_at, updated_at, deleted, hidden, project_id,
                            display_name, vm_state, host, flavor)
        SELECT 1 + n % 3, md5(n::text)::uuid, n, timestamp '2026-01-01' + n * interval '1 minute',
               timestamp '2026-01-01' + n * interval '2 minutes', n % 10 = 0, false, 'project-' || n % 20,
               'server-' || n, 'active', 'host-' || n % 300, repeat('x', 300)
        FROM generate_series(1, 6000) AS n
        """
    )
    top.execute("ANALYZE server")
    return top


def plan_of(top, query):
    """Every node of the plans of the statements that the query runs, as (type, index, condition)."""
    nodes = []

    class Explaining:
        def execute(self, statement, parameters=None):
            if "LIMIT" in statement.as_string() and "server.zone_id" in statement.as_string():
                explain = sql.SQL("EXPLAIN (FORMAT JSON) ") + statement
                ((text,),) = top.execute(explain, parameters).fetchall()
                visit(json.loads(text)[0]["Plan"])
            return top.execute(statement, parameters)

    def visit(node):
        index = node.get("Index Name", "")
        nodes.append((node["Node Type"], index.partition("_created")[0], node.get("Index Cond", "")))
        for child in node.get("Plans", ()):
            visit(child)

    list_servers(Explaining(), query)
    return nodes


DEFAULT = (LIVE, NOT_SOFT_DELETED)


def test_the_default_page_is_one_merge_of_the_zones_indexes(crowd):
    nodes = plan_of(crowd, ServerQuery(columns=("flavor",), clauses=DEFAULT, limit=100))

    assert [kind for kind, _, _ in nodes] == ["Limit", "Merge Append", *["Index Scan"] * 3]


def test_a_deep_page_begins_in_the_index(crowd):
    marker = str(crowd.execute("SELECT uuid FROM server WHERE source_id = 300").fetchone()[0])

    nodes = plan_of(crowd, ServerQuery(columns=("flavor",), clauses=DEFAULT, limit=100, marker=marker))

    scans = [condition for kind, _, condition in nodes if kind == "Index Scan"]
    assert "Sort" not in {kind for kind, _, _ in nodes}
    assert len(scans) == 3
    assert all("created_at <=" in condition for condition in scans)


@pytest.mark.parametrize("source_id", [None, 3001])
def test_a_projects_page_is_read_from_the_projects_index(crowd, source_id):
    marker = source_id and str(
        crowd.execute("SELECT uuid FROM server WHERE source_id = %s", (source_id,)).fetchone()[0]
    )
    clauses = (*DEFAULT, of_project("project-1"))

    nodes = plan_of(crowd, ServerQuery(columns=("flavor",), clauses=clauses, limit=20, marker=marker))

    conditions = [condition for _, index, condition in nodes if index]
    assert len(conditions) == 3
    assert all("project_id" in condition for condition in conditions)


def test_a_hosts_servers_are_found_by_the_hosts_index(crowd):
    clauses = (*DEFAULT, on_host("host-7", (1, 2, 3)))

    nodes = plan_of(crowd, ServerQuery(columns=("flavor",), clauses=clauses, limit=100))

    conditions = [condition for _, _, condition in nodes if "host" in condition]
    assert len(conditions) == 3
    assert all("zone_id" in condition for condition in conditions)


def test_only_one_statement_is_needed_for_a_full_page(crowd):
    nodes = plan_of(crowd, ServerQuery(columns=("flavor",), clauses=DEFAULT, limit=100))

    assert [kind for kind, _, _ in nodes].count("Limit") == 1


def test_a_server_is_found_by_its_uuid_alone(crowd):
    uuid = str(crowd.execute("SELECT uuid FROM server WHERE source_id = 1").fetchone()[0])

    assert store_servers.read_server(crowd, uuid, ("display_name",), project_id=None) == ("server-1",)
    assert store_servers.read_server(crowd, uuid, UUID, project_id=PROJECT) is None
