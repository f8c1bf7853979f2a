# SPDX-License-Identifier: Apache-2.0
"""The API as a process, over real HTTP: connections, long URLs, addresses that cannot be had, an orderly end."""

import http.client
import json
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.store.builders import OTHER_PROJECT, a_server, a_zone, uuid_of
from treetop.api.server_process import ApiServer, Listening
from treetop.errors import Refuse

SERVE = """
import sys
from dataclasses import replace
from treetop.api.serve import serve
from treetop.config import load_settings

settings = replace(load_settings(), connection=sys.argv[1])
serve(settings, port=0, on_ready=lambda port: print(port, flush=True))
print("stopped", flush=True)
"""


@pytest.fixture
def demo(top):
    a_zone(top, 2)
    for number in range(1, 5):
        a_server(top, number, zone_id=1 + number % 2, project_id="demo", display_name=f"vm-{number}")
    a_server(top, 5, project_id="demo", display_name="gone", deleted=True, vm_state="deleted")
    a_server(top, 6, project_id=OTHER_PROJECT, display_name="theirs", vm_state="error", task_state="x")


def test_one_connection_carries_many_requests(port, demo):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.connect()
    begun = connection.sock

    for _ in range(3):
        connection.request("GET", "/v2.1/servers/detail?all_tenants=1")
        answer = connection.getresponse()
        assert len(json.loads(answer.read())["servers"]) == 5
        assert connection.sock is begun
    connection.close()


def test_hundreds_of_clients_that_say_nothing_keep_nobody_out(port):
    with ExitStack() as silent:
        for _ in range(300):
            silent.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

        connection.request("GET", "/healthcheck")

        assert connection.getresponse().status == 200
        connection.close()


def test_very_long_urls_are_read(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    connection.request("GET", "/v2.1/images?id=in:" + ",".join([uuid_of(1)] * 1000))

    assert connection.getresponse().status == 404
    connection.close()


def test_a_taken_port_is_refused_with_its_number_and_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]

        with pytest.raises(Refuse, match=str(number)) as caught:
            ApiServer(lambda _environ, _start: [], Listening(host="127.0.0.1", port=number, threads=1))

    assert "--port" in str(caught.value.hint)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host"])
def test_an_address_of_another_machine_is_refused(host):
    with pytest.raises(Refuse, match=host):
        ApiServer(lambda _environ, _start: [], Listening(host=host, port=0, threads=1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_order(api_dsn, top, number):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVE, api_dsn],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(process.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/v2.1/servers")
        assert connection.getresponse().status == 200

        process.send_signal(number)
        out, errors = process.communicate(timeout=10)
        connection.close()
    finally:
        process.kill()
        process.wait()

    assert (process.returncode, out) == (0, "stopped\n"), errors
    assert "Traceback" not in errors
