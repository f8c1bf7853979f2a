# SPDX-License-Identifier: Apache-2.0
"""Logging of the daemons: one line per event on stderr, with the zone it is about, its fields and what to do.

Whatever an event holds, it stays one line (a traceback follows it): what callers send cannot look like another event.
Secrets never reach a logger.
"""

import logging
import re
import sys
from typing import Final

#: What every record has; the rest are an event's own fields.
_OF_EVERY_RECORD: Final = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "hint"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN: Final = re.compile(r"[\w./:@%+-]+")


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
    """Adds to the line of an event its fields (`extra`), and the hint of a warning or error."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        fields = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        hint = getattr(record, "hint", None)
        parts = [
            super().formatMessage(record),
            *(f"{name}={_shown(value)}" for name, value in fields.items()),
            *([f"(try: {hint})"] if hint else []),
        ]
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", " ".join(parts))


def _shown(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else repr(text)
