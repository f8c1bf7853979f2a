# SPDX-License-Identifier: Apache-2.0
"""Look whether a MariaDB or MySQL zone can be read; say for each thing that is missing how to mend it."""

from treetop.capture.mysql_session import Session
from treetop.capture.source import SourceFacts


def check(session: Session) -> SourceFacts:
    """Return what was found; raise `StopZone` naming everything that is missing."""
    raise NotImplementedError
