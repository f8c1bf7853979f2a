# SPDX-License-Identifier: Apache-2.0
"""Read the URL of a zone's database, and never repeat a password that somebody put into it.

Text -> `SourceUrl`, or `Refuse` with what is wrong. `parse_source_url(str(url)) == url` for every URL it returns:
the registry keeps the text. What a message shows of a URL it refuses is chosen by what is harmless, not by what
looks like a secret: passwords hold `@`, `/`, `#` and `?` unquoted where people paste them.
"""

import re
from ipaddress import IPv6Address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from treetop.errors import Refuse
from treetop.model.zone import Engine, SourceUrl

_SCHEMES = {
    "mariadb": Engine.MARIADB,
    "mariadb+pymysql": Engine.MARIADB,
    "mysql": Engine.MYSQL,
    "mysql+pymysql": Engine.MYSQL,
    "postgresql": Engine.POSTGRESQL,
    "postgres": Engine.POSTGRESQL,
    "postgresql+psycopg": Engine.POSTGRESQL,
    "postgresql+psycopg2": Engine.POSTGRESQL,
}
_PORTS = {Engine.MARIADB: 3306, Engine.MYSQL: 3306, Engine.POSTGRESQL: 5432}
_EXAMPLE = "write it as mysql://USER@HOST:3306/nova_cell1 or postgresql://USER@HOST:5432/nova_cell1"
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_.])?")
_SECRET_OPTION = re.compile(r"pass|pwd|secret|token", re.IGNORECASE)
_NAME = r"[\w.%~+-]*"
_HARMLESS = re.compile(rf"[a-z0-9+.-]+://({_NAME}@(\[[0-9a-f:.]+\]|{_NAME})(:\d{{1,5}})?|{_NAME})(/{_NAME})*")


def parse_source_url(text: str) -> SourceUrl:
    """Read a zone's URL; raise `Refuse` naming what is wrong, without repeating a password that was in it."""
    shown = _shown(text)
    if not text.isprintable():
        raise Refuse("the URL holds a character that cannot be printed", hint=_EXAMPLE)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its message repeats a part of the URL
        raise Refuse(f"{shown} is not a URL: its host or port cannot be read", hint=_EXAMPLE) from None
    engine = _SCHEMES.get(parts.scheme)
    if engine is None:
        raise Refuse(f"{shown} does not name a database Treetop can read", hint=_EXAMPLE)
    options = _options(parts, shown)
    socket = options.pop("socket", None)
    database, user, host = unquote(parts.path[1:]), unquote(parts.username or ""), parts.hostname
    if not user or not database or "/" in database or not (host or socket):
        raise Refuse(f"{shown} lacks a user, a host or a database", hint=_EXAMPLE)
    decoded = [user, database, *options, *options.values()]
    if port == 0 or parts.fragment or not all(map(str.isprintable, decoded)):
        raise Refuse(f"{shown} has a part that cannot be used", hint=_EXAMPLE)
    if (host is not None and not is_host(host)) or (socket is not None and not _is_path(socket)):
        raise Refuse(
            f"{shown} names no host or socket that can exist",
            hint="write a host name, an IPv4 address, an IPv6 address in [], or ?socket=/absolute/path",
        )
    return SourceUrl(
        engine=engine,
        user=user,
        host=host or "localhost",
        port=port or _PORTS[engine],
        database=database,
        socket=socket,
        options=options,
    )


def _options(parts: SplitResult, shown: str) -> dict[str, str]:
    """Return the query's options, SQLAlchemy's spelling turned into ours."""
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if parts.password is not None or any(map(_SECRET_OPTION.search, options)):
        raise Refuse(
            f"{shown} holds a password, and Treetop stores none",
            hint="take it out of the URL and say where it is: --password-file PATH or --password-env NAME",
        )
    if "unix_socket" in options and "socket" not in options:
        options["socket"] = options.pop("unix_socket")
    if len(pairs) != len(dict(pairs)) or "unix_socket" in options:
        raise Refuse(f"{shown} gives an option twice", hint=_EXAMPLE)
    options.pop("charset", None)  # SQLAlchemy URLs of nova.conf carry it; the log has its own
    return options


def _shown(text: str) -> str:
    """What may be shown of a URL that is refused: all but its options, or its scheme, or nothing of it."""
    place, mark, _ = text.partition("?")
    if _HARMLESS.fullmatch(place):
        return place + ("?…" if mark else "")
    scheme = text.partition("://")[0]
    return f"{scheme}://…" if scheme in _SCHEMES else "what was given as URL"


def is_host(host: str) -> bool:
    """Say whether this can be a host's name, in small letters, or its address (IPv6 without [])."""
    if ":" not in host:
        return _HOST.fullmatch(host) is not None
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True


def _is_path(path: str) -> bool:
    return path.startswith("/") and path.isprintable()
