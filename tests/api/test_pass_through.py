# SPDX-License-Identifier: Apache-2.0
"""In front of Nova: what is not answered here arrives at the region's nova-api as it was sent, its answer too."""

import http.client
import json
import socket
import threading
import time

import pytest

from tests.api.nova_upstream import NovaUpstream, Reply
from tests.api.passing import Asking, ask, fault
from tests.servers import wait_until
from tests.store.builders import a_server, a_zone, uuid_of
from treetop.api.options import ApiOptions

MEGABYTE = 1 << 20


def test_a_write_arrives_as_it_was_sent(fronting, nova):
    port = fronting(f"{nova.url}/v2.1")
    body = json.dumps({"server": {"name": "vm"}}).encode()
    headers = {
        "X-Auth-Token": "secret",
        "OpenStack-API-Version": "compute 2.104",
        "Content-Type": "application/json",
        "X-Something": "a, b",
        "Connection": "keep-alive, X-Of-This-Hop",
        "X-Of-This-Hop": "1",
        "X-Roles": "admin",
        "X-Service-Token": "service",
    }

    ask(port, "POST", "/v2.1/0123/servers?a=%2F&b=&a=ü".replace("ü", "%C3%BC"), body, headers)

    (received,) = nova.received
    assert (received.method, received.target) == ("POST", "/v2.1/0123/servers?a=%2F&b=&a=%C3%BC")
    assert received.body_start == body
    for name in ("X-Auth-Token", "OpenStack-API-Version", "Content-Type", "X-Something", "X-Service-Token"):
        assert received.header(name) == [headers[name]]
    for name in ("X-Of-This-Hop", "X-Roles", "Connection", "User-Agent"):
        assert received.header(name) == []
    assert received.header("Host") == [f"127.0.0.1:{nova.port}"]
    assert received.header("X-Forwarded-Host") == [f"127.0.0.1:{port}"]
    assert received.header("X-Forwarded-Proto") == ["http"]
    assert received.header("X-Forwarded-For") == ["127.0.0.1"]


def test_the_answer_comes_back_as_nova_gave_it(fronting, nova):
    body = b'{"server": {"links": ["http://nova/elsewhere"]}}'
    nova.replies.append(
        Reply(
            202,
            "Accepted Indeed",
            [
                ("Location", "http://nova.example/v2.1/servers/1"),
                ("X-Openstack-Request-Id", "req-1"),
                ("Vary", "A"),
                ("Vary", "B"),
                ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2"),
                ("Content-Type", "application/json; charset=x"),
                ("Content-Encoding", "gzip"),
            ],
            [body],
            len(body),
        )
    )

    with Asking(fronting(nova.url)) as asking:
        answer = asking.ask("POST", "/v2.1/servers", b"{}")
        assert (answer.status, answer.reason) == (202, "Accepted Indeed")
        headers = {name.lower(): value for name, value in answer.getheaders() if name.lower() != "set-cookie"}
        assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert answer.read() == body
    assert headers.pop("date")
    headers.pop("via", None)
    assert headers == {
        "location": "http://nova.example/v2.1/servers/1",
        "x-openstack-request-id": "req-1",
        "vary": "A, B",
        "content-type": "application/json; charset=x",
        "content-encoding": "gzip",
        "content-length": str(len(body)),
    }


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/v2.1/servers"),
        ("PUT", "/v2.1/servers/1"),
        ("DELETE", "/v2.1/servers/1"),
        ("PATCH", "/v2.1/servers"),
        ("GET", "/v2.1/servers/1/diagnostics"),
        ("GET", "/v2.1/0123/servers/1/os-interface"),
        ("POST", "/v2.1/servers/1/remote-consoles"),
        ("GET", "/v2.1/nothing%20known?x=1"),
        ("GET", "/v2.1/a%2Fb//c;d=1/%E2%82%AC"),
    ],
)
def test_what_is_not_answered_here_goes_to_nova(fronting, nova, method, target):
    port = fronting(f"{nova.url}/compute/v2.1/")

    status, _, _ = ask(port, method, target)

    assert status == 202
    assert [(request.method, request.target) for request in nova.received] == [(method, f"/compute{target}")]


def test_what_is_answered_here_does_not(fronting, nova, top):
    uuid = a_server(top, 1)
    port = fronting(nova.url)

    for target in ("/", "/v2.1", "/v2.1/servers", f"/v2.1/servers/{uuid}", "/healthcheck", "/v1/zones"):
        assert ask(port, "GET", target)[0] == 200

    assert nova.received == []


@pytest.mark.parametrize(
    "target",
    [
        "/v1/nothing",
        "/admin",
        "/v2.10/servers",
        "/v2.1/../admin",
        "/v2.1/%2e%2e/admin",
        "/v2.1/servers/%2e%2E%2f..%2fadmin",
        "/v2.1/servers/./x",
        "/v2.1/..%5cadmin",
    ],
)
def test_nothing_but_novas_api_is_reached(fronting, nova, target):
    port = fronting(nova.url)

    is_unversioned = target in ("/admin", "/v2.10/servers")  # Nova offers its versions then
    assert ask(port, "GET", target)[0] == (300 if is_unversioned else 404)
    assert ask(port, "POST", target, b"{}")[0] in ((300,) if is_unversioned else (403, 404, 405))

    assert nova.received == []


def test_the_address_is_the_operators_whatever_a_caller_sends(fronting, nova):
    port = fronting(nova.url)
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        there = f"127.0.0.1:{trap.getsockname()[1]}"
        with socket.create_connection(("127.0.0.1", port)) as raw:
            request = (
                f"POST http://{there}/v2.1/servers HTTP/1.1\r\nHost: {there}\r\nConnection: close\r\n\r\n"
            )
            raw.sendall(request.encode())
            while raw.recv(4096):
                pass
        with pytest.raises(BlockingIOError):
            trap.accept()

    assert [request.target for request in nova.received] == ["/v2.1/servers"]
    assert nova.received[0].header("Host") == [f"127.0.0.1:{nova.port}"]


def test_a_redirect_is_the_clients_to_follow(fronting, nova):
    nova.replies.append(Reply(301, "Moved", [("Location", "http://127.0.0.1:1/elsewhere")]))

    status, headers, _ = ask(fronting(nova.url), "GET", "/v2.1/nothing")

    assert (status, headers["location"]) == (301, "http://127.0.0.1:1/elsewhere")


def test_answers_without_a_body_stay_without(fronting, nova):
    port = fronting(nova.url, most=1)
    nova.replies += [Reply(204, "No Content"), Reply(304, "Not Modified"), Reply(200, "OK")]

    with Asking(port) as asking:  # one connection: a body too much would garble the next answer
        for method, status in (("DELETE", 204), ("GET", 304), ("PUT", 200), ("POST", 202)):
            answer = asking.ask(method, "/v2.1/servers/1/x")
            assert (answer.status, answer.read()) == (status, b"")


def memory_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.mark.parametrize("headers", [{"Content-Length": str(50 * MEGABYTE)}, {}], ids=["whole", "chunked"])
def test_a_large_body_goes_up_without_being_held(fronting, nova, headers):
    port = fronting(nova.url)
    ask(port, "POST", "/v2.1/x", b"warm")
    piece = bytes(MEGABYTE)
    peak = [memory_kb()]
    before = peak[0]

    def pieces():
        for _ in range(50):
            yield piece
            peak.append(memory_kb())

    nova.before_answering = lambda: peak.append(memory_kb())
    status, _, _ = ask(port, "POST", "/v2.1/x", pieces(), headers)

    assert status == 202
    assert nova.received[-1].body_bytes == 50 * MEGABYTE
    assert max(peak) - before < 12 * 1024


@pytest.mark.parametrize("length", [50 * MEGABYTE, None])
def test_a_large_body_comes_down_to_a_slow_client_without_being_held(fronting, nova, length):
    port = fronting(nova.url)
    ask(port, "GET", "/v2.1/x")
    piece = bytes(MEGABYTE)
    before = memory_kb()
    peak = [before]
    nova.replies.append(Reply(200, "OK", pieces=(piece for _ in range(50)), length=length))

    with Asking(port) as asking:
        answer = asking.ask("GET", "/v2.1/x")
        total = 0
        while part := answer.read(65536):
            total += len(part)
            if total % MEGABYTE == 0:
                time.sleep(0.001)  # a client that is slower than Nova
                peak.append(memory_kb())

    assert total == 50 * MEGABYTE
    assert max(peak) - before < 12 * 1024


def test_the_beginning_of_an_answer_does_not_wait_for_its_end(fronting, nova):
    is_read = threading.Event()

    def pieces():
        yield b"first"
        assert is_read.wait(30)
        yield b"last"

    for length in (None, 9):
        is_read.clear()
        nova.replies.append(Reply(200, "OK", pieces=pieces(), length=length))
        with Asking(fronting(nova.url)) as asking:
            answer = asking.ask("GET", "/v2.1/x")
            assert answer.read1(100) == b"first"
            is_read.set()
            assert answer.read() == b"last"


@pytest.mark.parametrize("length", [100, None])
def test_an_answer_that_breaks_off_cannot_be_taken_for_whole(fronting, nova, length):
    nova.replies.append(Reply(200, "OK", pieces=[b"part"], length=length, breaks_off=True))

    with Asking(fronting(nova.url)) as asking:
        answer = asking.ask("GET", "/v2.1/x")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()


def test_a_nova_that_is_not_there_is_a_502(fronting):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"
    port = fronting(f"RegionOne:http://{address}")

    answer = ask(port, "POST", "/v2.1/servers", b"{}")

    assert fault(answer) == (502, "computeFault", "The Nova of region RegionOne cannot be reached.")
    assert address not in str(answer)


def test_a_nova_that_says_nothing_is_a_504_and_the_write_in_doubt(fronting, nova):
    release = threading.Event()
    nova.before_answering = lambda: release.wait(30)
    port = fronting(nova.url, answer_seconds=0.2)

    status, _, message = fault(ask(port, "POST", "/v2.1/servers", b"{}"))
    release.set()

    assert status == 504
    assert message == "Nova did not answer in time. Whether it did what was asked is not known."


def test_a_nova_that_hangs_up_is_a_502_and_the_write_is_not_sent_again(fronting, pool):
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = []

        def hang_up():
            connection, _ = server.accept()
            with connection:
                asked.append(connection.recv(65536))

        thread = threading.Thread(target=hang_up)
        thread.start()
        status, _, message = fault(
            ask(fronting(f"http://127.0.0.1:{server.getsockname()[1]}"), "DELETE", "/v2.1/servers/1")
        )
        thread.join()
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()

    assert len(asked) == 1
    assert (status, message) == (
        502,
        "Nova cannot be reached. Whether it did what was asked is not known.",
    )


def test_a_slow_nova_does_not_keep_lists_waiting(fronting, nova, top):
    """Two requests on their way, as many as allowed: the third is refused at once, and lists are answered."""
    release = threading.Event()
    nova.before_answering = lambda: release.wait(30)
    port = fronting(nova.url, most=2)
    slow = [threading.Thread(target=ask, args=(port, "POST", "/v2.1/servers", b"{}")) for _ in range(2)]
    for thread in slow:
        thread.start()
    wait_until("both are on their way", lambda: len(nova.received) == 2)

    status, headers, _ = ask(port, "POST", "/v2.1/servers", b"{}")
    listed, _, _ = ask(port, "GET", "/v2.1/servers")
    release.set()
    for thread in slow:
        thread.join()

    assert (status, headers["retry-after"]) == (503, "1")
    assert listed == 200
    assert ask(port, "POST", "/v2.1/servers", b"{}")[0] == 202


def test_clients_that_go_away_give_their_place_back(fronting, nova):
    port = fronting(nova.url, most=1)
    for _ in range(3):
        nova.replies.append(
            Reply(200, "OK", pieces=(bytes(MEGABYTE) for _ in range(20)), length=20 * MEGABYTE)
        )
        with Asking(port) as asking:
            asking.ask("GET", "/v2.1/x").read(1)

        wait_until("the place is free", lambda: ask(port, "GET", "/v2.1/x")[0] == 202)


def test_an_endpoint_that_leads_back_here_is_found_out(fronting, nova):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        free = reserved.getsockname()[1]
    port = fronting(nova.url)
    status, _, message = fault(ask(port, "GET", "/v2.1/x", headers={"Via": "1.1 a, " + "1.1 treetop, " * 4}))

    assert (status, free > 0) == (508, True)
    assert "leads back to this API" in message
    ask(port, "GET", "/v2.1/x", headers={"Via": "1.0 somebody"})
    assert nova.received[-1].header("Via") == ["1.0 somebody, 1.1 treetop"]


@pytest.fixture
def two_regions(fronting, nova, top):
    """(port, nova of `lab` with zone 1, nova of `far` with zone 2)."""
    a_zone(top, 2)
    top.execute("UPDATE zone SET region = 'far' WHERE id = 2")
    other = NovaUpstream()
    yield fronting(f"lab:{nova.url}/v2.1", f"far:{other.url}"), nova, other
    other.close()


def test_a_server_leads_to_its_own_region(two_regions, top):
    port, nova, other = two_regions
    a_server(top, 1, zone_id=1)
    a_server(top, 2, zone_id=2)

    ask(port, "POST", f"/v2.1/servers/{uuid_of(1)}/action", b"{}")
    ask(port, "DELETE", f"/v2.1/0123/servers/{uuid_of(2)}", headers={"Treetop-Region": "lab"})

    assert [request.target for request in nova.received] == [f"/v2.1/servers/{uuid_of(1)}/action"]
    assert [request.target for request in other.received] == [f"/v2.1/0123/servers/{uuid_of(2)}"]


def test_without_a_server_the_header_names_the_region(two_regions):
    port, nova, other = two_regions

    assert ask(port, "POST", "/v2.1/servers", b"{}", {"Treetop-Region": "far"})[0] == 202

    assert (len(nova.received), len(other.received)) == (0, 1)


def test_without_a_way_to_tell_the_region_must_be_named(two_regions):
    port, nova, other = two_regions

    for headers in ({}, {"Treetop-Region": "elsewhere"}):
        status, name, message = fault(ask(port, "POST", "/v2.1/servers", b"{}", headers))
        assert (status, name) == (400, "badRequest")
        assert "Treetop-Region" in message
        assert "Known are: far, lab." in message

    assert (nova.received, other.received) == ([], [])


def test_a_region_whose_nova_is_not_known_is_named(fronting, nova, top):
    a_server(top, 1)
    port = fronting(f"far:{nova.url}")

    status, name, message = fault(ask(port, "DELETE", f"/v2.1/servers/{uuid_of(1)}"))

    assert (status, name) == (501, "notImplemented")
    assert message.startswith("This server belongs to region lab, whose Nova cannot be reached from here.")


def test_a_read_that_demands_too_much_can_go_to_nova(fronting, nova, top):
    top.execute("UPDATE zone_position SET as_of = now() - interval '1 hour'")
    options = ApiOptions(freshness_wait_seconds=0)
    demand = {"Treetop-Max-Lag": "5"}

    assert ask(fronting(nova.url, options=options), "GET", "/v2.1/servers", headers=demand)[0] == 503
    assert nova.received == []
    passing = fronting(nova.url, options=options, passes_stale_reads=True)
    assert ask(passing, "GET", "/v2.1/servers?name=x", headers=demand)[0] == 202
    assert nova.received[0].target == "/v2.1/servers?name=x"


def test_of_several_regions_none_answers_for_all(two_regions, fronting, nova, top):
    top.execute("UPDATE zone_position SET as_of = now() - interval '1 hour'")
    port = fronting(
        f"lab:{nova.url}",
        "far:http://127.0.0.1:1",
        options=ApiOptions(freshness_wait_seconds=0),
        passes_stale_reads=True,
    )

    status, _, message = fault(ask(port, "GET", "/v2.1/servers", headers={"Treetop-Max-Lag": "5"}))

    assert status == 503
    assert "cell1 is 36" in message
