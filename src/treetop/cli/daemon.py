# SPDX-License-Identifier: Apache-2.0
"""`treetop sync` and `treetop serve`: the two daemons."""

from argparse import SUPPRESS, ArgumentParser, Namespace

from cliff.command import Command

from treetop.api.serve import serve
from treetop.cli.top import connected
from treetop.sync.supervisor import Supervisor
from treetop.sync.worker_process import stop_on_signals, work
from treetop.telemetry import start_logging


class Sync(Command):
    """Read every registered zone into the top, one worker process per zone, until SIGTERM or Ctrl-C."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--zone", metavar="NAME", help="read only this zone, in this process")
        parser.add_argument("--supervisor", help=SUPPRESS)
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Supervise, or be one zone's worker."""
        settings = self.app.settings
        if parsed_args.zone:
            start_logging(debug=settings.debug, zone=parsed_args.zone)
            return work(settings, parsed_args.zone, supervisor=parsed_args.supervisor)
        with connected(settings):
            pass  # a wrong connection or schema is told here, once, instead of by every worker
        arguments = [part for file in self.app.options.config_file for part in ("--config-file", file)]
        Supervisor(settings.required_connection(), arguments=arguments).run(stop_on_signals())
        return 0


class Serve(Command):
    """Answer the API from the top until SIGTERM or Ctrl-C."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--host", help="address to listen on (default: [api] host)")
        parser.add_argument("--port", type=int, help="port to listen on (default: [api] port)")
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Serve."""
        with connected(self.app.settings):
            pass
        serve(self.app.settings, host=parsed_args.host, port=parsed_args.port)
        return 0
