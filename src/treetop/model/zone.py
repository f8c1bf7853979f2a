# SPDX-License-Identifier: Apache-2.0
"""What a zone is: its name, region, trust, where its database is, and where its password can be read.

A `SourceUrl` never holds a password: `model.source_url` refuses one that does, so that nothing printed or
stored can leak it. `PasswordReference` says where the password is; only `capture` reads it, when it connects.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from urllib.parse import quote

from treetop.errors import Refuse

ZoneName = NewType("ZoneName", str)
ZoneId = NewType("ZoneId", int)

NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")  # fits DNS labels, slot names, file names
MAX_ZONE_ID = 32767  # smallint at the top
MOST_REGION_CHARACTERS = 255
_HARMLESS = re.compile(r"[\w .-]{0,80}")  # no URL that somebody put in the wrong place, with its password


class Trust(StrEnum):
    """What a zone shares with the top."""

    SERVERS = "servers"  # servers without host identity
    FULL = "full"  # servers and hosts


class ZoneKind(StrEnum):
    """What a zone's database is to Nova: decides which tables are read."""

    CELL = "cell"  # servers (cell0 included)
    API = "api"  # nova_api: flavors, aggregates, groups and mappings of a region


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
        options = ({"socket": self.socket} if self.socket is not None else {}) | dict(
            sorted(self.options.items())
        )
        query = "&".join(f"{quote(name)}={quote(value, safe='/:')}" for name, value in options.items())
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = f"{quote(self.user, safe='')}@{host}:{self.port}/{quote(self.database, safe='')}"
        return f"{self.engine}://{place}" + (f"?{query}" if query else "")

    def is_same_database(self, other: "SourceUrl") -> bool:
        """Say whether both lead to one database, as far as the URLs tell: user and options do not matter."""
        return self._place() == other._place()

    def _place(self) -> tuple[object, ...]:
        where = self.socket or ("localhost" if self.host in ("127.0.0.1", "::1") else self.host)
        return self.engine is Engine.POSTGRESQL, where, self.port, self.database


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One child zone as the top's registry knows it."""

    id: ZoneId
    name: ZoneName
    region: str
    trust: Trust
    url: SourceUrl
    password: PasswordReference | None  # None: the database asks for none (peer, trust, .pgpass)
    kind: ZoneKind = ZoneKind.CELL


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


def shown_name(text: str) -> str:
    """What a message may repeat of something given as a name: all of it, or nothing where it may hold a secret."""
    return repr(text) if _HARMLESS.fullmatch(text) else "what was given as name"


def parse_zone_name(text: str) -> ZoneName:
    """Return `text` as a zone name; raise `Refuse` with the rule it breaks."""
    if NAME_PATTERN.fullmatch(text) is None:
        raise Refuse(
            f"{shown_name(text)} cannot be a zone name",
            hint="use 1 to 63 of a-z, 0-9, '-' and '_', beginning and ending with a letter or digit",
        )
    return ZoneName(text)


def parse_region(text: str) -> str:
    """Return `text` as the name of a region; raise `Refuse` when it cannot be one."""
    if not text.strip() or len(text) > MOST_REGION_CHARACTERS or not text.isprintable():
        raise Refuse(
            f"what was given as region cannot be the name of one: {len(text)} characters",
            hint=f"use 1 to {MOST_REGION_CHARACTERS} printable characters, e.g. RegionOne",
        )
    return text


def parse_password_reference(text: str) -> PasswordReference:
    """Read `file:/path` or `env:NAME` as stored in the registry; raise `Refuse` on anything else."""
    kind, _, name = text.partition(":")
    if kind == "file" and name.startswith("/") and name.isprintable():
        return PasswordReference(kind=kind, name=name)
    if kind == "env" and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return PasswordReference(kind=kind, name=name)
    raise Refuse(
        "that is not where a password can be",  # not repeated: it may be the password itself
        hint="write --password-file PATH, or --password-env NAME with the name of an environment variable",
    )
