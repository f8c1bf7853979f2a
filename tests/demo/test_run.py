# SPDX-License-Identifier: Apache-2.0
"""`treetop demo` as people run it: real processes, a folder and a port of its own, everything gone at the end.

Each test costs a demo's start, some seconds; what can be looked at in one demo is looked at in one.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.json_contract import documented_fields, field_names
from tests.servers import wait_until
from treetop.store.daemon import free_port

START_SECONDS = 90.0  # some on a quiet machine


@pytest.fixture
def folder(tmp_path):
    """Where a demo runs; not there yet."""
    return tmp_path / "a demo of $5"  # what has to be quoted is


def command(folder, port, *words):
    program = (sys.executable, "-m", "treetop", "demo", "--folder", str(folder), "--port", str(port))
    return [*program, "--servers", "40", *words]


def run(folder, port, *words, prefix=()):
    return subprocess.run(
        [*prefix, *command(folder, port, *words)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@contextmanager
def started(folder, port, *words):
    """A demo that answers. It is killed at the end if it still runs."""
    with subprocess.Popen(
        command(folder, port, *words),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            lines = iter(running.stdout.readline, "")
            said = []
            while not any("Ctrl-C stops everything" in line for line in said):
                said.append(next(lines, "Ctrl-C stops everything: it ended"))
            assert running.poll() is None, said
            yield running
        finally:
            running.kill()


def environment():
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    return kept | {"PYTHONUNBUFFERED": "0"}


def processes_of(folder):
    """The pids of processes that name the folder: in their command, as working directory, in a setting."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            texts = [(entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()]
            texts.append(os.fsencode(os.readlink(entry / "cwd")))
        except OSError:
            continue  # ended meanwhile, or a zombie
        if any(os.fsencode(folder.name) in text for text in texts):
            found.append(int(entry.name))
    return found


def list_servers(port):
    with urllib.request.urlopen(
        f"http://127.0.0.1:{port}/v2.1/servers/detail?all_tenants=1&limit=1000"
    ) as answer:
        return json.load(answer)["servers"]


def openstack(port, *words):
    client = Path(sys.executable).with_name("openstack")
    settings = {
        "OS_AUTH_TYPE": "none",
        "OS_ENDPOINT": f"http://127.0.0.1:{port}/v2.1",
        "OS_IDENTITY_API_VERSION": "3",
    }
    done = subprocess.run(
        [client, *words, "-f", "json"],
        env=environment() | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_demo_proves_itself_and_leaves_nothing(folder):
    done = run(folder, free_port(), "--seconds", "8", "--json")

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)  # and nothing else
    assert field_names(document) == documented_fields("demo --seconds N --json")
    kinds = {zone["name"]: zone["kind"] for zone in document["zones"]}
    assert kinds == {"cell0": "cell", "demo-api": "api", "east": "cell", "north": "cell", "west": "cell"}
    assert {zone["state"] for zone in document["zones"]} == {"live"}
    assert all(zone["transactions"] > 0 for zone in document["zones"])
    assert all((zone["servers"] > 0) == (zone["kind"] == "cell") for zone in document["zones"])
    assert document["servers"] == sum(zone["servers"] for zone in document["zones"])
    assert document["verified"]["rows"] >= document["servers"]
    assert document["verified"]["differences"] == 0
    assert processes_of(folder) == []
    assert not folder.exists()


def test_the_real_client_lists_a_demo_that_ctrl_c_ends(folder):
    port = free_port()
    with started(folder, port) as demo:
        listed = openstack(port, "server", "list", "--all-projects", "--limit", "10")
        flavors = openstack(port, "flavor", "list", "--all")
        again = run(folder, free_port(), "--seconds", "1")
        elsewhere = run(folder.with_name("other"), port, "--seconds", "1")
        demo.send_signal(signal.SIGINT)
        said = demo.stdout.read()
        status = demo.wait(60)

    assert len(listed) == 10
    assert {"m1.tiny", "gpu.größe-l"} <= {flavor["Name"] for flavor in flavors}
    assert {"ID", "Name", "Status", "Networks", "Image", "Flavor"} <= listed[0].keys()
    assert again.returncode == 2
    assert f"Error: a demo runs in {folder} already\nTry: stop it with Ctrl-C, or" in again.stderr
    assert elsewhere.returncode == 2
    assert f"Error: port {port} of 127.0.0.1 is taken\nTry: treetop demo --port" in elsewhere.stderr
    assert not folder.with_name("other").exists()
    assert status == 0
    assert said.endswith("Stopping …\n")
    assert "\x1b" not in said
    assert processes_of(folder) == []
    assert not folder.exists()


def test_a_killed_demo_takes_all_with_it_and_the_next_one_works(folder):
    port = free_port()
    with started(folder, port) as demo:
        assert len(list_servers(port)) > 80
        demo.send_signal(signal.SIGKILL)
        demo.wait(10)
        wait_until("all it started has ended", lambda: processes_of(folder) == [], seconds=20)
    assert folder.exists()

    done = run(folder, port, "--seconds", "2", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verified"]["differences"] == 0
    assert not folder.exists()


def test_ctrl_c_while_it_starts_leaves_nothing(folder):
    """As a terminal sends it: to every process in the foreground."""
    with subprocess.Popen(
        command(folder, free_port()),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        demo.stdout.readline()  # "Starting"
        wait_until(
            "a database is being made", lambda: list(folder.glob("*/server/password")), seconds=START_SECONDS
        )
        os.killpg(demo.pid, signal.SIGINT)
        _, said = demo.communicate(timeout=START_SECONDS)

    assert (demo.returncode, said) == (130, "")
    assert processes_of(folder) == []
    assert not folder.exists()


def test_a_folder_with_something_else_in_it_is_left_alone(folder):
    (folder / "top").mkdir(parents=True)
    (folder / "top" / "thesis.txt").write_text("years of work")

    done = run(folder, free_port(), "--seconds", "1")

    assert done.returncode == 2
    assert f"Error: {folder} holds something that is not a demo's\nTry: treetop demo --folder" in done.stderr
    assert (folder / "top" / "thesis.txt").read_text() == "years of work"


def ordinary_user():
    """How to run a command as an ordinary user; empty when the tests are one.

    Root's own Python may be where others cannot go (`~root`). Then the command runs in a user namespace where root
    looks like an ordinary account and has no privileges, but reads the same files.
    """
    if os.geteuid() != 0:
        return []
    changed = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
    mapped = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
    inner = "import treetop.cli.main, os; raise SystemExit(os.geteuid() == 0)"
    for prefix in (changed, mapped):
        test = [
            *prefix,
            "sh",
            "-c",
            '"$0" -c "$1"',
            sys.executable,
            inner,
        ]  # started as the user, not by root
        if subprocess.run(test, capture_output=True, check=False).returncode == 0:
            return prefix
    raise AssertionError("neither setpriv nor unshare makes an ordinary user here")


def test_a_demo_needs_no_root(folder, tmp_path):
    prefix = ordinary_user()
    if prefix[:1] == ["setpriv"]:
        for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            parent.chmod(parent.stat().st_mode | 0o011)
        folder.mkdir()
        os.chown(folder, 65534, 65534)

    done = run(folder, free_port(), "--seconds", "4", "--json", prefix=prefix)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verified"]["differences"] == 0
    assert processes_of(folder) == []
