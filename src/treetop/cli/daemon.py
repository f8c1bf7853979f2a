# SPDX-License-Identifier: Apache-2.0
"""`treetop sync` and `treetop serve`: the two daemons."""

import os
import signal
from argparse import SUPPRESS, ArgumentParser, Namespace
from threading import Thread

from cliff.command import Command

from treetop.cli.top import connected, settings_of
from treetop.cli.usage import port
from treetop.model.zone import parse_zone_name
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
        parser.add_argument("--with-parent", action="store_true", help=SUPPRESS)
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Supervise, or be one zone's worker."""
        settings = settings_of(self)
        if parsed_args.with_parent:
            end_with_parent()
        if parsed_args.zone:
            name = parse_zone_name(parsed_args.zone)
            start_logging(debug=settings.debug or self.app.options.debug, zone=name)
            return work(settings, name, supervisor=parsed_args.supervisor)
        with connected(settings):
            pass  # a wrong connection or schema is told here, once, instead of by every worker
        arguments = [part for file in self.app.options.config_file for part in ("--config-file", file)]
        if self.app.options.debug:
            arguments.append("--debug")
        Supervisor(settings.required_connection(), arguments=arguments).run(stop_on_signals())
        return 0


class Serve(Command):
    """Answer the API from the top until SIGTERM or Ctrl-C."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Describe the arguments."""
        parser: ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("--host", help="address to listen on (default: [api] host)")
        parser.add_argument("--port", type=port, help="port to listen on (default: [api] port)")
        parser.add_argument("--with-parent", action="store_true", help=SUPPRESS)
        return parser

    def take_action(self, parsed_args: Namespace) -> int:
        """Serve."""
        if parsed_args.with_parent:
            end_with_parent()
        from treetop.api.serve import serve  # noqa: PLC0415  # a zone's worker needs no web framework

        with connected(settings_of(self)):
            pass
        serve(settings_of(self), host=parsed_args.host, port=parsed_args.port)
        return 0


def end_with_parent() -> None:
    """Treat the end of stdin, a pipe that our parent holds open, as SIGTERM: it ends even by `kill -9`."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=watch, name="parent-watch", daemon=True).start()
