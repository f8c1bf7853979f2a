# SPDX-License-Identifier: Apache-2.0
"""`treetop help [COMMAND]`: the commands with what they do, or the arguments of one. No pager and no colours.

Cliff's own colours its list even where NO_COLOR is set.
"""

from argparse import ArgumentParser, Namespace

from cliff.command import Command

from treetop.cli.commands import unknown_command


class Help(Command):
    """Show the commands, or the arguments of one."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("words", nargs="*", metavar="COMMAND", help="a command, or its first word")
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Print it. Raises `Refuse` for a word that no command begins with."""
        wanted = " ".join(parsed_args.words)
        commands = dict(sorted(self.app.command_manager))
        if wanted in commands:
            self.app.stdout.write(self._make(wanted).get_parser(f"treetop {wanted}").format_help())
            return 0
        group = [name for name in commands if not wanted or name.split()[0] == wanted]
        if not group:
            raise unknown_command(parsed_args.words)
        if not wanted:
            self.app.stdout.write(self.app.parser.format_help())
            self.app.stdout.write("\nCommands:\n")
        for name in group:
            summary = self._make(name).get_description().partition("\n")[0].rstrip(".")
            self.app.stdout.write(f"  {name:13} {summary[:1].upper()}{summary[1:]}\n")
        return 0

    def _make(self, name: str) -> Command:
        factory, _, _ = self.app.command_manager.find_command(name.split())
        command: Command = factory(self.app, None)
        return command
