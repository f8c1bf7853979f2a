# SPDX-License-Identifier: Apache-2.0
"""Read a zone's password from where its `PasswordReference` points: the only place where one comes in.

Raises `StopZone` when it is not there; no message ever holds what was read.
"""

import os
from pathlib import Path

from treetop.errors import StopZone
from treetop.model.zone import PasswordReference


def read_password(reference: PasswordReference | None) -> str:
    """Return the password; "" for no reference. A file gives its first line, without the line's end.

    Read anew at every call, so that a changed password is found at the next connection.
    """
    if reference is None:
        return ""
    if reference.kind == "env":
        password = os.environ.get(reference.name)
        if password is None:
            raise StopZone(
                f"environment variable {reference.name}, which should hold the zone's password, is not set",
                hint=f"set {reference.name} here, and where `treetop sync` runs",
            )
        return password
    try:
        lines = Path(reference.name).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise StopZone(
            f"the zone's password file {reference.name} cannot be read: {error.strerror}",
            hint=f"make it readable to the user that runs `treetop sync`: ls -l {reference.name}",
        ) from None
    except UnicodeDecodeError:
        raise StopZone(
            f"the zone's password file {reference.name} is not UTF-8 text",
            hint="write the password as one line of text into it",
        ) from None
    if not lines:
        raise StopZone(
            f"the zone's password file {reference.name} is empty",
            hint="write the password as one line of text into it",
        )
    return lines[0]
