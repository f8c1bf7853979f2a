# SPDX-License-Identifier: Apache-2.0
"""`treetop serve`, `sync` and `zone verify` as processes: how they begin, refuse and end."""

import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request

import pytest

from tests.cli.conftest import PROGRAM, SECRET, process, refusal
from tests.servers import wait_until
from treetop.cli.top import connected
from treetop.cli.verify import verify
from treetop.config import load_settings
from treetop.errors import Retry
from treetop.store.daemon import free_port
from treetop.store.zones import find_zone


@pytest.fixture
def environment(top):
    return {"OS_STORE__CONNECTION": top}


def start(environment, *words):
    return subprocess.Popen(
        [*PROGRAM, *words],
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthcheck", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_a_taken_port_is_refused_with_a_way_to_find_out_by_whom(environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(process("serve", "--port", str(port), environment=environment), status=2)

    assert said.error == f"port {port} on 127.0.0.1 is taken"
    assert "ss -ltnp" in said.hint
    assert "--port" in said.hint


@pytest.mark.parametrize("host", ["0.0.0.0", ""])
def test_everybody_is_let_in_on_this_machine_only(environment, host):
    said = refusal(process("serve", "--host", host, "--port", "1234", environment=environment), status=2)

    assert f"does not listen on {host}" in said.error
    assert "127.0.0.1" in said.hint


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_api_ends_by_a_signal_in_order(environment, number):
    port = free_port()
    with start(environment, "serve", "--port", str(port)) as running:
        wait_until("it answers", lambda: answers(port), seconds=20)
        running.send_signal(number)
        _, said = running.communicate(timeout=10)

    assert running.returncode == 0
    assert "Traceback" not in said
    assert not answers(port)


@pytest.mark.parametrize("words", [("serve",), ("sync",)])
def test_a_daemon_of_a_parent_ends_with_it(environment, words):
    """It sees the end of a pipe that its parent held, so also a `kill -9` of that."""
    port = free_port()
    extra = ("--port", str(port)) if words == ("serve",) else ()
    with start(environment, *words, *extra, "--with-parent") as running:
        if words == ("serve",):
            wait_until("it answers", lambda: answers(port), seconds=20)
        running.stdin.close()
        running.stdin = None
        running.communicate(timeout=20)

    assert running.returncode in (0, -signal.SIGTERM)  # it may come before it is caught


def test_a_zone_that_does_not_answer_cannot_be_compared(environment):
    process("zone", "add", "west", f"postgresql://{SECRET[:3]}@127.0.0.1:1/d", environment=environment)

    done = process("zone", "verify", "west", "--timeout", "2", environment=environment)

    assert (done.status, done.out) == (1, "")
    assert "Error: zone west is waiting and was not compared: " in done.err
    assert "\nTry: " in done.err
    assert "Traceback" not in done.err


def test_a_zone_that_waits_is_not_waited_for_until_the_timeout(environment, monkeypatch):
    process("zone", "add", "west", f"postgresql://{SECRET[:3]}@127.0.0.1:1/d", environment=environment)
    monkeypatch.setenv("OS_STORE__CONNECTION", environment["OS_STORE__CONNECTION"])
    settings = load_settings()

    with connected(settings) as conn:
        zone = find_zone(conn, "west")

        with pytest.raises(Retry, match="zone west is waiting and was not compared: "):
            verify(conn, settings, zone, repair=False, timeout_seconds=3600, patience_seconds=0.2)


def test_a_comparison_ends_by_ctrl_c_and_blames_nobody(environment):
    process("zone", "add", "west", f"postgresql://{SECRET[:3]}@127.0.0.1:1/d", environment=environment)
    with start(environment, "zone", "verify", "west") as running:
        wait_until("the zone waits", lambda: "waiting" in running.stderr.readline(), seconds=20)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)

    assert running.returncode == 130
    assert "does not answer" not in said
    assert "Traceback" not in said


def test_a_worker_of_an_unknown_zone_is_refused(environment):
    said = refusal(process("sync", "--zone", "nowhere", environment=environment), status=2)

    assert said.error == "there is no zone 'nowhere'"
