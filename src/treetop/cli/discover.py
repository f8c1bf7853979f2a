# SPDX-License-Identifier: Apache-2.0
"""`treetop zone discover`: propose a zone for every cell that a region's API database knows, and register them.

`-f json` is a contract: fields may be added, none changes its meaning. With --add the exit status is 3 when a cell
is without a zone afterwards.
"""

import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from cliff.lister import Lister

from treetop.capture.cell_mappings import find_kind, read_cell_mappings
from treetop.cli.exit_status import EXIT_PARTLY
from treetop.cli.lines import Lines
from treetop.cli.password_arguments import add_password_arguments, as_argument, password_reference
from treetop.cli.top import connected, settings_of
from treetop.errors import Refuse, StopZone, TreetopError
from treetop.model.source_url import parse_source_url
from treetop.model.zone import PasswordReference, Trust, Zone, ZoneId, ZoneKind
from treetop.nova.zone_proposal import Proposal, Standing, propose_zones
from treetop.store.zones import add_zone, find_api_zone, list_zones

COLUMNS = (
    "zone",
    "cell",
    "uuid",
    "is_disabled",
    "engine",
    "host",
    "port",
    "database",
    "standing",
    "reason",
    "notes",
    "url",
    "command",
)
_SHOWN = ("zone", "cell", "engine", "host", "port", "database", "standing")


class DiscoverZones(Lister):
    """Read a region's cell mappings and propose a zone for each cell; --add registers all that can be."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--region", metavar="NAME", help="the region (default: the only one there is)")
        parser.add_argument(
            "--add", action="store_true", help="register every zone that is new, instead of proposing it"
        )
        parser.add_argument("--user", help="who reads the cells (default: who reads the API database)")
        parser.add_argument(
            "--trust",
            choices=[trust.value for trust in Trust],
            help="what the cells share: servers (without their hosts), or full (default: as the API database)",
        )
        parser.add_argument(
            "--template-url",
            metavar="URL",
            help="`[database] connection` of Nova's nova.conf, without a password: fills mappings that are"
            " templates (default: the API database's, but for the database's name)",
        )
        add_password_arguments(parser)
        return parser

    def take_action(self, parsed_args: Namespace) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Return the proposals as a table; register them if told so."""
        template = parsed_args.template_url and parse_source_url(parsed_args.template_url)
        given = password_reference(parsed_args)
        with connected(settings_of(self)) as conn:
            api_zone = find_api_zone(conn, parsed_args.region)
            mappings = read_cell_mappings(api_zone)
            if not mappings:
                raise StopZone(
                    f"Nova knows no cell in region {api_zone.region}: cell_mappings of {api_zone.url} is empty",
                    hint="nova-manage cell_v2 list_cells, where Nova is",
                )
            self._registrar = _Registrar(
                region=api_zone.region,
                trust=Trust(parsed_args.trust or api_zone.trust),
                password=given or api_zone.password,
            )
            user = parsed_args.user or api_zone.url.user
            zones = list_zones(conn)
            found = propose_zones(mappings, zones, api_zone=api_zone, user=user, template_url=template)
            self._proposals = [self._registrar.looked_at(proposal) for proposal in found]
            if parsed_args.add:
                self._proposals = [self._registrar.register(conn, each) for each in self._proposals]
        return COLUMNS, [tuple(self._fields(proposal).values()) for proposal in self._proposals]

    def produce_output(
        self, parsed_args: Namespace, column_names: Sequence[str], data: Iterable[Sequence[Any]]
    ) -> int:
        """Write the table, and below it what a person does next."""
        is_for_people = parsed_args.formatter == "table" and not parsed_args.columns
        if is_for_people:
            column_names, data = (
                _SHOWN,
                [_shown(self._fields(each), _called(each)) for each in self._proposals],
            )
        super().produce_output(parsed_args, column_names, data)
        if is_for_people:
            self.app.stdout.write("".join(self._below(is_adding=parsed_args.add)))
        return 0

    def run(self, parsed_args: Namespace) -> int:
        """Do it, then name the cells that were to be registered and were not; return the exit status."""
        status = int(super().run(parsed_args))
        unusable = [each for each in self._proposals if each.standing is Standing.UNUSABLE]
        if not parsed_args.add or not unusable:
            return status
        for each in unusable:
            self.app.stderr.write(
                f"Error: no zone for cell {_called(each)}: {each.reason}\n"
                f"Try: treetop zone add {each.zone} URL --region {shlex.quote(self._registrar.region)}\n"
            )
        return EXIT_PARTLY

    def _fields(self, proposal: Proposal) -> dict[str, object]:
        url = proposal.url
        return {
            "zone": proposal.zone,
            "cell": proposal.cell.name,
            "uuid": proposal.cell.uuid,
            "is_disabled": proposal.cell.is_disabled,
            "engine": url and url.engine.value,
            "host": url and (url.socket or url.host),
            "port": url and url.port,
            "database": url and url.database,
            "standing": proposal.standing.value,
            "reason": proposal.reason,
            "notes": Lines(list(proposal.notes)),
            "url": url and str(url),
            "command": self._registrar.command(proposal) if proposal.standing is Standing.NEW else None,
        }

    def _below(self, *, is_adding: bool) -> Iterable[str]:
        for each in self._proposals:
            for note in each.notes:
                yield f"{each.zone}: {note}\n"
            if each.reason and not is_adding:
                yield f"{each.zone} cannot be registered: {each.reason}\n"
        new = [each for each in self._proposals if each.standing is Standing.NEW]
        if new:
            yield "Register what is new with --add, or one by one:\n\n"
            yield from (f"  {self._registrar.command(each)}\n" for each in new)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registrar:
    """What every zone of this call is registered with."""

    region: str
    trust: Trust
    password: PasswordReference | None

    def looked_at(self, proposal: Proposal) -> Proposal:
        """The proposal; one whose host is a guess only if a cell's database is there."""
        if not proposal.is_guess or proposal.standing is not Standing.NEW:
            return proposal
        assert proposal.url is not None
        zone = Zone(
            id=ZoneId(0),
            name=proposal.zone,
            region=self.region,
            trust=self.trust,
            url=proposal.url,
            password=self.password,
        )
        said = " ".join(proposal.notes[-1:])
        try:
            if find_kind(zone) is ZoneKind.CELL:
                return proposal
        except TreetopError as error:
            return proposal.unusable(Refuse(f"{said}; but {error}", hint=error.hint))
        return proposal.unusable(Refuse(f"{said}; but no cell's database is there"))

    def register(self, conn: psycopg.Connection, proposal: Proposal) -> Proposal:
        """Register what is new; return how that went."""
        if proposal.standing is not Standing.NEW:
            return proposal
        assert proposal.url is not None
        try:
            add_zone(
                conn,
                name=proposal.zone,
                region=self.region,
                trust=self.trust,
                url=proposal.url,
                password=self.password,
            )
        except Refuse as refusal:  # somebody else registered something meanwhile
            return proposal.unusable(refusal)
        return replace(proposal, standing=Standing.ADDED)

    def command(self, proposal: Proposal) -> str:
        """The command line that registers it, to paste."""
        words = ("treetop", "zone", "add", proposal.zone, str(proposal.url), "--region", self.region)
        return f"{shlex.join(words)} --trust {self.trust} {as_argument(self.password)}".rstrip()


def _called(proposal: Proposal) -> str:
    """What a terminal may be given of the cell's name: Nova lets it hold anything."""
    name = proposal.cell.name or proposal.cell.uuid
    return "".join(character if character.isprintable() else "?" for character in name)


def _shown(fields: dict[str, object], called: str) -> tuple[object, ...]:
    """A row of the table for people: empty where nothing is known."""
    shown = fields | {"cell": called}
    return tuple("" if shown[name] is None else shown[name] for name in _SHOWN)
