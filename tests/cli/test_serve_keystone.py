# SPDX-License-Identifier: Apache-2.0
"""`treetop serve` behind Keystone as a process, over real HTTP, and the real client with the catalog."""

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.servers import wait_until
from tests.store.builders import a_server, a_zone
from treetop.store.daemon import free_port

ORIGIN = "https://dashboard.example.org"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "X-Auth-Token, OpenStack-API-Version",
}


def ask(port, path, method="GET", **headers):
    """(status, headers, body) of an answer; None: nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): headers[name] for name in headers})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except ConnectionRefusedError:
        return None
    finally:
        connection.close()


@pytest.fixture
def port(top, keystone, tmp_path):
    """The port of a process that listens on every address, over a top with a server of each project."""
    with psycopg.connect(top, autocommit=True) as connection:
        a_zone(connection)
        for name in ("alpha", "beta"):
            a_server(connection, display_name=f"of-{name}", project_id=keystone.project_ids[name])
    port = free_port()
    configuration = tmp_path / "treetop.conf"
    configuration.write_text(
        f"[store]\nconnection = {top}\n[api]\nauth_strategy = keystone\nhost = 0.0.0.0\nport = {port}\n"
        f"{keystone.authtoken_options()}"
        f"[oslo_middleware]\nenable_proxy_headers_parsing = true\n[cors]\nallowed_origin = {ORIGIN}\n"
    )
    command = [sys.executable, "-m", "treetop", "--config-file", str(configuration), "serve", "--with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until("it answers", lambda: ask(port, "/healthcheck"), seconds=30)
        yield port
        process.terminate()
        _, said = process.communicate(timeout=20)
    assert b"Traceback" not in said


def test_it_serves_the_network_by_tokens(port, keystone, tmp_path):
    keystone.register_service("compute", f"http://127.0.0.1:{port}/v2.1/%(project_id)s")

    assert ask(port, "/v2.1/servers")[0] == 401
    status, _, body = ask(port, "/v2.1/servers", X_Auth_Token=keystone.token("reader", "beta"))
    assert (status, [server["name"] for server in json.loads(body)["servers"]]) == (200, ["of-beta"])

    _, _, body = ask(port, "/v2.1", X_Forwarded_Proto="https", X_Forwarded_Host="cloud.example.org")
    assert json.loads(body)["version"]["links"][0]["href"] == "https://cloud.example.org/v2.1/"

    status, headers, _ = ask(port, "/v2.1/servers", "OPTIONS", **PREFLIGHT)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, ORIGIN)

    done = subprocess.run(
        [Path(sys.executable).with_name("openstack"), "server", "list", "--all-projects", "-f", "json"],
        env={name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        | keystone.environment("admin", "alpha"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {server["Name"] for server in json.loads(done.stdout)} == {"of-alpha", "of-beta"}


def test_another_wsgi_server_gets_the_same_from_the_factory(top, keystone, tmp_path):
    configuration = tmp_path / "treetop.conf"
    configuration.write_text(
        f"[store]\nconnection = {top}\n[api]\nauth_strategy = keystone\n{keystone.authtoken_options()}"
    )
    program = (
        "from falcon.testing import TestClient\nfrom treetop.api.wsgi import make_application\n"
        f"client = TestClient(make_application({str(configuration)!r}))\n"
        "tokens = ({}, {'X-Auth-Token': '" + keystone.token("reader", "alpha") + "'})\n"
        "print([client.simulate_get('/v2.1/servers', headers=token).status_code for token in tokens])\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.stdout == "[401, 200]\n", done.stderr
    assert "Traceback" not in done.stderr
