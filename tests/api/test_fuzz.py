# SPDX-License-Identifier: Apache-2.0
"""Whatever is asked of any route, in whatever way: an answer of the form that clients know, and never a 500.

The routes are found by looking at the application (`route_table`), what is asked of them is in `asking`.
"""

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.answers import ask, check
from tests.api.asking import BODIES, HEADERS, HOSTILE, METHODS, MICROVERSIONS, RAW_QUERIES, VALUES
from tests.api.route_table import FIELDS, parameter_names, routes_of
from tests.api.two_projects import MINE
from treetop.api.app import make_app
from treetop.api.caller import admin_of, reader_of
from treetop.api.options import ApiOptions

#: A pattern with brackets in a bracket makes Python's own parser warn; it is a pattern all the same.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")
thorough = settings(max_examples=400, deadline=None)


@pytest.fixture(scope="module")
def apps(crowded_pool):
    """As an administrator and as a reader see it."""
    options = ApiOptions(freshness_wait_seconds=0)
    return {
        name: make_app(
            crowded_pool, authenticator=lambda _request, _project, caller=caller: caller, options=options
        )
        for name, caller in {"admin": admin_of(MINE.project), "reader": reader_of(MINE.project)}.items()
    }


@pytest.fixture(scope="module")
def routes(apps):
    return routes_of(apps["admin"])


def queries():
    pairs = st.lists(
        st.tuples(
            st.sampled_from(parameter_names()) | st.sampled_from(["_x", "x", "", "\0", "é"]),
            st.sampled_from(VALUES) | st.sampled_from(HOSTILE) | st.text(max_size=8),
        ),
        max_size=4,
    )
    return st.sampled_from(RAW_QUERIES) | pairs.map(lambda pairs: urlencode(pairs, errors="surrogatepass"))


def segments(field):
    return st.sampled_from(FIELDS[field]) | st.sampled_from(HOSTILE) | st.text(max_size=8).filter(str)


@given(data=st.data(), query=queries(), minor=st.sampled_from(MICROVERSIONS[:4]))
@thorough
def test_no_query_is_an_internal_error(apps, routes, data, query, minor):
    route = data.draw(st.sampled_from(routes))
    app = apps[data.draw(st.sampled_from(sorted(apps)))]
    path = route.path({field: data.draw(st.sampled_from(FIELDS[field])) for field in route.fields})

    answer = ask(app, path, query, headers=[("OpenStack-API-Version", f"compute {minor}")])

    check(answer)
    assert answer.status_code in (200, 204, 400, 403, 404), answer


@given(data=st.data(), minor=st.sampled_from(MICROVERSIONS[:4]))
@thorough
def test_no_path_is_an_internal_error(apps, routes, data, minor):
    route = data.draw(st.sampled_from([route for route in routes if route.fields]))
    path = route.path(
        {
            field: data.draw(segments(field)).encode("utf-8", "surrogatepass").decode("latin-1")
            for field in route.fields
        }
    )

    answer = ask(apps["admin"], path, headers=[("OpenStack-API-Version", f"compute {minor}")])

    check(answer)
    assert answer.status_code in (200, 204, 400, 404)


@given(
    data=st.data(),
    headers=st.lists(st.sampled_from(HEADERS), max_size=4),
    minor=st.sampled_from(MICROVERSIONS),
    method=st.sampled_from(METHODS),
    body=st.sampled_from(BODIES),
)
@thorough
def test_no_header_method_or_body_is_an_internal_error(apps, routes, data, headers, minor, method, body):
    route = data.draw(st.sampled_from(routes))
    path = route.path({field: FIELDS[field][0] for field in route.fields})
    name = data.draw(st.sampled_from(["OpenStack-API-Version", "X-OpenStack-Nova-API-Version"]))
    text = f"compute {minor}" if name == "OpenStack-API-Version" else minor

    answer = ask(apps["reader"], path, method=method, headers=[*headers, (name, text)], body=body)

    check(answer, freshness_demanded={"Cache-Control", "Treetop-Max-Lag"} & {name for name, _ in headers})
