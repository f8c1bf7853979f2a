# SPDX-License-Identifier: Apache-2.0
"""Requests for servers that are wrong: parameters, microversions, projects, tokens, methods."""

from typing import Final

from tests.conformance.corpus.request import Request, once

_PARAMETERS: Final = once(
    "/servers?foo=bar",
    "/servers?_foo=bar",
    "/servers/detail?foo=bar&limit=2",
    "/servers?limit=-1",
    "/servers?limit=abc",
    "/servers?limit=",
    "/servers?limit=1.5",
    "/servers?limit=99999999999999999999",
    "/servers?marker=no-such-server",
    "/servers?marker={nobody}",
    "/servers?offset=3&limit=2",
    "/servers?page_size=2&limit=2",
    "/servers?info_cache=x",
    "/servers?metadata=%7B%7D",
    "/servers?security_groups=x",
    "/servers?name=%FF",
    "/servers?name=a%00b",
    "/servers?power_state=x&foo=1",
    "/servers?ip=%5B",
    "/servers?ip6=%5B",
    "/servers?host=%5B&all_tenants=1",
    "/servers?name=a&unknown=%C3%A9",
    "/servers?sort_key=uuid,host",
    "/servers?limit=2&",
    "/servers?=x",
    "/servers?&&limit=2",
    "/servers?limit=2;status=ACTIVE",
    "/servers?name=a+b",
)

_PROJECTS: Final = once(
    "/{other_project}/servers",
    "/{other_project}/servers/detail",
    "/{other_project}/servers/{tagged}",
    "/not-hexadecimal/servers",
)

_VERSIONS: Final = tuple(
    Request(path="/servers?limit=2", headers={name: value})
    for name, value in (
        ("OpenStack-API-Version", "compute 2.999"),
        ("OpenStack-API-Version", "compute 1.0"),
        ("OpenStack-API-Version", "compute 3.0"),
        ("OpenStack-API-Version", "compute garbage"),
        ("OpenStack-API-Version", "compute latest"),
        ("OpenStack-API-Version", "compute 2.01"),
        ("OpenStack-API-Version", "compute"),
        ("OpenStack-API-Version", "volume 3.50, compute 2.26"),
        ("OpenStack-API-Version", "volume 3.50"),
        ("X-OpenStack-Nova-API-Version", "2.53"),
        ("X-OpenStack-Nova-API-Version", "latest"),
        ("X-OpenStack-Nova-API-Version", "x"),
        ("X-OpenStack-Nova-API-Version", "2.999"),
    )
)

REQUESTS: Final = (*_PARAMETERS, *_PROJECTS, *_VERSIONS)
