# SPDX-License-Identifier: Apache-2.0
"""The exception tree: a class says what its catcher must do, `hint` says what a person should type.

Raised everywhere, caught in three places: `cli.main` (exit code), `api.faults` (HTTP status) and
`sync.pipeline` (the zone's state). Messages name what happened, to what, with the values; they never
hold a password, and neither does `hint`.
"""


class TreetopError(Exception):
    """Something failed; `hint` is the next thing to do or type (None: nothing beyond the message)."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Retry(TreetopError):
    """Transient: nothing was half done, try again later from the stored position."""


class LostLease(TreetopError):
    """Another worker owns the zone now: roll back and exit, the other one goes on."""


class Resnapshot(TreetopError):
    """The zone's log no longer holds what follows our position: load the zone anew, keep serving old rows."""


class StopZone(TreetopError):
    """A person is needed: going on would skip or garble data. The position stays where it is."""


class Refuse(TreetopError):
    """The caller's fault: a bad argument, name, URL or option. Nothing was changed."""


class NotFound(Refuse):
    """What the caller named does not exist."""


class StoreUnavailable(Retry):
    """The top's PostgreSQL does not answer or refuses work (down, full, read-only)."""


class SchemaMismatch(Refuse):
    """The top's schema is older or newer than this program."""
