# SPDX-License-Identifier: Apache-2.0
"""The document about `/v1`: it is OpenAPI, leaves nothing out, and a machine that believes it finds no lie."""

import falcon.inspect
import falcon.testing
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode

from tests.store.builders import a_server, a_zone
from treetop.api.app import make_app
from treetop.api.caller import admin_of
from treetop.api.fault import Fault
from treetop.api.options import ApiOptions

TOKEN = "the token"


def with_token(request, _project):
    if request.get_header("X-Auth-Token") != TOKEN:
        raise Fault(401, "The request you have made requires authentication.")
    return admin_of("demo")


@pytest.fixture
def app(pool, top):
    a_zone(top, 2, trust="servers", state="stopped", lag_seconds=None)
    a_server(top, 1)
    return make_app(pool, authenticator=with_token, options=ApiOptions())


@pytest.fixture
def document(app):
    answer = falcon.testing.TestClient(app).simulate_get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json


def test_it_is_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_path_of_our_own_is_described_and_nothing_else(app, document):
    routed = {route.path for route in falcon.inspect.inspect_routes(app) if route.path.startswith("/v1/")}

    assert set(document["paths"]) == routed
    assert routed


@pytest.mark.parametrize("mode", list(GenerationMode))
@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_it_says_is_so(app, mode, data):
    """Every answer has the described status, type, headers and shape; with a made-up token or none it is a 401."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    case = data.draw(schema.as_strategy(generation_mode=mode))

    token = {} if "X-Auth-Token" in case.headers else {"X-Auth-Token": TOKEN}
    case.call_and_validate(headers=token)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD"])
@pytest.mark.parametrize("path", ["/v1/zones", "/openapi.json"])
def test_what_only_reads_says_so(api, method, path):
    answer = api.ask(path, None, method=method)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, OPTIONS"
    if method != "HEAD":
        assert answer.json["badMethod"]["code"] == 405
