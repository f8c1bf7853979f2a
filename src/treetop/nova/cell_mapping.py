# SPDX-License-Identifier: Apache-2.0
"""What Nova's `cell_mappings.database_connection` says of a cell's database, but for its user and password. Pure.

A mapping -> `CellDatabase`, or `Refuse` with what is wrong. The column holds a SQLAlchemy URL with a password, or
a template whose `{fields}` Nova fills from `[database] connection` of its own nova.conf; user and password are cut
off before anything is read, and no message repeats what could be a part of them. Facts: SQLAlchemy 2, "Database
URLs" (as `make_url` reads them: tests/conformance); Nova 34, objects/cell_mapping.py, docs admin/cells.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

from treetop.errors import Refuse
from treetop.model.source_url import is_host
from treetop.model.zone import Engine, SourceUrl

CELL0_UUID: Final = "00000000-0000-0000-0000-000000000000"

_ENGINES: Final = {
    "mysql": Engine.MYSQL,
    "mariadb": Engine.MARIADB,
    "postgresql": Engine.POSTGRESQL,
    "postgres": Engine.POSTGRESQL,
}
_PORTS: Final = {Engine.MYSQL: 3306, Engine.MARIADB: 3306, Engine.POSTGRESQL: 5432}
_PLACE: Final = re.compile(
    r"(\[(?P<v6>[^]/?]*)\]|(?P<host>[^/:?]*))(:(?P<port>[^/?]*))?(/(?P<database>[^?]*))?(\?(?P<query>.*))?",
    re.DOTALL,
)
_FIELD: Final = re.compile(r"\{(\w*)\}")
#: What Nova fills in; a number after it: one of several hosts, which only a transport URL has.
_KNOWN_FIELD: Final = re.compile(r"(username|password|hostname|port|scheme|query|fragment|path)\d{0,2}")
_TLS_FILES: Final = ("ssl_ca", "ssl_cert", "ssl_key", "sslrootcert", "sslcert", "sslkey")
_NO: Final = ("0", "off", "no", "false", "none", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMapping:
    """A row of `cell_mappings`. connection: its `database_connection`, as found; never shown whole."""

    uuid: str
    name: str | None
    is_disabled: bool
    connection: str = field(repr=False)

    @property
    def is_cell0(self) -> bool:
        """Say whether this is where servers go that found no host."""
        return self.uuid == CELL0_UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CellDatabase:
    """Where a cell's database is, as Nova sees it.

    socket, options: as in `SourceUrl`. filled: the fields of a template that were filled in.
    """

    engine: Engine
    host: str
    port: int
    database: str
    socket: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    filled: tuple[str, ...] = ()

    @property
    def tls_files(self) -> tuple[str, ...]:
        """The files of Nova's machine that the options name."""
        return tuple(value for name, value in self.options.items() if name in _TLS_FILES)


def template_fields(url: SourceUrl, *, has_path: bool) -> dict[str, str]:
    """What a template's fields become when `url` is in place of Nova's own `[database] connection`.

    has_path: whether that URL names the same database as Nova's; else `path` is not known.
    """
    socket = "host" if url.engine is Engine.POSTGRESQL else "unix_socket"
    options = {**url.options, **({socket: url.socket} if url.socket else {})}
    fields = {
        "scheme": str(url.engine),
        "hostname": url.host,
        "port": str(url.port),
        "query": "&".join(f"{name}={quote(value)}" for name, value in options.items()),
        "fragment": "",
    }
    return fields | ({"path": url.database} if has_path else {})


def read_cell_database(mapping: CellMapping, fields: Mapping[str, str]) -> CellDatabase:
    """Read where a cell's database is. fields: of `template_fields`. Raises `Refuse`."""
    scheme, mark, rest = mapping.connection.strip().partition("://")
    text, filled = _filled(scheme + mark + rest.rpartition("@")[2], fields)
    scheme, mark, place = text.partition("://")
    engine = _ENGINES.get(scheme.partition("+")[0].lower())
    if not mark:
        raise Refuse("its database_connection is no URL" if text else "it has no database_connection")
    if engine is None:
        named = scheme if re.fullmatch(r"[a-z0-9+_]{1,30}", scheme) else "something else"
        raise Refuse(f"its database is reached by {named}, and Treetop reads MariaDB, MySQL and PostgreSQL")
    found = _PLACE.fullmatch(place)
    if found is None:
        raise Refuse("its database_connection has a host that cannot be read")
    query = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    host, port, socket = _where(found["v6"] or found["host"] or "", found["port"] or "", query)
    database = found["database"] or query.get("database", "") or query.get("dbname", "")
    if not re.fullmatch(r"[^/@\s]+", database) or not database.isprintable():
        raise Refuse("its database_connection names no database")
    return CellDatabase(
        engine=engine,
        host=host,
        port=port or _PORTS[engine],
        database=unquote(database),
        socket=socket,
        options=_options(engine, query),
        filled=filled,
    )


def _filled(text: str, fields: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    names = tuple(dict.fromkeys(_FIELD.findall(text)))
    unknown = [name for name in names if name not in fields]
    if unknown:
        named = [f"{{{name}}}" for name in unknown if _KNOWN_FIELD.fullmatch(name)]
        raise Refuse(
            f"it is a template, and what Nova has for {', '.join(named) or 'one of its fields'} is not known here",
            hint="--template-url URL: `[database] connection` of Nova's own nova.conf, without its password",
        )
    return _FIELD.sub(lambda found: _bracketed(text, found, fields[found[1]]), text), names


def _bracketed(text: str, found: re.Match[str], value: str) -> str:
    """The value of a field; an IPv6 address in [], unless the template has them."""
    has_brackets = text[: found.start()].endswith("[")
    return f"[{value}]" if found[1] == "hostname" and ":" in value and not has_brackets else value


def _where(host: str, port: str, query: Mapping[str, str]) -> tuple[str, int | None, str | None]:
    """Host, port and socket; drivers take those of the query first."""
    socket = query.get("unix_socket")
    host = query.get("host", host)
    if host.startswith("/"):
        host, socket = "", host
    port = query.get("port", port)
    if "," in host + port:
        raise Refuse("it names several hosts: register the one to read by hand")
    if socket is not None and not (socket.startswith("/") and socket.isprintable()):
        raise Refuse("its database_connection names a socket that cannot exist")
    host = host.lower() or "localhost"  # as the drivers do
    if not is_host(host):
        raise Refuse("its database_connection has a host that cannot be read")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise Refuse("its database_connection has a port that cannot be read")
    return host, int(port) if port else None, socket


def _options(engine: Engine, query: Mapping[str, str]) -> dict[str, str]:
    """What Treetop also needs of the options of Nova's own client: its TLS."""
    if engine is Engine.POSTGRESQL:
        wanted = ("sslmode", "sslrootcert", "sslcert", "sslkey")
        return {name: query[name] for name in wanted if query.get(name)}
    options = {name: query[name] for name in (*_TLS_FILES[:3], "ssl_verify") if query.get(name)}
    verify = [query[name] for name in ("ssl_verify_cert", "ssl_verify_identity") if name in query]
    if verify:
        options["ssl_verify"] = "off" if all(value.lower() in _NO for value in verify) else "on"
    return options
