# SPDX-License-Identifier: Apache-2.0
"""The application: finds the command, gives it the settings, turns what goes wrong into two lines and a status.

Exit status: 0 done; 1 failed; 2 wrong usage; 3 done in part; 130 interrupted; 141 nobody read the output. Errors
go to stderr as `Error:` and `Try:`, without a traceback, unless --debug asks for one or the fault is Treetop's own.
"""

import os
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import Any

from cliff._argparse import ArgumentParser as CliffParser
from cliff.app import App

from treetop import __version__
from treetop.cli.commands import command_manager, unknown_command
from treetop.cli.exit_status import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_NO_READER, EXIT_USAGE
from treetop.cli.help import Help
from treetop.cli.usage import refuse_wrong_usage
from treetop.config import Settings, load_settings
from treetop.errors import Refuse, TreetopError
from treetop.telemetry import start_logging


class Treetop(App):
    """The command line application. settings: read before a command of ours runs, not for help."""

    NAME = "treetop"

    def __init__(self) -> None:
        super().__init__(
            description="Every zone of a Nova deployment in one table.",
            version=__version__,
            command_manager=command_manager(),
            deferred_help=True,
        )
        self.command_manager.add_command("help", Help)
        self.settings: Settings

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, Any] | None = None,  # cliff's own signature
    ) -> ArgumentParser:
        """Describe the options before a command: fewer than cliff's, as Treetop has no log file of its own."""
        parser = refuse_wrong_usage(
            CliffParser(prog=self.NAME, description=description, add_help=False, allow_abbrev=False)
        )
        parser.add_argument("--version", action="version", version=f"{self.NAME} {version}")
        parser.add_argument(
            "-h", "--help", dest="deferred_help", action="store_true", help="Show this, or a command's help."
        )
        parser.add_argument(
            "--debug", action="store_true", help="Log what is done; show tracebacks of errors."
        )
        parser.add_argument(
            "--config-file",
            action="append",
            default=[],
            metavar="PATH",
            help="Read options from this file (repeatable; default: /etc/treetop/treetop.conf if it exists).",
        )
        return parser

    def run(self, argv: list[str]) -> int:
        """Run one command line and return its exit status. Raises what the command raises."""
        self.options, words = self.parser.parse_known_args(argv)
        if self.options.deferred_help or not words:
            words = ["help", *words]
        return self.run_subcommand(words)

    def run_subcommand(self, argv: list[str]) -> int:
        """Find the command, read the settings if it is one of ours, run it."""
        try:
            factory, name, rest = self.command_manager.find_command(argv)
        except ValueError:
            raise unknown_command(argv) from None
        command = factory(self, self.options)
        arguments = refuse_wrong_usage(command.get_parser(f"{self.NAME} {name}")).parse_args(rest)
        if name not in ("help", "complete"):
            self.settings = load_settings(self.options.config_file)
            start_logging(debug=self.settings.debug or self.options.debug)
        return int(command.run(arguments) or 0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `treetop` with these arguments (None: the process's) and return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no "…" still gets the rest
    return _exit_status(lambda: Treetop().run(arguments), debug="--debug" in arguments)


def _exit_status(work: Callable[[], int], *, debug: bool) -> int:
    try:
        try:
            status = work()
        except SystemExit as end:  # argparse and cliff, after help or a version
            status = end.code if isinstance(end.code, int) else 0
        sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor is anything flushed at the end
        return EXIT_NO_READER
    except (TreetopError, OSError) as error:
        if debug:
            traceback.print_exc()
        _complain(
            str(error), getattr(error, "hint", None) or "check that path and address exist and may be used"
        )
        return EXIT_USAGE if isinstance(error, Refuse) else EXIT_FAILED
    except Exception as error:
        traceback.print_exc()
        _complain(f"a fault of Treetop's own: {type(error).__name__}", "report it with the lines above")
        return EXIT_FAILED
    return status


def _complain(message: str, hint: str) -> None:
    sys.stderr.write(f"Error: {message}\nTry: {hint}\n")
