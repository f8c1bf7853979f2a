# SPDX-License-Identifier: Apache-2.0
"""`treetop demo`: everything on this machine, to look at; or, with --json, to prove that it works."""

import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import orjson
from cliff.command import Command

from treetop.cli.top import settings_of
from treetop.demo.run import Demo as RunningDemo
from treetop.demo.run import DemoSettings, default_folder, running_demo
from treetop.errors import Refuse
from treetop.store.zones import ZoneReport
from treetop.sync.worker_process import stop_on_signals

_WELCOME = """
Treetop reads {count} zones into one table and answers for all of them:

  API        {url}
  logs       {folder}/*.log

Paste this into another terminal (pip install python-openstackclient, if it is not there):

  export OS_AUTH_TYPE=none OS_ENDPOINT={url} OS_IDENTITY_API_VERSION=3
  openstack server list --all-projects --limit 10

Ctrl-C stops everything and cleans up.
"""


class Demo(Command):
    """Run three demo zones that change all the time, roll them up, and serve the API, until Ctrl-C."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--seconds", type=float, metavar="N", help="run this long, then verify every zone and end"
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document at the end and nothing else"
        )
        parser.add_argument(
            "--servers",
            type=int,
            default=500,
            metavar="N",
            help="servers in each zone (default: %(default)s)",
        )
        parser.add_argument(
            "--rate", type=float, default=20.0, metavar="N", help="transactions a second in each zone"
        )
        parser.add_argument("--port", type=int, help="port of the API (default: [api] port)")
        parser.add_argument(
            "--folder", type=Path, help="where to keep what runs (default: the user's state folder)"
        )
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Run it."""
        if parsed_args.json and parsed_args.seconds is None:
            raise Refuse("--json needs a length", hint="treetop demo --seconds 20 --json")
        if parsed_args.servers < 1 or parsed_args.rate <= 0:
            raise Refuse(
                "--servers and --rate must be above zero", hint="treetop demo --servers 500 --rate 20"
            )
        stop = stop_on_signals()
        settings = DemoSettings(
            folder=(parsed_args.folder or default_folder()).absolute(),
            bin_dir=settings_of(self).bin_dir,
            port=parsed_args.port or settings_of(self).port,
            servers_per_zone=parsed_args.servers,
            rate=parsed_args.rate,
        )
        say = (lambda _text: None) if parsed_args.json else self.app.stdout.write
        say("Starting the zones and the top …\n")
        with running_demo(settings) as demo:
            say(_WELCOME.format(count=len(demo.zones), url=demo.top.url, folder=settings.folder))
            ends_at = time.monotonic() + (parsed_args.seconds or float("inf"))
            screen = None if parsed_args.json else _Screen()
            while (
                not stop.wait(min(1.0, max(0.0, ends_at - time.monotonic()))) and time.monotonic() < ends_at
            ):
                if screen is not None:
                    screen.show(demo.reports())
            if stop.is_set():
                say("\nStopping …\n")
                return 0 if parsed_args.seconds is None else 1
            document = _proof(demo)
        if parsed_args.json:
            self.app.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
        else:
            say(
                f"\n{document['servers']} servers, {document['verified']['rows']} rows compared,"
                f" {document['verified']['differences']} differences\n"
            )
        return 0 if _holds(document) else 1


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


def _holds(document: dict[str, Any]) -> bool:
    """Say whether there were servers, changes in every zone, and no difference."""
    verified = document["verified"]
    return bool(
        document["servers"] > 0
        and verified["rows"] >= document["servers"]
        and verified["differences"] == 0
        and all(zone["transactions"] > 0 for zone in document["zones"])
    )


class _Screen:
    """Live counts: rewritten in place on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdout.isatty()
        self._lines = 0
        self._before: dict[str, int] = {}
        self._shown_at = 0.0

    def show(self, reports: list[ZoneReport]) -> None:
        """Print the zones as they are now."""
        now = time.monotonic()
        if not self._is_terminal and now - self._shown_at < 10.0:
            return
        lines = [
            f"{'zone':10} {'engine':11} {'state':12} {'servers':>9} {'transactions':>13} {'per s':>7} {'lag s':>7}"
        ]
        for report in reports:
            name = report.zone.name
            rate = (report.transactions - self._before.get(name, report.transactions)) / max(
                0.1, now - self._shown_at
            )
            self._before[name] = report.transactions
            lines.append(
                f"{name:10} {report.zone.url.engine:11} {report.state:12} {report.servers:9,}"
                f" {report.transactions:13,} {rate:7.1f} {report.lag_seconds or 0.0:7.2f}"
            )
        self._shown_at = now
        if self._is_terminal and self._lines:
            sys.stdout.write(f"\x1b[{self._lines}A")
        self._lines = len(lines)
        sys.stdout.write("".join(f"\x1b[2K{line}\n" if self._is_terminal else f"{line}\n" for line in lines))
        sys.stdout.flush()
