# SPDX-License-Identifier: Apache-2.0
"""What a caller may not ask, in the words of Nova that clients know; and nothing ends in a 500."""

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import RUNAWAY_PATTERN, Client
from tests.store.builders import PROJECT, a_server
from treetop.api.caller import Caller
from treetop.api.server_parameters import SERVER_PARAMETERS, sort_keys

FLAGS = "'0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
VALUE = "Invalid input for query parameters"


@pytest.mark.parametrize(
    ("query", "minor", "message"),
    [
        ("limit=-1", 96, f"{VALUE} limit. Value: -1. '-1' does not match '^[0-9]*$'"),
        ("limit=", 1, f"{VALUE} limit. Value: . '' should be non-empty"),
        ("limit=x", 1, f"{VALUE} limit. Value: x. 'x' does not match '^[0-9]*$'"),
        ("limit=1&limit=x", 1, f"{VALUE} limit. Value: x. 'x' does not match '^[0-9]*$'"),
        ("name=[", 1, f"{VALUE} name. Value: [. '[' is not a 'regex'"),
        ("name=", 1, f"{VALUE} name. Value: . '' is not a 'regex'"),
        (
            "changes-since=yesterday",
            96,
            f"{VALUE} changes-since. Value: yesterday. 'yesterday' is not a 'date-time'",
        ),
        ("changes-before=x", 66, f"{VALUE} changes-before. Value: x. 'x' is not a 'date-time'"),
        (
            "changes-since=2026-01-02&changes-before=2026-01-01",
            66,
            "The value of changes-since must be less than or equal to changes-before.",
        ),
        ("foo=1", 75, "'foo' does not match any of the regexes: '^_'"),
        ("foo=1&bar=2", 75, "'bar', 'foo' do not match any of the regexes: '^_'"),
        ("page_size=1", 75, "'page_size' does not match any of the regexes: '^_'"),
        ("sort_dir=up", 1, "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'"),
        (
            "sort_key=uuid&sort_dir=asc&sort_dir=asc",
            1,
            "Invalid input received: Sort direction size exceeds sort key size",
        ),
        ("locked=x", 73, f"Unrecognized value 'x', acceptable values are: {FLAGS}"),
        (
            "all_tenants=x",
            1,
            f"Unrecognized value 'x', acceptable values are: {FLAGS}",
        ),
        ("info_cache=1", 1, "Invalid filter field: info_cache."),
        ("_x=1", 96, "Invalid filter field: _x."),
        ("name=%FF", 1, "Query string is not UTF-8 encoded"),
        ("name=%00", 1, "Query string holds a NUL character"),
    ],
)
@pytest.mark.parametrize("path", ["/v2.1/servers", "/v2.1/servers/detail"])
def test_bad_parameters_are_refused_in_novas_words(api, path, query, minor, message):
    assert api.refusal(f"{path}?{query}", minor) == (400, "badRequest", message)


@pytest.mark.parametrize(
    "time", ["2026", "2026-02", "20260203", "2026-02-03 04:05", "2026-02-03T04:05:06,7Z"]
)
def test_a_time_may_be_written_in_all_ways_that_nova_reads(api, time):
    assert api.get(f"/v2.1/servers?changes-since={time}", 96) == {"servers": []}


@pytest.mark.parametrize("time", ["now", "2026-W01", "0000-01-01", "2026-13-01", "2026-02-03T25:00", ""])
def test_what_nova_does_not_read_is_no_time(api, time):
    assert api.refusal(f"/v2.1/servers?changes-since={time}", 96)[0] == 400


@pytest.mark.parametrize("minor", [1, 74, 75])
def test_a_bad_sort_key_is_answered_with_all_good_ones(api, minor):
    status, _, message = api.refusal("/v2.1/servers?sort_key=nonsense", minor)

    assert status == 400
    assert message == (
        f"{VALUE} sort_key. Value: nonsense. 'nonsense' is not one of {sorted(sort_keys(minor))}"
    )
    assert len(sort_keys(minor)) == (30 if minor == 75 else 51)


@pytest.mark.parametrize("query", ["foo=1", "page_size=1", "changes-before=x", "tags=[", "locked=x"])
def test_unknown_parameters_are_dropped_by_the_first_version(api, query):
    assert api.get(f"/v2.1/servers?{query}", 1) == {"servers": []}


@pytest.mark.parametrize(
    ("query", "minor", "message"),
    [
        (
            "all_tenants=1",
            1,
            "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed.",
        ),
        ("status=DELETED", 1, "Only administrators may list deleted instances"),
        ("sort_key=host", 1, "Only administrators can sort servers by host"),
        ("sort_key=uuid&sort_key=node", 96, "Only administrators can sort servers by node"),
    ],
)
def test_what_is_for_administrators_is_forbidden_to_readers(reader_api, query, minor, message):
    assert reader_api.refusal(f"/v2.1/servers?{query}", minor) == (403, "forbidden", message)


def test_the_detailed_list_has_a_policy_of_its_own(reader_api):
    assert "servers:detail:get_all_tenants" in reader_api.refusal("/v2.1/servers/detail?all_tenants=1")[2]


@pytest.mark.parametrize("query", ["info_cache=1", "_x=1", "services=x"])
def test_names_of_joined_tables_are_ignored_for_readers(reader_api, query):
    assert reader_api.get(f"/v2.1/servers?{query}", 96) == {"servers": []}


@pytest.mark.parametrize("pattern", ["(?<=a)b", "(?P<x>a)", "a{2000}", "\\Z"])
def test_a_pattern_that_only_python_reads_is_refused_or_answered(api, pattern):
    answer = api.ask(f"/v2.1/servers?name={pattern}")

    assert answer.status_code in (200, 400)


def test_a_pattern_that_the_database_cannot_read_is_named(api, top):
    a_server(top, 1)  # without a row PostgreSQL may never look at the pattern

    status, fault, message = api.refusal("/v2.1/servers?name=(?P<x>a)")

    assert (status, fault) == (400, "badRequest")
    assert "(?P<x>a)" in message


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(sorted(SERVER_PARAMETERS)), st.text(max_size=8)), min_size=1, max_size=3
    ),
    minor=st.sampled_from([1, 26, 74, 75, 100]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_parameter_value_is_an_internal_error(api, pairs, minor):
    answer = api.ask(f"/v2.1/servers/detail?{urlencode(pairs, errors='surrogatepass')}", minor)

    assert answer.status_code in (200, 400), answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize(
    "path", ["/v2.1/servers", "/v2.1/servers/x", "/v2.1/servers/x/action", "/v2.1/os-keypairs"]
)
def test_changes_are_refused_with_a_reason(api, method, path):
    status, fault, message = api.refusal(path, method=method)

    assert (status, fault) == (403, "forbidden")
    assert "read-only" in message


@pytest.mark.parametrize(
    "path",
    [
        "/v2.1/images?id=in:1",
        "/v2.1/nonsense",
        "/v2.1/not-hexadecimal/servers",
        "/v2.1/servers.json",
        "/v1/nonsense",
        "/v2.1/servers/x/y/z",
        "//v2.1/servers",
        "///v2.1/servers/detail",
        "//v1/zones",
    ],
)
def test_what_is_not_routed_is_a_plain_404_with_request_ids(api, path):
    answer = api.ask(path)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text.startswith("404 Not Found\n\nThe resource could not be found.")
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]
    assert "OpenStack-API-Version" not in answer.headers


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/v2.1", "/v2.1/servers", "/v2.1/servers/x"])
def test_methods_that_nova_does_not_route_are_its_404(api, method, path):
    answer = api.ask(path, method=method)

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_a_pattern_that_never_ends_is_refused_and_says_so(impatient_api, top):
    a_server(top, 1, display_name="a" * 251)

    status, fault, message = impatient_api.refusal(f"/v2.1/servers?name={RUNAWAY_PATTERN}")

    assert (status, fault) == (400, "badRequest")
    assert "longer than a request may take" in message


@pytest.mark.parametrize(
    ("query", "minor", "words"),
    [
        ("foo=1&limit=x", 75, "'foo' does not match"),
        ("limit=x&status=nonsense", 38, "limit"),
        ("info_cache=1&status=nonsense", 38, "Invalid filter field"),
        ("status=nonsense&changes-since=2026-01-02&changes-before=2026-01-01", 66, "Invalid status value"),
        ("changes-since=2026-01-02&changes-before=2026-01-01&all_tenants=x", 66, "changes-since must be"),
        ("all_tenants=x&locked=z", 73, "Unrecognized value 'x'"),
        ("locked=z&sort_dir=up", 73, "Unrecognized value 'z'"),
        ("sort_dir=up&marker=x", 1, "Unknown sort direction"),
    ],
)
def test_of_two_faults_the_one_that_nova_finds_first_is_named(api, query, minor, words):
    assert words in api.refusal(f"/v2.1/servers?{query}", minor)[2]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("status=DELETED&all_tenants=1", "Only administrators may list deleted instances"),
        ("all_tenants=1&sort_key=host", "Policy doesn't allow os_compute_api:servers:index:get_all_tenants"),
        ("sort_key=host&sort_dir=up", "Only administrators can sort servers by host"),
    ],
)
def test_of_two_things_that_are_forbidden_the_one_that_nova_finds_first_is_named(reader_api, query, words):
    status, _, message = reader_api.refusal(f"/v2.1/servers?{query}")

    assert status == 403
    assert words in message


def test_a_status_that_is_none_was_an_empty_list_whatever_else_is_asked(reader_api):
    assert reader_api.get("/v2.1/servers?status=nonsense&all_tenants=1", 37) == {"servers": []}


def test_parameters_are_judged_before_the_policy(pool, top):
    nobody = Caller(
        user_id="x", project_id=PROJECT, is_admin=False, permissions=frozenset(), elsewhere=frozenset()
    )
    api = Client(pool, authenticator=lambda _request, _project: nobody)

    assert api.refusal("/v2.1/servers?limit=x")[0] == 400
    assert api.refusal("/v2.1/servers") == (
        403,
        "forbidden",
        "Policy doesn't allow os_compute_api:servers:index to be performed.",
    )
    assert "servers:detail" in api.refusal("/v2.1/servers/detail")[2]


@pytest.mark.parametrize("kind", ["text/xml", "application/x-www-form-urlencoded", "json", "a/b; c=d"])
def test_a_body_of_a_kind_that_nova_does_not_read_is_refused_even_if_there_is_none(api, kind):
    assert api.refusal("/v2.1/servers", headers={"Content-Type": kind}) == (
        415,
        "badMediaType",
        "Unsupported Content-Type",
    )


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "application/json"])
def test_a_body_of_a_kind_that_nova_reads_is_ignored(api, kind):
    assert api.get("/v2.1/servers", headers={"Content-Type": kind}) == {"servers": []}
