# SPDX-License-Identifier: Apache-2.0
"""`treetop zone verify`: compare a zone with the top row by row, and mend the top where asked.

The comparison is done by the zone's worker, in step with its stream, so it is exact while the zone is busy.
Where no worker runs, this command is the worker for as long as it takes. Exit status 0: no difference.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from threading import Event, Thread
from typing import Any

import psycopg
from cliff.command import Command

from treetop.apply.difference import SERVER
from treetop.cli.top import connected, settings_of
from treetop.cli.usage import above_zero
from treetop.config import Settings
from treetop.errors import Retry, StopZone, TreetopError
from treetop.model.zone import Zone, ZoneState, parse_zone_name
from treetop.store.leases import Status, find_status, has_worker
from treetop.store.verifications import (
    Verification,
    find_verification,
    request_verification,
    withdraw_verification,
)
from treetop.store.zones import find_zone, report_zones, top_id
from treetop.sync.pipeline import run_zone
from treetop.sync.worker_process import worker_settings

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 30.0  # with a zone that waits: it may be restarting


class VerifyZone(Command):
    """Compare every server and mirrored row of a zone with the top's; --repair writes the differences to the top."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="a zone's name")
        parser.add_argument(
            "--repair", action="store_true", help="write the zone's side of each difference to the top"
        )
        parser.add_argument(
            "--timeout", type=above_zero, default=3600.0, metavar="SECONDS", help="give up after this long"
        )
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Ask, wait, print."""
        with connected(settings_of(self)) as conn:
            zone = find_zone(conn, parse_zone_name(parsed_args.name))
            result = verify(
                conn, settings_of(self), zone, repair=parsed_args.repair, timeout_seconds=parsed_args.timeout
            )
        for example in result.examples:
            self.app.stdout.write(f"{example['kind']:9} {_named(example)}{_columns(example)}\n")
        if result.differences > len(result.examples):
            self.app.stdout.write(f"… and {result.differences - len(result.examples)} more\n")
        mended = " (written to the top)" if parsed_args.repair and result.differences else ""
        self.app.stdout.write(f"{result.rows} rows compared, {result.differences} differences{mended}\n")
        if result.differences and not parsed_args.repair:
            self.app.stderr.write(f"Try: treetop zone verify {zone.name} --repair\n")
        return 0 if result.differences == 0 or parsed_args.repair else 1


def verify(
    conn: psycopg.Connection,
    settings: Settings,
    zone: Zone,
    *,
    repair: bool,
    timeout_seconds: float,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Verification:
    """Have one zone compared and return the finished result.

    patience_seconds: how long the zone may wait for its database at a stretch. Raises `Retry` when that or the whole
    takes too long, `StopZone` when the zone cannot be read until a person mends it.
    """
    request = request_verification(conn, zone.id, repair=repair)
    stop = Event()
    own_worker: Thread | None = None
    before: Status | None = None  # what an earlier worker said of the zone: ours looks itself
    if not has_worker(conn, zone.id):
        before = find_status(conn, zone.id)
        own_worker = Thread(target=_work, args=(settings, zone, top_id(conn), stop), daemon=True)
        own_worker.start()
    deadline = time.monotonic() + timeout_seconds
    readable_at = time.monotonic()  # when the zone was last seen not to wait
    try:
        while time.monotonic() < deadline:
            found = find_verification(conn, zone.id, request)
            if found is None:
                raise Retry(f"zone {zone.name} was removed while it was compared")
            if found.is_finished:
                return found
            status = find_status(conn, zone.id)
            _require_not_stopped(zone, status, before)
            if status is None or status.state is not ZoneState.WAITING:
                readable_at = time.monotonic()
            elif time.monotonic() - readable_at > patience_seconds:
                break
            time.sleep(POLL_SECONDS)
    finally:
        stop.set()
        with connected(settings) as other:  # Ctrl-C may have left a statement on ours
            withdraw_verification(other, zone.id, request)
        if own_worker is not None:
            own_worker.join(timeout=5.0)
    (report,) = report_zones(conn, zone.name)
    reason = "" if report.reason is None else f": {report.reason}"
    raise Retry(
        f"zone {zone.name} is {report.state.value} and was not compared{reason}",
        hint=report.hint or f"treetop zone show {zone.name}",
    )


def _require_not_stopped(zone: Zone, status: Status | None, before: Status | None) -> None:
    if status is not None and status.state is ZoneState.STOPPED and status != before:
        raise StopZone(f"zone {zone.name} is stopped: {status.reason}", hint=status.hint)


def _work(settings: Settings, zone: Zone, suffix: str, stop: Event) -> None:
    try:
        run_zone(zone, worker_settings(settings, suffix=suffix), stop)
    except TreetopError as error:
        sys.stderr.write(f"the zone's worker ended: {error}\n")


def _named(example: dict[str, Any]) -> str:
    return str(example["key"]) if example["table"] == SERVER else f"{example['table']}.id {example['key']}"


def _columns(example: dict[str, Any]) -> str:
    columns = example.get("columns") or {}
    return "".join(
        f"\n    {name}: top {top!r}, zone {zone!r}" for name, (top, zone) in sorted(columns.items())
    )
