# SPDX-License-Identifier: Apache-2.0
"""`treetop demo`: everything on this machine, to look at; or, with --json, to prove that it works."""

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from threading import Event
from typing import Any

import orjson
from cliff.command import Command

from treetop.cli.demo_screen import Screen
from treetop.cli.exit_status import EXIT_INTERRUPTED
from treetop.cli.top import settings_of
from treetop.cli.usage import above_zero, count, port
from treetop.demo.run import Demo as RunningDemo
from treetop.demo.run import DemoSettings, default_folder, running_demo
from treetop.errors import Refuse, Retry
from treetop.sync.worker_process import stop_on_signals

_WELCOME = """
Treetop reads a region of {count} zones (its cells, cell0, its API database) into one and answers for all of them:

  API        {url}
  logs       {folder}/*.log

Paste this into another terminal (pip install python-openstackclient, if it is not there):

  export OS_AUTH_TYPE=none OS_ENDPOINT={url} OS_IDENTITY_API_VERSION=3
  openstack server list --all-projects --limit 10
  openstack flavor list --all; openstack hypervisor list; openstack availability zone list --compute

or look at the zones themselves:

  export OS_STORE__CONNECTION="{conninfo}"
  {treetop} zone list
  {treetop} zone discover

Ctrl-C stops everything and cleans up.
"""


class Demo(Command):
    """Run a demo region whose cells change all the time, roll them up, and serve the API, until Ctrl-C."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--seconds", type=above_zero, metavar="N", help="run this long, then verify every zone and end"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document at the end and nothing else"
        )
        parser.add_argument(
            "--servers",
            type=count,
            default=500,
            metavar="N",
            help="servers in each cell (default: %(default)s)",
        )
        parser.add_argument(
            "--rate",
            type=above_zero,
            default=20.0,
            metavar="N",
            help="transactions a second in each cell (default: %(default)g)",
        )
        parser.add_argument("--port", type=port, help="port of the API (default: [api] port)")
        parser.add_argument(
            "--folder",
            type=Path,
            help="where to keep what runs: new, empty or a demo's (default: in the user's state folder)",
        )
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Run it."""
        if parsed_args.json and parsed_args.seconds is None:
            raise Refuse("--json needs a length", hint="treetop demo --seconds 20 --json")
        stop = stop_on_signals()
        settings = DemoSettings(
            folder=(parsed_args.folder or default_folder()).absolute(),
            bin_dir=settings_of(self).bin_dir,
            port=parsed_args.port or settings_of(self).port,
            servers_per_zone=parsed_args.servers,
            rate=parsed_args.rate,
        )
        say = (lambda _text: None) if parsed_args.json else self._say
        say("Starting the zones and the top: about 10 seconds …\n")
        with running_demo(settings, stop) as demo:
            say(
                _WELCOME.format(
                    count=len(demo.zones),
                    url=demo.top.url,
                    folder=settings.folder,
                    conninfo=demo.top.conninfo,
                    treetop=Path(sys.executable).with_name("treetop"),
                )
            )
            ends_at = time.monotonic() + (parsed_args.seconds or float("inf"))
            _watch(demo, stop, ends_at, None if parsed_args.json else Screen(self.app.stdout, demo.reports()))
            if stop.is_set():
                say("\nStopping …\n")
                return 0 if parsed_args.seconds is None else EXIT_INTERRUPTED
            document = _proof(demo)
        if parsed_args.json:
            self._say(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
        verified = document["verified"]
        say(
            f"\n{document['servers']} servers, {verified['rows']} rows compared,"
            f" {verified['differences']} differences\n"
        )
        _require_proof(document)
        return 0

    def _say(self, text: str) -> None:
        self.app.stdout.write(text)
        self.app.stdout.flush()


def _watch(demo: RunningDemo, stop: Event, ends_at: float, screen: Screen | None) -> None:
    """Show how the zones stand, once a second, until it is time or `stop` is set. A daemon that died is told."""
    while not stop.wait(min(1.0, max(0.0, ends_at - time.monotonic()))) and time.monotonic() < ends_at:
        reports = demo.reports()
        if screen is not None:
            screen.show(reports)


def _proof(demo: RunningDemo) -> dict[str, Any]:
    """Stop the changes, wait until all is applied, compare, and return the document."""
    demo.stop_changes()
    demo.wait_until_applied()
    reports = demo.reports()
    verified = demo.verify()
    return {
        "zones": [
            {
                "name": report.zone.name,
                "kind": report.zone.kind.value,
                "engine": report.zone.url.engine.value,
                "state": report.state.value,
                "servers": report.servers,
                "transactions": report.transactions,
                "lag_seconds": round(report.lag_seconds or 0.0, 3),
            }
            for report in reports
        ],
        "servers": sum(report.servers for report in reports),
        "verified": {
            "rows": sum(each.rows for each in verified),
            "differences": sum(each.differences for each in verified),
        },
    }


def _require_proof(document: dict[str, Any]) -> None:
    """Raise `Retry` unless there were servers, changes in every zone, and no difference."""
    verified = document["verified"]
    idle = [zone["name"] for zone in document["zones"] if zone["transactions"] == 0]
    if document["servers"] == 0 or verified["rows"] < document["servers"]:
        raise Retry(f"{document['servers']} servers are listed and {verified['rows']} were compared")
    if verified["differences"]:
        raise Retry(f"{verified['differences']} of {verified['rows']} rows differ from their zones")
    if idle:
        raise Retry(f"nothing was changed in {', '.join(idle)}", hint="give --seconds or --rate more")
