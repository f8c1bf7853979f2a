# SPDX-License-Identifier: Apache-2.0
"""Connect to a MariaDB or MySQL zone and say what an error of its server means: `Retry` or `StopZone`.

In: a `Zone`. Out: a `Session`: a PyMySQL connection (its authentication and TLS) in autocommit, UTF-8, UTC,
and what kind of server answered: a `mysql://` URL may well lead to a MariaDB, so the server decides, not
the URL. TLS options of the URL: `ssl_ca`, `ssl_cert`, `ssl_key` (paths), `ssl_verify` (`on`: certificate
and host name are verified; `off`: encrypted only). Without them TLS is used where the server offers it.

`StopZone` is for what a person must mend (access denied, no such database, TLS); all else is `Retry`: the
supervisor's growing pauses keep a server that refuses us from being hammered.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from treetop.capture.mysql_wire import PacketStream
from treetop.capture.password import read_password
from treetop.errors import Refuse, Retry, StopZone, TreetopError
from treetop.model.zone import Zone

CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 30  # the longest a statement of ours may take
_FILES: Final = ("ssl_ca", "ssl_cert", "ssl_key")
OPTIONS: Final = (*_FILES, "ssl_verify")

_GRANT = "GRANT SELECT ON {database}.* TO {user}; GRANT REPLICATION SLAVE ON *.* TO {user}"
#: Error number -> what a person can do about it.
_NEEDS_PERSON = {
    1044: _GRANT,
    1045: "{password}, or correct the user in the URL",
    1049: "correct the database in the zone's URL; on its server: SHOW DATABASES",
    1054: "the database is not one of a supported release of Nova",
    1129: "FLUSH HOSTS on the zone's server",
    1130: "CREATE USER {user}@'%' on the zone's server, or allow this machine's address",
    1142: _GRANT,
    1143: _GRANT,
    1146: "the database is not one of a supported release of Nova",
    1227: _GRANT,
    1251: "let the user authenticate with mysql_native_password, ed25519 or caching_sha2_password",
    1370: _GRANT,
    1698: "let the user authenticate with a password: ALTER USER {user} IDENTIFIED BY '…'",
    2026: "check ssl_ca, ssl_cert, ssl_key and ssl_verify in the zone's URL",
    3159: "the server wants TLS: add ssl_verify=on and ssl_ca=PATH to the zone's URL",
}


@dataclass(frozen=True, slots=True)
class Session:
    """One connection. clock_offset_seconds: the server's clock minus ours when it was opened."""

    zone: Zone
    connection: "Connection[Cursor]"
    version: str
    clock_offset_seconds: float

    @property
    def is_mariadb(self) -> bool:
        """Say whether the server is a MariaDB."""
        return "mariadb" in self.version.lower()

    def query(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows (Any: whatever the columns hold). Raises `Retry`, `StopZone`."""
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql, arguments or None)
                return list(cursor.fetchall())
        except (pymysql.Error, OSError) as error:
            raise failure(self.zone, f"`{' '.join(sql.split())[:60]}`", error) from error

    def packets(self) -> PacketStream:
        """Give the connection's packets; PyMySQL must not be reading an answer."""
        connection: Any = self.connection  # PyMySQL does not give its socket out
        return PacketStream(connection._sock, f"zone {self.zone.name}")

    def close(self) -> None:
        """Close; idempotent."""
        connection: Any = self.connection
        connection._force_close()  # no QUIT: the connection may be in the middle of a stream


def connect(zone: Zone, *, purpose: str) -> Session:
    """Open a session. purpose: shown as program_name in the server's session attributes.

    Raises `Refuse` for an unknown option in the URL, `StopZone` for what a person must mend, else `Retry`.
    """
    try:
        connection = pymysql.connect(
            host=zone.url.host,
            port=zone.url.port,
            unix_socket=zone.url.socket,
            user=zone.url.user,
            password=read_password(zone.password),
            database=zone.url.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            write_timeout=ANSWER_SECONDS,
            init_command="SET SESSION time_zone='+00:00', sql_mode='', net_write_timeout=600",
            program_name=purpose,
            **_tls(zone),
        )
    except (pymysql.Error, OSError, RuntimeError) as error:
        raise failure(zone, f"connecting to {zone.url}", error) from None  # its traceback holds the password
    try:
        return _opened(zone, connection)
    except BaseException:
        Session(zone, connection, "", 0.0).close()
        raise


def _opened(zone: Zone, connection: "Connection[Cursor]") -> Session:
    session = Session(zone, connection, "", 0.0)
    before = time.time()
    ((version, now),) = session.query("SELECT VERSION(), UTC_TIMESTAMP(6)")
    assert isinstance(now, datetime)
    offset = now.replace(tzinfo=UTC).timestamp() - (before + time.time()) / 2
    return Session(zone, connection, version, offset)


def _tls(zone: Zone) -> dict[str, Any]:
    options = zone.url.options
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown or options.get("ssl_verify", "on") not in ("on", "off"):
        wrong = f"unknown option {unknown[0]!r}" if unknown else f"ssl_verify={options['ssl_verify']}"
        raise Refuse(
            f"the URL of zone {zone.name} has {wrong}",
            hint=f"MariaDB and MySQL zones know {', '.join(OPTIONS)}; ssl_verify is on or off",
        )
    tls: dict[str, Any] = {name: options[name] for name in _FILES if name in options}
    for name, path in tls.items():
        if not Path(path).is_file():
            raise StopZone(
                f"zone {zone.name}: {name} names {path}, which is not a file here",
                hint=f"put the file there, or correct {name} in the zone's URL",
            )
    if options:
        verify = options.get("ssl_verify", "on" if "ssl_ca" in options else "off") == "on"
        tls |= {"ssl_verify_cert": verify, "ssl_verify_identity": verify}
    return tls


def failure(zone: Zone, doing: str, error: Exception) -> TreetopError:
    """Return what an error of the server or the network means, to be raised."""
    number, said = _number_and_text(error)
    what = f"zone {zone.name}: {doing} failed: {said}"
    if any(text in said.upper() for text in ("CERTIFICATE", "_ALERT_")):  # of the TLS handshake
        number = 2026
    if number not in _NEEDS_PERSON:
        return Retry(what, hint=f"look whether the server answers at {zone.url.host}:{zone.url.port}")
    user = f"'{zone.url.user}'"
    hint = _NEEDS_PERSON[number].format(
        user=user, database=f"`{zone.url.database}`", password=_where_the_password_is(zone)
    )
    return StopZone(what, hint=hint)


def _where_the_password_is(zone: Zone) -> str:
    if zone.password is None:
        return "give the password: --password-file PATH (a zone that is there is removed and added again)"
    kind = "the variable" if zone.password.kind == "env" else "the file"
    return f"correct the password in {kind} {zone.password.name}, or name another with --password-file PATH"


def _number_and_text(error: Exception) -> tuple[int, str]:
    if isinstance(error, pymysql.Error) and len(error.args) >= 2 and isinstance(error.args[0], int):
        return error.args[0], f"{error.args[1]} (error {error.args[0]})"
    return 0, str(error) or type(error).__name__
