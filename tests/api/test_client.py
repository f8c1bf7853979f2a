# SPDX-License-Identifier: Apache-2.0
"""Over real HTTP: the server's own life, and the real `openstack` client against it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


def openstack(port, *arguments):
    """What the client prints as JSON."""
    program = Path(sys.executable).with_name("openstack")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
        "OS_AUTH_TYPE": "none",
        "OS_ENDPOINT": f"http://127.0.0.1:{port}/v2.1",
        "OS_IDENTITY_API_VERSION": "3",
    }
    done = subprocess.run(
        [program, *arguments, "-f", "json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def demo(top):
    a_zone(top, 2)
    for number in range(1, 5):
        a_server(top, number, zone_id=1 + number % 2, project_id="demo", display_name=f"vm-{number}")
    a_server(top, 5, project_id="demo", display_name="gone", deleted=True, vm_state="deleted")
    a_server(top, 6, project_id=OTHER_PROJECT, display_name="theirs", vm_state="error", task_state="x")


def test_the_real_client_lists_filters_and_shows(port, demo):
    """One client process costs seconds of imports, so they run two at a time and share a test."""
    commands = {
        "all": ("server", "list", "--all-projects", "--long"),
        "mine": ("server", "list"),
        "limit": ("server", "list", "--limit", "2"),
        "marker": ("server", "list", "--marker", uuid_of(3)),
        "deleted": ("server", "list", "--deleted"),
        "name": ("server", "list", "--name", "vm-[12]"),
        "status": ("server", "list", "--all-projects", "--status", "ERROR"),
        "host": ("server", "list", "--all-projects", "--host", "compute-1"),
        "show": ("server", "show", "vm-2"),
        "flavors": ("flavor", "list"),
    }
    with ThreadPoolExecutor(2) as threads:
        found = dict(
            zip(commands, threads.map(lambda words: openstack(port, *words), commands.values()), strict=True)
        )

    names = {key: [row["Name"] for row in found[key]] for key in commands if key != "show"}
    assert names["all"] == ["theirs", "vm-4", "vm-3", "vm-2", "vm-1"]
    assert names["mine"] == ["vm-4", "vm-3", "vm-2", "vm-1"]
    assert names["limit"] == ["vm-4", "vm-3"]
    assert names["marker"] == ["vm-2", "vm-1"]
    assert names["deleted"] == ["gone"]
    assert names["name"] == ["vm-2", "vm-1"]
    assert names["status"] == ["theirs"]
    assert names["host"] == names["all"]
    assert names["flavors"] == ["m1.tiny"]
    assert (found["show"]["id"], found["show"]["status"]) == (uuid_of(2), "ACTIVE")
    first = found["all"][0]
    assert (first["Status"], first["Power State"], first["Flavor"]) == ("ERROR", 1, "m1.tiny")
    assert first["Networks"] == {"lab": ["10.0.0.5"]}
    assert first["Host"] == "compute-1.example.org"


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
