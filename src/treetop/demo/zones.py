# SPDX-License-Identifier: Apache-2.0
"""Demo zones: each a database with Nova's tables and servers, most on a server of their own, and their work.

`plan_zones(folder)` -> three cells. `start` makes one ready whatever happened before, `fill` loads servers
once, `source_url` and `password` are what the zone is registered with. In a zone's folder: `server` (the
database server), `collector.password`, `nova.password`, `roles` and `prepared-2` (empty, made last),
`population.json`, `workload.json`. A zone that is a guest has the server and the passwords of its host.
"""

import json
import secrets
from dataclasses import asdict
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import psycopg

from treetop.demo.loading import load_zone
from treetop.demo.mariadb import PrivateMariaDB
from treetop.demo.mariadb_install import find_mariadbd
from treetop.demo.population import Population
from treetop.demo.zone_access import (
    COLLECTOR,
    NOVA,
    make_mariadb_database,
    make_mariadb_roles,
    make_postgres_database,
    make_postgres_roles,
    make_postgres_tables,
)
from treetop.demo.zone_database import ZoneDatabase
from treetop.model.zone import Engine, PasswordReference, SourceUrl, Trust, ZoneKind, ZoneName
from treetop.nova.watched import watched_tables
from treetop.store.daemon import write_private
from treetop.store.embedded import EmbeddedPostgres
from treetop.store.initdb import SUPERUSER

DATABASE: Final = "nova_cell"

#: What survives `kill -9` of the server but not the machine's loss of power: enough for a demo, and fast.
_MARIADB: Final = {
    "innodb_flush_log_at_trx_commit": "2",
    "sync_binlog": "0",
    "innodb_buffer_pool_size": "256M",
    "innodb_log_file_size": "256M",
}
_POSTGRES: Final = {
    "fsync": "off",
    "wal_level": "logical",
    "max_replication_slots": "10",
    "max_wal_size": "2GB",
}


class DemoZone:
    """One zone. Not thread-safe; one process owns its folder between `start` and `stop`.

    kind: whether it gets a cell's tables or those of an API database. host: the zone whose server it is on, too,
    under another `database` name; to be started before. dies_with_parent: the database server shuts down when
    the thread that called `start` ends.
    """

    def __init__(
        self,
        *,
        name: ZoneName,
        engine: Engine,
        folder: Path,
        kind: ZoneKind = ZoneKind.CELL,
        database: str = DATABASE,
        host: "DemoZone | None" = None,
        dies_with_parent: bool = False,
    ) -> None:
        self.name = name
        self.engine = engine
        self.kind = kind
        self.folder = folder.absolute()
        self._host = host
        self._database = database
        self._server: PrivateMariaDB | EmbeddedPostgres
        server = self.folder / "server"
        if host is not None:
            self._server = host._server
        elif engine is Engine.POSTGRESQL:
            self._server = EmbeddedPostgres(
                folder=server, settings=_POSTGRES, dies_with_parent=dies_with_parent
            )
        else:
            self._server = PrivateMariaDB(folder=server, settings=_MARIADB, dies_with_parent=dies_with_parent)

    def guest(self, *, name: str, kind: ZoneKind, database: str) -> "DemoZone":
        """Another zone with a database on this one's server."""
        return DemoZone(
            name=ZoneName(name),
            engine=self.engine,
            folder=self.folder.with_name(f"{name}-{self.engine}"),
            kind=kind,
            database=database,
            host=self,
        )

    def __repr__(self) -> str:
        return f"DemoZone({self.name}, {self.engine}, {self.folder})"

    @property
    def password(self) -> PasswordReference:
        """Where the collector's password is: what to register the zone with."""
        return PasswordReference(kind="file", name=str(self._password_file(COLLECTOR)))

    @property
    def nova_password_file(self) -> Path:
        """The file with the password of the role that owns the tables."""
        return self._password_file(NOVA)

    @property
    def population_file(self) -> Path:
        """What `fill` loaded, for the workload to go on from."""
        return self.folder / "population.json"

    def source_url(self) -> SourceUrl:
        """The URL to register the zone with: the collector's, who can only read."""
        return self._url(COLLECTOR)

    def nova_url(self) -> SourceUrl:
        """The URL of the role that owns the tables, for the workload."""
        return self._url(NOVA)

    def start(self) -> None:
        """Start the server, or take over one that still runs; on first use make database and roles.

        Idempotent. Raises `Refuse` and `Retry` as the servers do.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._host is None:
            self._server.start()
            if not self._has_roles.exists():
                self._make_roles()
        if not self._stamp.exists():
            self._prepare()

    def fill(self, population: Population) -> Population:
        """Load a population, unless the zone was filled before; return what is there.

        A load that was interrupted is begun again on new tables.
        """
        if self.population_file.exists():
            return read_population(self.population_file)
        with self.open_as_admin() as database:
            if database.largest_id("instances"):
                self._prepare()
        with self.open_as_admin() as database:
            load_zone(database, population)
        write_private(self.population_file, json.dumps(asdict(population), default=str))
        return population

    def open_as_admin(self) -> ZoneDatabase:
        """Open the database as the server's administrator; the caller closes it."""
        password = self._server.password_file.read_text().splitlines()[0]
        return ZoneDatabase(self._url("root" if self.engine is Engine.MARIADB else SUPERUSER), password)

    def open_as_nova(self) -> ZoneDatabase:
        """Open the database as the role that owns the tables; the caller closes it."""
        return ZoneDatabase(self.nova_url(), self.nova_password_file.read_text().splitlines()[0])

    def is_running(self) -> bool:
        """Tell whether the server's process lives."""
        return self._server.is_running()

    def stop(self) -> None:
        """Stop the server, with its guests, and wait until it is gone; idempotent."""
        self._server.stop()

    def kill(self) -> None:
        """Kill the server as a crash would; `start` brings it back with what was committed."""
        self._server.kill()

    def remove(self) -> None:
        """Stop the server and delete all the zone's data; only empty folders may stay. A guest leaves the server."""
        if self._host is None:
            self._server.remove()
        for file in self.folder.glob("*"):
            if file.is_file():
                file.unlink()

    @property
    def _stamp(self) -> Path:
        return self.folder / "prepared-2"  # another number where a zone is made in another way

    @property
    def _has_roles(self) -> Path:
        return self.folder / "roles"

    def _password_file(self, role: str) -> Path:
        folder = self.folder if self._host is None else self._host.folder
        return folder / f"{'collector' if role == COLLECTOR else role}.password"

    def _url(self, user: str) -> SourceUrl:
        return SourceUrl(
            engine=self.engine, user=user, host="127.0.0.1", port=self._server.port, database=self._database
        )

    def _make_roles(self) -> None:
        self._stamp.unlink(missing_ok=True)  # the roles lose what they may do
        passwords = {role: secrets.token_urlsafe(24) for role in (NOVA, COLLECTOR)}
        for role, password in passwords.items():
            write_private(self._password_file(role), password + "\n")
        if isinstance(self._server, PrivateMariaDB):
            with self._server.root_connection() as connection:
                make_mariadb_roles(connection, passwords)
        else:
            with psycopg.connect(self._server.conninfo(), autocommit=True) as admin:
                make_postgres_roles(admin, passwords)
        self._has_roles.touch(mode=0o600)

    def _prepare(self) -> None:
        self._stamp.unlink(missing_ok=True)
        self.population_file.unlink(missing_ok=True)
        watched = watched_tables(self.kind, Trust.FULL)
        if isinstance(self._server, PrivateMariaDB):
            with self._server.root_connection() as connection:
                make_mariadb_database(connection, self._database, _tables("mariadb", self.kind), watched)
        else:
            with psycopg.connect(self._server.conninfo(), autocommit=True) as admin:
                make_postgres_database(admin, self._database)
            with psycopg.connect(self._server.conninfo(self._database), autocommit=True) as admin:
                make_postgres_tables(admin, _tables("postgresql", self.kind), watched)
        self._stamp.touch(mode=0o600)


def plan_zones(folder: Path, *, dies_with_parent: bool = False) -> list[DemoZone]:
    """Three zones under one private folder: `west` on MariaDB where that is installed, `east` and `north`
    on PostgreSQL. Nothing is started or written yet. A zone keeps the engine it was made with.
    """
    engine = Engine.MARIADB if find_mariadbd() is not None else Engine.POSTGRESQL
    engines = {"west": engine, "east": Engine.POSTGRESQL, "north": Engine.POSTGRESQL}
    return [
        DemoZone(
            name=ZoneName(name),
            engine=kind,
            folder=folder / f"{name}-{kind}",
            dies_with_parent=dies_with_parent,
        )
        for name, kind in engines.items()
    ]


def read_population(file: Path) -> Population:
    """Read what `DemoZone.fill` wrote."""
    values = json.loads(file.read_text())
    return Population(**values | {"loaded_at": datetime.fromisoformat(values["loaded_at"])})


def _tables(engine: str, kind: ZoneKind) -> str:
    name = f"nova_api.{engine}.sql" if kind is ZoneKind.API else f"{engine}.sql"
    return files("treetop.demo").joinpath("schema", name).read_text(encoding="utf-8")
