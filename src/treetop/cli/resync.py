# SPDX-License-Identifier: Apache-2.0
"""`treetop zone resync`: load a zone anew, for when its log was found damaged or incomplete."""

from argparse import ArgumentParser, Namespace

from cliff.command import Command

from treetop.cli.top import connected, settings_of
from treetop.store.leases import forget_position
from treetop.store.zones import find_zone


class ResyncZone(Command):
    """Load a zone anew beside its old rows, which stay listed (and are named stale) until it is done."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("name", help="a zone's name")
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Forget how far the zone was read; its worker does the rest."""
        with connected(settings_of(self)) as conn:
            zone = find_zone(conn, parsed_args.name)
            forget_position(conn, zone.id)
        self.app.stdout.write(
            f"zone {zone.name} will be loaded anew by its worker, within a minute if it is stopped;"
            f" follow it with: treetop zone show {zone.name}\n"
        )
        return 0
