# SPDX-License-Identifier: Apache-2.0
"""Nobody is shown anything of another project: every route, whatever is asked of it, as a property.

The rows of either project hold its word in every text (`two_projects`); an answer to the one must not hold the
other's. Values that the request itself held may be repeated, whole.
"""

import json
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.asking import VALUES
from tests.api.conftest import Client
from tests.api.route_table import FIELDS, parameter_names, routes_of
from tests.api.two_projects import MINE, THEIRS
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.caller import admin_of, reader_of
from treetop.api.microversion import MAXIMUM
from treetop.api.options import ApiOptions

MINORS = (1, 26, 40, 53, 64, 75, 90, MAXIMUM)
#: Routes that say the same to everybody: what they answer with is nobody's.
NOBODYS = {"/", "/v2.1", "/v2.1/", "/healthcheck", "/openapi.json", "/v1/zones"} | {
    nova + path
    for nova in ("/v2.1", "/v2.1/{project_id}")
    for path in (
        *(
            "/servers/{server_id}/tags/{tag}",  # says by its status alone whether there is one
            "/os-hypervisors/statistics",
            "/os-availability-zone",
            "/limits",
            "/extensions",
            "/extensions/{alias}",
        ),
    )
}
#: What makes a route show what it would not show of itself.
QUERIES = ("", "?all_tenants=1", "?all_projects=1", "?user_id={user}", "?detailed=1&start={start}&end={end}")
WINDOW = {"start": "2025-01-01T00:00:00", "end": "2027-01-01T00:00:00"}


def member_of(side):
    return replace(reader_of(side.project), user_id=side.user)


@pytest.fixture(scope="module")
def clients(crowded_pool):
    """The application as either side's member and as an administrator of either project sees it."""
    callers = {
        "mine": member_of(MINE),
        "theirs": member_of(THEIRS),
        "my admin": admin_of(MINE.project),
        "their admin": admin_of(THEIRS.project),
    }
    return {
        name: Client(crowded_pool, authenticator=lambda _request, _project, caller=caller: caller)
        for name, caller in callers.items()
    }


@pytest.fixture(scope="module")
def routes(crowded_pool):
    return routes_of(make_app(crowded_pool, authenticator=noauth, options=ApiOptions()))


def shown(answer, asked):
    """The answer with its headers, without what the request held."""
    text = answer.text + json.dumps(dict(answer.headers))
    for value in asked:
        for form in {value, quote(value, safe=""), json.dumps(value)[1:-1]}:
            text = text.replace(form, "")
    return text


def test_every_field_of_a_path_is_known(routes):
    assert {field for route in routes for field in route.fields} <= set(FIELDS), (
        "say in tests/api/route_table.py what the new field can hold"
    )


def test_an_administrator_is_shown_both_by_every_route(clients, routes):
    """Else the other tests would see nothing because there was nothing to see."""
    blind = {
        (route.template, side.word)
        for route in routes
        for side, name in ((MINE, "my admin"), (THEIRS, "their admin"))
        if route.template not in NOBODYS and not shows(clients[name], route, side)
    }
    assert blind == set()


def shows(client, route, side):
    """Whether an answer of the route, at some microversion, holds the side's word or digits."""
    answers = (
        client.ask(route.path(values) + query.format(user=side.user, **WINDOW), minor)
        for values in route.values(side)
        for minor in MINORS
        for query in QUERIES
    )
    return any(answer.status_code == 200 and side.is_in(answer.text) for answer in answers)


def test_no_route_shows_the_other_project_when_asked_plainly(clients, routes):
    for route in routes:
        for values in route.values(THEIRS):
            for project in (MINE.project, THEIRS.project):
                path = route.path(values | {"project_id": project})
                for minor in MINORS:
                    answer = clients["mine"].ask(path, minor)
                    assert not THEIRS.is_in(shown(answer, values.values())), (path, minor)


def test_no_route_shows_a_member_where_the_own_servers_run(clients, routes):
    for route in routes:
        for values in route.values(MINE):
            for minor in MINORS:
                text = shown(clients["mine"].ask(route.path(values), minor), values.values())
                assert [host for host in MINE.hosts if host in text] == [], (route.template, minor)
    assert MINE.hosts[0] in clients["my admin"].ask("/v2.1/servers/detail").text


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_no_parameters_show_the_other_project(clients, routes, data):
    route = data.draw(st.sampled_from(routes))
    values = {field: data.draw(st.sampled_from(FIELDS[field])) for field in route.fields}
    pairs = data.draw(
        st.lists(st.tuples(st.sampled_from(parameter_names()), st.sampled_from(VALUES)), max_size=4)
    )
    path = f"{route.path(values)}?{urlencode(pairs)}"
    minor = data.draw(st.sampled_from(MINORS))
    asked = [*values.values(), *(value for _, value in pairs)]

    for me, other, name in ((MINE, THEIRS, "mine"), (THEIRS, MINE, "theirs")):
        text = shown(clients[name].ask(path, minor), asked)

        assert not other.is_in(text), f"{me.word} is shown {text}"
