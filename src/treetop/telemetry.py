# SPDX-License-Identifier: Apache-2.0
"""Logging of the daemons: one line per event on stderr, with the zone it is about. Secrets never reach a logger."""

import logging
import sys


def start_logging(*, debug: bool, zone: str | None = None, stream: object = None) -> None:
    """Set up the root logger of this process. zone: named in every line of a zone's worker."""
    handler = logging.StreamHandler(stream or sys.stderr)  # type: ignore[arg-type]
    about = f" [{zone}]" if zone else ""
    handler.setFormatter(_Formatter(f"%(asctime)s %(levelname)s{about} %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
    for chatty in ("stevedore", "cliff", "psycopg.pool", "waitress.queue"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _Formatter(logging.Formatter):
    """Adds the hint of a warning or error on the same line."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        hint = getattr(record, "hint", None)
        return f"{line} (try: {hint})" if hint else line
