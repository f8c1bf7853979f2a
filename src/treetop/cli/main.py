# SPDX-License-Identifier: Apache-2.0
"""The application: finds the command, gives it the settings, turns what goes wrong into two lines and a status.

Exit status: 0 done; 1 failed; 2 wrong usage; 130 interrupted. Errors go to stderr as `Error:` and `Try:`, without
a traceback unless --debug. Commands are loaded by entry point, so that `zone list` imports no server.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from cliff.app import App
from cliff.command import Command
from cliff.commandmanager import CommandManager

from treetop import __version__
from treetop.config import Settings, load_settings
from treetop.errors import Refuse, TreetopError
from treetop.telemetry import start_logging

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class Treetop(App):
    """The command line application."""

    def __init__(self) -> None:
        super().__init__(
            description="Every zone of a Nova deployment in one table.",
            version=__version__,
            command_manager=CommandManager("treetop.cli"),
            deferred_help=True,
        )
        self.settings: Settings

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, Any] | None = None,  # cliff's own signature
    ) -> ArgumentParser:
        """Add --config-file to cliff's global options."""
        parser = super().build_option_parser(description, version, argparse_kwargs)
        parser.add_argument(
            "--config-file",
            action="append",
            default=[],
            metavar="PATH",
            help="Read options from this file (repeatable; default: /etc/treetop/treetop.conf if it exists).",
        )
        return parser

    def configure_logging(self) -> None:
        """Leave logging to the commands: daemons log, the others print."""

    def run(self, argv: list[str]) -> int:
        """Run one command line and return its exit status."""
        try:
            return int(super().run(argv) or 0)
        except SystemExit as end:  # argparse: 0 after --help, 2 after a usage error
            return end.code if isinstance(end.code, int) else EXIT_USAGE

    def run_subcommand(self, argv: list[str]) -> int:
        """Run one command; never shows a traceback unless --debug."""
        try:
            try:
                factory, name, rest = self.command_manager.find_command(argv)
            except ValueError as error:
                raise Refuse(str(error), hint="treetop help") from None
            self.settings = load_settings(self.options.config_file)
            start_logging(debug=self.settings.debug or self.options.debug)
            command: Command = factory(self, self.options, cmd_name=name)
            return int(command.run(command.get_parser(f"treetop {name}").parse_args(rest)) or 0)
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
        except TreetopError as error:
            if self.options.debug:
                raise
            complain(error)
            return EXIT_USAGE if isinstance(error, Refuse) else EXIT_FAILED


def complain(error: TreetopError) -> None:
    """Print an error the way every command does."""
    sys.stderr.write(f"Error: {error}\n")
    if error.hint:
        sys.stderr.write(f"Try: {error.hint}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `treetop` with these arguments (None: the process's)."""
    return Treetop().run(list(sys.argv[1:] if argv is None else argv) or ["help"])
