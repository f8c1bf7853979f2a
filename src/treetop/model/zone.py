# SPDX-License-Identifier: Apache-2.0
"""What a zone is: its name, region, trust, where its database is, and where its password can be read.

A `SourceUrl` never holds a password: `parse_source_url` refuses one that does, so that nothing printed or
stored can leak it. `PasswordReference` says where the password is; only `capture` reads it, when it connects.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from urllib.parse import parse_qsl, unquote, urlsplit

from treetop.errors import Refuse

ZoneName = NewType("ZoneName", str)
ZoneId = NewType("ZoneId", int)

NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")  # fits DNS labels, slot names, file names
MAX_ZONE_ID = 32767  # smallint at the top


class Trust(StrEnum):
    """What a zone shares with the top."""

    SERVERS = "servers"  # servers without host identity
    FULL = "full"  # servers and hosts


class Engine(StrEnum):
    """Which database a zone runs on: decides the log protocol."""

    MARIADB = "mariadb"
    MYSQL = "mysql"
    POSTGRESQL = "postgresql"


class ZoneState(StrEnum):
    """Where a zone is in its life; `sync.lifecycle` has the allowed moves."""

    NEW = "new"  # registered, no worker has opened it yet
    LOADING = "loading"  # first rows (or all rows again) are being copied beside the stream
    CATCHING_UP = "catching up"  # loaded, reading the log from a position behind the zone's
    LIVE = "live"  # every transaction is applied as it comes
    WAITING = "waiting"  # will retry by itself
    STOPPED = "stopped"  # needs a person


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReference:
    """Where a zone's password is kept: in a file (first line) or an environment variable of the worker."""

    kind: str  # "file" or "env"
    name: str  # absolute path, or variable name

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUrl:
    """A zone's database: `ENGINE://USER@HOST:PORT/DATABASE?OPTION=VALUE`, without a password.

    socket: path of a Unix socket (MariaDB/MySQL: the socket file, PostgreSQL: its folder), or None for TCP.
    options: what the query string holds, e.g. `ssl_ca`, `sslmode`; `capture` knows the allowed names.
    """

    engine: Engine
    user: str
    host: str
    port: int
    database: str
    socket: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in sorted(self.options.items()))
        if self.socket is not None:
            query = "&".join(part for part in (f"socket={self.socket}", query) if part)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.engine}://{self.user}@{host}:{self.port}/{self.database}" + (
            f"?{query}" if query else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One child zone as the top's registry knows it."""

    id: ZoneId
    name: ZoneName
    region: str
    trust: Trust
    url: SourceUrl
    password: PasswordReference | None  # None: the database asks for none (peer, trust, .pgpass)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How current a zone's part of an answer is.

    as_of: the instant (the top's clock) whose state of the zone the top reflects; None: nothing loaded yet.
    lag_seconds: how long ago that was when it was read; None with `as_of`.
    """

    zone: ZoneName
    state: ZoneState
    as_of: datetime | None
    lag_seconds: float | None


_SCHEMES = {
    "mariadb": Engine.MARIADB,
    "mysql": Engine.MYSQL,
    "mysql+pymysql": Engine.MYSQL,
    "postgresql": Engine.POSTGRESQL,
    "postgres": Engine.POSTGRESQL,
    "postgresql+psycopg2": Engine.POSTGRESQL,
}
_PORTS = {Engine.MARIADB: 3306, Engine.MYSQL: 3306, Engine.POSTGRESQL: 5432}
_EXAMPLE = "write it as mysql://USER@HOST:3306/nova_cell1 or postgresql://USER@HOST:5432/nova_cell1"


def parse_zone_name(text: str) -> ZoneName:
    """Return `text` as a zone name; raise `Refuse` with the rule it breaks."""
    if NAME_PATTERN.fullmatch(text) is None:
        raise Refuse(
            f"{text!r} cannot be a zone name",
            hint="use 1 to 63 of a-z, 0-9, '-' and '_', beginning and ending with a letter or digit",
        )
    return ZoneName(text)


def parse_source_url(text: str) -> SourceUrl:
    """Read a zone's URL; raise `Refuse` naming what is wrong, without repeating a password that was in it."""
    shown = re.sub(r"://([^/@:]*):[^@/]*@", r"://\1:***@", text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise Refuse(f"{shown} is not a URL: {error}", hint=_EXAMPLE) from None
    engine = _SCHEMES.get(parts.scheme)
    if engine is None:
        raise Refuse(f"{shown} does not name a database Treetop can read", hint=_EXAMPLE)
    if parts.password is not None:
        raise Refuse(
            f"{shown} holds a password, and Treetop stores none",
            hint="take it out of the URL and say where it is: --password-file PATH or --password-env NAME",
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    options.pop("charset", None)  # SQLAlchemy URLs of nova.conf carry it; the log has its own
    socket = options.pop("socket", None) or options.pop("unix_socket", None)
    database = unquote(parts.path.removeprefix("/"))
    if not parts.username or not database or "/" in database or not (parts.hostname or socket):
        raise Refuse(f"{shown} lacks a user, a host or a database", hint=_EXAMPLE)
    return SourceUrl(
        engine=engine,
        user=unquote(parts.username),
        host=parts.hostname or "localhost",
        port=port or _PORTS[engine],
        database=database,
        socket=socket,
        options=options,
    )


def parse_password_reference(text: str) -> PasswordReference:
    """Read `file:/path` or `env:NAME` as stored in the registry; raise `Refuse` on anything else."""
    kind, _, name = text.partition(":")
    if kind == "file" and name.startswith("/"):
        return PasswordReference(kind=kind, name=name)
    if kind == "env" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return PasswordReference(kind=kind, name=name)
    raise Refuse(f"{text!r} is not a password reference", hint="write file:/absolute/path or env:NAME")
