# SPDX-License-Identifier: Apache-2.0
"""What an answer draws on was waited for: compared over every route there is, with rows for each."""

import falcon
import falcon.testing
import pytest

from tests.api.route_table import routes_of
from tests.api.two_projects import MINE
from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.options import ApiOptions
from treetop.api.zones_awaited import zones_awaited, zones_of_one_server
from treetop.store.freshness import read_zones
from treetop.store.pool import reading
from treetop.store.server_zones import zones_of_server


class Noting:
    """Middleware that keeps what a resource said it drew on."""

    def __init__(self):
        self.drawn = None

    def process_response(self, request, _response, _resource, _succeeded):
        self.drawn = getattr(request.context, "zones", None)


@pytest.fixture
def noting(crowded_pool):
    app, noted = make_app(crowded_pool, authenticator=noauth, options=ApiOptions()), Noting()
    app.add_middleware(noted)
    return app, noted


def test_no_answer_draws_on_a_zone_that_was_not_waited_for(crowded_pool, noting):
    app, noted = noting
    client = falcon.testing.TestClient(app)
    answered = 0
    for route in routes_of(app):
        for values in route.values(MINE):
            if "GET" not in route.methods or not route.template.startswith("/v2.1"):
                continue
            headers = {"X-Project-Id": MINE.project, "OpenStack-API-Version": "compute 2.40"}
            answer = client.simulate_get(route.path(values), headers=headers)
            if answer.status_code != 200 or noted.drawn is None:
                continue
            answered += 1
            with reading(crowded_pool) as connection:
                zones = read_zones(connection)
                of_server = zones_of_server(connection, values.get("server_id", ""), project_id=None)
            awaited = (
                zones_of_one_server(zones, of_server) if of_server else zones_awaited(route.template, zones)
            )
            drawn = {zone.freshness.zone for zone in noted.drawn}
            assert drawn <= {zone.freshness.zone for zone in awaited}, route.template
    assert answered > 25
