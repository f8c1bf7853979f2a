# SPDX-License-Identifier: Apache-2.0
"""One connection to the top, for a worker or a command: settings in, readable errors out.

Readers of the API have a pool of their own (`store.pool`). `store_errors` is the one place that turns the
driver's exceptions into ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from treetop.errors import Refuse, Retry, SchemaMismatch, StopZone, StoreUnavailable

CONNECT_TIMEOUT_SECONDS = 5
#: What libpq says when a server answered and did not let us in.
_REFUSALS = (
    "password authentication failed",
    "no password supplied",
    "does not exist",
    "no pg_hba.conf entry",
)
#: A top that vanished without a word is noticed within some ten seconds (libpq's and the kernel's settings).
HALF_OPEN: dict[str, Any] = {  # Any: libpq takes numbers and text
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def open_session(conninfo: str, *, name: str, settings: str = "") -> psycopg.Connection:
    """Connect to the top. name: shown in pg_stat_activity. settings: further libpq `options`.

    Raises `StoreUnavailable` when it does not answer, `Refuse` when the conninfo cannot be meant; neither message
    holds a part of the conninfo that could be one of a password.
    """
    _refuse_unreadable(conninfo)
    options = f"-c timezone=UTC -c DateStyle=ISO {settings}".strip()
    with store_errors():
        return psycopg.connect(
            conninfo,
            application_name=f"treetop {name}"[:63],
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            options=options,
            **HALF_OPEN,
        )


def _refuse_unreadable(conninfo: str) -> None:
    """Refuse what libpq would quote in its message: it takes the rest of an unquoted password for a host or port."""
    try:
        parts = conninfo_to_dict(conninfo)
    except (psycopg.ProgrammingError, UnicodeError):
        parts = {"host": "@"}
    ports = str(parts.get("port") or "").replace(",", "")
    names = f"{parts.get('host') or ''}{parts.get('dbname') or ''}"
    if (ports and not ports.isdecimal()) or "@" in names:
        raise Refuse(
            "[store] connection is neither a libpq connection string nor a postgresql:// URL",
            hint="write it as 'host=… dbname=treetop user=treetop passfile=…'; in a URL, write %40 for @, %2F for /"
            " in a password",
        )


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise the driver's errors as ours: what to retry, what a person must mend."""
    try:
        yield
    except (errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded) as error:
        raise StoreUnavailable(
            f"the top has no room left: {_first_line(error)}", hint="free disk space at the top's PostgreSQL"
        ) from error
    except errors.ReadOnlySqlTransaction as error:
        raise StoreUnavailable(
            "the top is read-only (a standby?)", hint="point [store] connection at the primary"
        ) from error
    except (errors.UndefinedTable, errors.UndefinedColumn) as error:
        raise SchemaMismatch(
            f"the top's schema does not fit this program: {_first_line(error)}", hint="treetop db sync"
        ) from error
    except errors.InsufficientPrivilege as error:
        raise StopZone(
            f"the top refuses a right: {_first_line(error)}",
            hint="grant it to the role of [store] connection",
        ) from error
    except (errors.SerializationFailure, errors.DeadlockDetected) as error:  # OperationalErrors, too
        raise Retry(f"the top asks to try again: {_first_line(error)}") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if any(sign in str(error) for sign in _REFUSALS):
            raise StoreUnavailable(
                f"the top's PostgreSQL refuses us: {_first_line(error)}",
                hint="[store] connection needs a role, its password (passfile=/path, or PGPASSFILE) and a"
                " database that exist: see docs/howto/connect-a-zone.md",
            ) from error
        raise StoreUnavailable(
            f"the top's PostgreSQL does not answer: {_first_line(error)}",
            hint="check [store] connection and that its PostgreSQL runs",
        ) from error
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise StopZone(
            f"the top cannot hold what the zone sent: {_first_line(error)}",
            hint="mend the row in the zone's database, then: treetop zone resync NAME",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
