# SPDX-License-Identifier: Apache-2.0
"""`treetop zone add|list|show|remove`: the registry of zones.

`-f json` of `zone list` and `zone show` is a contract: fields may be added, none changes its meaning.
"""

from argparse import ArgumentParser, Namespace

from cliff.command import Command
from cliff.lister import Lister
from cliff.show import ShowOne

from treetop.cli.password_arguments import add_password_arguments, password_reference
from treetop.cli.removal import forget_zone, is_confirmed
from treetop.cli.top import connected, settings_of
from treetop.errors import Refuse
from treetop.model.source_url import parse_source_url
from treetop.model.zone import Trust, ZoneKind, parse_region, parse_zone_name
from treetop.nova.watched import describe_key
from treetop.store.zones import ZoneReport, add_zone, find_zone, list_zones, report_zones

LIST_COLUMNS = (
    "name",
    "region",
    "kind",
    "engine",
    "trust",
    "state",
    "lag_seconds",
    "servers",
    "transactions",
    "reason",
)


class AddZone(Command):
    """Register a zone. Its worker starts by itself where `treetop sync` runs."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="what to call the zone: a-z, 0-9, - and _")
        parser.add_argument(
            "url", help="mysql://USER@HOST:3306/nova_cell1 or postgresql://USER@HOST:5432/nova_cell1"
        )
        parser.add_argument(
            "--region", default="RegionOne", help="the Nova deployment it belongs to (default: %(default)s)"
        )
        parser.add_argument(
            "--trust",
            choices=[trust.value for trust in Trust],
            default=Trust.SERVERS.value,
            help="what the zone shares: servers (without their hosts), or full (default: %(default)s)",
        )
        parser.add_argument(
            "--kind",
            choices=[kind.value for kind in ZoneKind],
            default=ZoneKind.CELL.value,
            help="what the database is to Nova: a cell, or the region's API database, which `treetop region add`"
            " looks at first (default: %(default)s)",
        )
        add_password_arguments(parser)
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Check the arguments and write the zone into the registry."""
        name = parse_zone_name(parsed_args.name)
        url = parse_source_url(parsed_args.url)
        region = parse_region(parsed_args.region)
        password = password_reference(parsed_args)
        with connected(settings_of(self)) as conn:
            regions = {other.region for other in list_zones(conn)}
            zone = add_zone(
                conn,
                name=name,
                region=region,
                trust=Trust(parsed_args.trust),
                url=url,
                password=password,
                kind=ZoneKind(parsed_args.kind),
            )
        self.app.stdout.write(
            f"zone {zone.name} added; `treetop sync` reads it, `treetop zone list` shows how far\n"
        )
        if regions and region not in regions:
            self.app.stdout.write(f"region {region} is new; known before: {', '.join(sorted(regions))}\n")
        return 0


class ListZones(Lister):
    """List the zones: state, how far behind, how many servers, what is wrong."""

    def take_action(self, parsed_args: Namespace) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Return the table."""
        with connected(settings_of(self)) as conn:
            reports = report_zones(conn)
        return LIST_COLUMNS, [_list_row(report) for report in reports]


class ShowZone(ShowOne):
    """Show one zone: where it is, how far it has been read, what is wrong and what to do."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="a zone's name")
        return parser

    def take_action(self, parsed_args: Namespace) -> tuple[tuple[str, ...], tuple[object, ...]]:
        """Return the fields."""
        with connected(settings_of(self)) as conn:
            (report,) = report_zones(conn, parse_zone_name(parsed_args.name))
        fields = _fields(report)
        return tuple(fields), tuple(fields.values())


class RemoveZone(Command):
    """Forget a zone and its rows at the top; removes what Treetop left in the zone (a PostgreSQL slot)."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="a zone's name")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Remove the zone from the registry, then clean up in the zone as far as it answers."""
        name = parse_zone_name(parsed_args.name)
        with connected(settings_of(self)) as conn:
            find_zone(conn, name)  # before anybody is asked
            if not parsed_args.yes and not is_confirmed(
                self.app, f"Remove zone {name} and its rows from the top?"
            ):
                raise Refuse("nothing was removed", hint=f"treetop zone remove {name} --yes")
            forget_zone(self.app, conn, name)
        return 0


def _fields(report: ZoneReport) -> dict[str, object]:
    zone = report.zone
    return {
        "name": zone.name,
        "region": zone.region,
        "kind": zone.kind.value,
        "engine": zone.url.engine.value,
        "trust": zone.trust.value,
        "state": report.state.value,
        "since": report.since.isoformat(timespec="seconds"),
        "lag_seconds": None if report.lag_seconds is None else round(report.lag_seconds, 3),
        "as_of": None if report.as_of is None else report.as_of.isoformat(timespec="milliseconds"),
        "servers": report.servers,
        "transactions": report.transactions,
        "changes": report.changes,
        "is_loaded": report.is_loaded,
        "loaded_upto": _loaded_upto(report),
        "position": report.position,
        "url": str(zone.url),
        "password": None if zone.password is None else str(zone.password),
        "reason": report.reason,
        "hint": report.hint,
        "retry_at": None if report.retry_at is None else report.retry_at.isoformat(timespec="seconds"),
    }


def _loaded_upto(report: ZoneReport) -> str | None:
    if report.loaded_upto is None:
        return None
    return describe_key(report.loaded_upto, kind=report.zone.kind, trust=report.zone.trust)


def _list_row(report: ZoneReport) -> tuple[object, ...]:
    fields = _fields(report)
    return tuple(fields[name] for name in LIST_COLUMNS)
