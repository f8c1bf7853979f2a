# SPDX-License-Identifier: Apache-2.0
"""Connect to a PostgreSQL zone and say what an error of its server means: `Retry` or `StopZone`.

In: a `Zone` and what the session is for. Out: a psycopg connection whose values are printed in canonical form
(ISO dates, UTC, UTF-8), in autocommit. No message holds the password: libpq never repeats it, and it is
given to libpq apart from the URL.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from typing import Any, Final

import psycopg
from psycopg import errors

from treetop.capture.password import read_password
from treetop.errors import Refuse, Retry, StopZone, TreetopError
from treetop.model.zone import Zone

CONNECT_SECONDS: Final = 5
TLS_OPTIONS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey")
SLOT_SUFFIX: Final = "slot_suffix"

# The server prints values by these; a database or role may have set others.
_SESSION = "-c datestyle=ISO,YMD -c timezone=UTC -c extra_float_digits=1 -c bytea_output=hex"
# The kernel gives the connection up when what we sent stays unconfirmed for this long (a cable was pulled).
_UNCONFIRMED_MILLISECONDS = 5000
_IDLE_SECONDS = 5  # and asks a silent peer for a sign of life this often, three times

#: What libpq and the server say about failures that only a person can mend, and what to do.
_NEEDS_PERSON = {
    "password authentication failed": "put the password where `treetop zone show NAME` says it is;"
    " none there: remove the zone and add it with --password-file PATH",
    "no password supplied": "say where the password is: --password-file PATH or --password-env NAME",
    "authentication failed": "pg_hba.conf on the zone's server decides how this role may log in",
    "no pg_hba.conf entry": "add a line for this role, database and address to the zone's pg_hba.conf, then:"
    " SELECT pg_reload_conf()",
    "pg_hba.conf rejects": "a line of the zone's pg_hba.conf rejects this role: change it, then:"
    " SELECT pg_reload_conf()",
    'database "': "correct the database in the zone's URL; on its server: \\l",
    "not permitted to log in": "ALTER ROLE … LOGIN on the zone's server",
    'role "': "CREATE ROLE … LOGIN REPLICATION on the zone's server, or correct the user in the zone's URL",
    "permission denied for database": "GRANT CONNECT ON DATABASE … TO … on the zone's server",
    "must be superuser or replication role": "ALTER ROLE … REPLICATION on the zone's server",
    "certificate": "check sslmode, sslrootcert, sslcert and sslkey in the zone's URL",
    "does not support SSL": "set ssl = on on the zone's server, or leave sslmode out of the zone's URL",
    "sslmode": "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full",
    "root certificate": "name the authority's certificate in the zone's URL: sslrootcert=PATH",
}
_NOT_NOW = ("starting up", "shutting down", "recovery", "too many", "remaining connection slots")


def connect(zone: Zone, *, purpose: str, replication: bool = False) -> psycopg.Connection[tuple[object, ...]]:
    """Open a session. purpose: shown as application_name in the zone's pg_stat_activity.

    Raises `Refuse` for an unknown option in the URL, `StopZone` for what a person must mend, else `Retry`.
    """
    url = zone.url
    unknown = sorted(set(url.options) - {*TLS_OPTIONS, SLOT_SUFFIX})
    if unknown:
        raise Refuse(
            f"the URL of zone {zone.name} has an unknown option {unknown[0]!r}",
            hint=f"PostgreSQL zones know {', '.join((*TLS_OPTIONS, SLOT_SUFFIX))}",
        )
    parameters: dict[str, str | int] = {
        name: url.options[name] for name in TLS_OPTIONS if name in url.options
    }
    if zone.password is not None:
        parameters["password"] = read_password(zone.password)
    if replication:
        parameters["replication"] = "database"
    try:
        return psycopg.connect(
            host=url.socket or url.host,
            port=url.port,
            user=url.user,
            dbname=url.database,
            application_name=purpose,
            options=_SESSION,
            client_encoding="UTF8",
            connect_timeout=CONNECT_SECONDS,
            tcp_user_timeout=_UNCONFIRMED_MILLISECONDS,
            keepalives_idle=_IDLE_SECONDS,
            keepalives_interval=_IDLE_SECONDS,
            keepalives_count=3,
            autocommit=True,
            **parameters,  # type: ignore[arg-type]  # psycopg wants one type for all of them
        )
    except psycopg.Error as error:
        raise _connect_failure(zone, error) from None  # its traceback could show the parameters


@contextmanager
def bounded(conn: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """Break the connection if the block takes longer, so that its query fails: libpq itself waits for ever.

    For peers whose kernel still answers: a hung server, a proxy that forwards nothing.
    """
    with socket(fileno=os.dup(conn.fileno())) as same:  # a descriptor of its own cannot be reused under us
        timer = threading.Timer(seconds, _break, (same,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _break(connection: socket) -> None:
    with suppress(OSError):  # it is broken already
        connection.shutdown(SHUT_RDWR)


def failure(zone: Zone, doing: str, error: psycopg.Error) -> TreetopError:
    """Return what an error of an open session means, to be raised `from error`."""
    said = _first_line(error)
    match error:
        case errors.InsufficientPrivilege():
            return StopZone(
                f"zone {zone.name}: {doing} is not allowed: {said}",
                hint=f"treetop zone show {zone.name} has the SQL",
            )
        case errors.UndefinedTable() | errors.UndefinedColumn() | errors.UndefinedFunction():
            return StopZone(
                f"zone {zone.name}: {doing} failed: {said}",
                hint="the database is not one of a supported release of Nova, or the role may not see it",
            )
    return Retry(f"zone {zone.name}: {doing} failed: {said}")


def _connect_failure(zone: Zone, error: psycopg.Error) -> TreetopError:
    said = _first_line(error)
    what = f"zone {zone.name}: cannot connect to {zone.url}: {said}"
    if not any(text in said for text in _NOT_NOW):
        for text, hint in _NEEDS_PERSON.items():
            if text in said:
                return StopZone(what, hint=hint)
    return Retry(what, hint=f"look whether PostgreSQL answers at {zone.url.host}:{zone.url.port}")


def _first_line(error: psycopg.Error) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
