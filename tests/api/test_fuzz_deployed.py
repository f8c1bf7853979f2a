# SPDX-License-Identifier: Apache-2.0
"""As it is deployed, with Keystone's and OpenStack's middleware around it, the API takes any headers as well."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.answers import ask, check
from tests.api.asking import BODIES, HEADERS, METHODS, MICROVERSIONS
from treetop.api.deploy import deploy
from treetop.config import load_settings

#: OPTIONS is answered by CORS, around everything that makes ids: as in Nova's own pipeline.
ANSWERED = [method for method in METHODS if method != "OPTIONS"]
PATHS = ["/", "/v2.1", "/v2.1/servers", "/v2.1/servers/detail", "/v2.1/servers/x", "/v1/zones", "/nowhere"]


@pytest.fixture(scope="module")
def deployed(crowded_pool, keystone, tmp_path_factory):
    configuration = tmp_path_factory.mktemp("deployed") / "treetop.conf"
    configuration.write_text(
        f"[api]\nauth_strategy = keystone\nfreshness_wait_seconds = 0\n{keystone.authtoken_options()}"
        "[oslo_middleware]\nenable_proxy_headers_parsing = true\n[cors]\nallowed_origin = https://x.example.org\n"
    )
    return deploy(crowded_pool, load_settings([str(configuration)]), None).application


@given(
    path=st.sampled_from(PATHS),
    headers=st.lists(st.sampled_from(HEADERS), max_size=4),
    is_known=st.booleans(),
    minor=st.sampled_from(MICROVERSIONS),
    method=st.sampled_from(ANSWERED),
    body=st.sampled_from(BODIES),
)
@settings(max_examples=200, deadline=None)
def test_no_header_is_an_internal_error(deployed, keystone, path, headers, is_known, minor, method, body):
    sent = [*headers, ("OpenStack-API-Version", f"compute {minor}")]
    if is_known:
        sent.append(("X-Auth-Token", keystone.token("reader", "alpha")))

    answer = ask(deployed, path, method=method, headers=sent, body=body)

    check(answer, freshness_demanded={"Cache-Control", "Treetop-Max-Lag"} & {name for name, _ in headers})
