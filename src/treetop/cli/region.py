# SPDX-License-Identifier: Apache-2.0
"""`treetop region add|list|show|remove`: Nova deployments, each an API database and its cells, all of them zones.

A region is what its zones say they belong to; it has no row of its own. `-f json` of `region list` and `region show`
is a contract: fields may be added, none changes its meaning.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from itertools import groupby

from cliff.command import Command
from cliff.lister import Lister
from cliff.show import ShowOne

from treetop.capture.cell_mappings import find_kind, read_cell_mappings
from treetop.cli.lines import Lines
from treetop.cli.password_arguments import add_password_arguments, password_reference
from treetop.cli.removal import forget_zone, is_confirmed
from treetop.cli.top import connected, settings_of
from treetop.errors import NotFound, Refuse, StopZone
from treetop.model.source_url import parse_source_url
from treetop.model.zone import (
    Trust,
    Zone,
    ZoneId,
    ZoneKind,
    ZoneState,
    parse_region,
    parse_zone_name,
    shown_name,
)
from treetop.nova.zone_proposal import region_word
from treetop.store.zones import ZoneReport, add_zone, report_zones

LIST_COLUMNS = ("name", "api_zone", "cells", "servers", "state", "lag_seconds")

#: Worst first: a region is as its worst zone.
_STATES = (
    ZoneState.STOPPED,
    ZoneState.WAITING,
    ZoneState.NEW,
    ZoneState.LOADING,
    ZoneState.CATCHING_UP,
    ZoneState.LIVE,
)


class AddRegion(Command):
    """Register a region's API database as a zone, after a look into it; `zone discover` then finds its cells."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="the region's name in the service catalog, e.g. RegionOne")
        parser.add_argument(
            "--nova-api",
            metavar="URL",
            required=True,
            help="its API database, without a password: mysql://USER@HOST:3306/nova_api or postgresql://…",
        )
        parser.add_argument(
            "--zone-name", metavar="NAME", help="what to call its zone (default: the region's name and -api)"
        )
        parser.add_argument(
            "--trust",
            choices=[trust.value for trust in Trust],
            default=Trust.SERVERS.value,
            help="what it shares: servers, or full (the hosts in aggregates, of all its cells; default: %(default)s)",
        )
        add_password_arguments(parser)
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Look whether it is one, write it into the registry."""
        region = parse_region(parsed_args.name)
        zone = Zone(
            id=ZoneId(0),  # it is given one when it is registered
            name=parse_zone_name(parsed_args.zone_name or f"{region_word(region)}-api"),
            region=region,
            trust=Trust(parsed_args.trust),
            url=parse_source_url(parsed_args.nova_api),
            password=password_reference(parsed_args),
            kind=ZoneKind.API,
        )
        with connected(settings_of(self)) as conn:
            _require_api_database(zone)
            cells = len(read_cell_mappings(zone))
            add_zone(
                conn,
                name=zone.name,
                region=zone.region,
                trust=zone.trust,
                url=zone.url,
                password=zone.password,
                kind=zone.kind,
            )
        self.app.stdout.write(
            f"the API database of region {region} is zone {zone.name}; it knows {cells} cells,"
            " `treetop zone discover` proposes a zone for each\n"
        )
        return 0


class ListRegions(Lister):
    """List the regions: their API database's zone, how many cells and servers, how far behind."""

    def take_action(self, parsed_args: Namespace) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Return the table."""
        with connected(settings_of(self)) as conn:
            regions = _by_region(report_zones(conn))
        rows = []
        for name, reports in regions:
            fields = _fields(name, reports) | {"cells": len(_cells(reports))}
            rows.append(tuple(fields[column] for column in LIST_COLUMNS))
        return LIST_COLUMNS, rows


class ShowRegion(ShowOne):
    """Show one region: its API database, its cells' zones, how they stand."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="a region's name")
        return parser

    def take_action(self, parsed_args: Namespace) -> tuple[tuple[str, ...], tuple[object, ...]]:
        """Return the fields."""
        with connected(settings_of(self)) as conn:
            name, reports = _find(report_zones(conn), parsed_args.name)
        fields = _fields(name, reports)
        return tuple(fields), tuple(fields.values())


class RemoveRegion(Command):
    """Forget a region: its API database's zone and all its cells' zones, with their rows at the top."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="a region's name")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Remove every zone of the region, each in one commit, the cells first."""
        with connected(settings_of(self)) as conn:
            name, reports = _find(report_zones(conn), parsed_args.name)
            zones = [report.zone.name for report in sorted(reports, key=_is_api)]
            question = (
                f"Remove region {name}, which is {', '.join(zones)}, and all rows of these from the top?"
            )
            if not parsed_args.yes and not is_confirmed(self.app, question):
                raise Refuse("nothing was removed", hint=f"treetop region remove '{name}' --yes")
            for zone in zones:
                forget_zone(self.app, conn, zone)
        return 0


def _require_api_database(zone: Zone) -> None:
    kind = find_kind(zone)
    if kind is ZoneKind.API:
        return
    if kind is ZoneKind.CELL:
        raise StopZone(
            f"{zone.url} is the database of a Nova cell, not of its API",
            hint="the API database is `[api_database] connection` of nova.conf; a cell: treetop zone add NAME URL",
        )
    raise StopZone(
        f"{zone.url} shows no table of a Nova API database",
        hint="the database is `[api_database] connection` of nova.conf; if it is that one, the role may not read"
        " it: docs/howto/connect-a-region.md has the GRANTs",
    )


def _by_region(reports: Iterable[ZoneReport]) -> list[tuple[str, list[ZoneReport]]]:
    ordered = sorted(reports, key=lambda report: report.zone.region)
    return [(name, list(found)) for name, found in groupby(ordered, key=lambda report: report.zone.region)]


def _find(reports: Iterable[ZoneReport], name: str) -> tuple[str, list[ZoneReport]]:
    """The region's zones. Raises `NotFound`."""
    for region, found in _by_region(reports):
        if region == name:
            return region, found
    raise NotFound(f"there is no region {shown_name(name)}", hint="treetop region list")


def _is_api(report: ZoneReport) -> bool:
    return report.zone.kind is ZoneKind.API


def _cells(reports: Iterable[ZoneReport]) -> list[ZoneReport]:
    return [report for report in reports if not _is_api(report)]


def _fields(name: str, reports: Sequence[ZoneReport]) -> dict[str, object]:
    api = next(filter(_is_api, reports), None)
    worst = min(reports, key=lambda report: _STATES.index(report.state))
    lags = [report.lag_seconds for report in reports]
    known = [lag for lag in lags if lag is not None]
    return {
        "name": name,
        "api_zone": api.zone.name if api else None,
        "nova_api": str(api.zone.url) if api else None,
        "cell_zones": Lines([report.zone.name for report in _cells(reports)]),
        "servers": sum(report.servers for report in reports),
        "state": worst.state.value,
        "lag_seconds": round(max(known), 3) if len(known) == len(lags) else None,
        "reason": f"{worst.zone.name}: {worst.reason}" if worst.reason else None,
        "hint": worst.hint,
    }
