# SPDX-License-Identifier: Apache-2.0
"""Every option, read once into a frozen `Settings`.

Sources, the later over the earlier: defaults, `/etc/treetop/treetop.conf` or `--config-file`, environment
(`OS_STORE__CONNECTION=…`, oslo.config's own rule: OS_GROUP__OPTION). An option or group that Treetop does not know
is refused with the nearest name (`option_check`); in the environment only within Treetop's own groups, as other
programs have theirs there. The groups of OpenStack's libraries are read where they are used: `api.library_options`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oslo_config import cfg, types

from treetop.errors import Refuse
from treetop.option_check import refuse_unknown, refuse_unknown_variables, require_usable

DEFAULT_FILE = Path("/etc/treetop/treetop.conf")

_DEFAULT: list[cfg.Opt] = [
    cfg.BoolOpt("debug", default=False, help="Log what is done, not only what changed."),
]
_STORE: list[cfg.Opt] = [
    cfg.StrOpt(
        "connection",
        secret=True,
        help="libpq connection string or URL of the top's PostgreSQL (14 or later), e.g."
        " 'host=db.example.org dbname=treetop user=treetop passfile=/etc/treetop/pgpass'.",
    ),
    cfg.StrOpt(
        "bin_dir",
        help="Folder of initdb and postgres for the embedded PostgreSQL of `treetop demo`;"
        " found by itself when not set.",
    ),
    cfg.IntOpt("pool_size", default=8, min=1, help="Connections of one API process; as many as its threads."),
    cfg.IntOpt(
        "statement_timeout_ms", default=10_000, min=100, help="Longest query of the API, in milliseconds."
    ),
]
_SYNC: list[cfg.Opt] = [
    cfg.IntOpt(
        "chunk_servers",
        default=1_000,
        min=1,
        max=20_000,
        help="Servers read at once while a zone is loaded or verified; a worker's memory grows by about 20 kB each.",
    ),
    cfg.IntOpt(
        "batch_changes",
        default=5_000,
        min=1,
        help="Most row changes in one commit at the top; lower it if commits hold locks too long.",
    ),
    cfg.IntOpt(
        "stopped_retry_seconds",
        default=60,
        min=1,
        help="How long a zone that needs a person rests before it is looked at again, in seconds.",
    ),
]
_API: list[cfg.Opt] = [
    cfg.StrOpt("host", default="127.0.0.1", help="Address to listen on."),
    cfg.PortOpt("port", default=8774, help="Port to listen on; 8774 is nova-api's."),
    cfg.IntOpt("threads", default=8, min=1, help="Requests answered at the same time by one process."),
    cfg.IntOpt(
        "max_limit", default=1_000, min=1, help="Most servers in one page, as Nova's option of this name."
    ),
    cfg.StrOpt(
        "auth_strategy",
        default="noauth",
        choices=["noauth", "keystone"],
        help="keystone: tokens and Nova's policy; noauth: all callers are administrators, on loopback only.",
    ),
    cfg.StrOpt(
        "public_url",
        help="What links in answers begin with, if clients reach the API at another address than its own.",
    ),
    cfg.IntOpt(
        "stale_seconds",
        default=10,
        min=1,
        help="A zone older than this is named in the header Treetop-Zones-Stale.",
    ),
    cfg.StrOpt(
        "stale_zones",
        default="last-known",
        choices=["last-known", "unknown", "omit"],
        help="What is shown of the servers of a stale zone: their last known state, Nova's placeholders of status"
        " UNKNOWN, or nothing. A request may say otherwise by the header Treetop-Stale-Zones.",
    ),
    cfg.FloatOpt(
        "freshness_wait_seconds",
        default=2.0,
        min=0,
        max=60,
        help="How long a request waits for zones to be as fresh as it demands before it is refused, in seconds.",
    ),
    cfg.StrOpt(
        "default_availability_zone",
        default="nova",
        help="Availability zone of hosts that are in no aggregate with one, as the option of this name in nova.conf.",
    ),
    cfg.StrOpt(
        "internal_service_availability_zone",
        default="internal",
        help="Availability zone of services that run no servers, as the option of this name in nova.conf.",
    ),
    cfg.StrOpt(
        "instance_name_template",
        default="instance-%08x",
        help="What OS-EXT-SRV-ATTR:instance_name is made with, as the option of this name in nova.conf.",
    ),
    cfg.IntOpt(
        "service_down_time",
        default=60,
        min=1,
        help="Seconds after which a silent compute service is UNKNOWN, as the option of this name in nova.conf;"
        " counted from the newest heartbeat of its zone.",
    ),
    cfg.Opt(
        "default_quotas",
        type=types.Dict(types.Integer(min=-1)),
        default={},
        help="What nova.conf says in [quota] otherwise than Nova does itself, by the names of /os-quota-sets,"
        " e.g. 'instances:-1,cores:-1,ram:-1'; -1: no limit.",
    ),
]
_PROXY: list[cfg.Opt] = [
    cfg.ListOpt(
        "nova_endpoint",
        default=[],
        help="Where what is not answered here goes: REGION:URL of each region's nova-api, separated by commas, or one"
        " URL, e.g. 'RegionOne:http://nova.one:8774/v2.1,RegionTwo:https://nova.two:8774/v2.1'.",
    ),
    cfg.IntOpt(
        "connections",
        default=16,
        min=1,
        max=1000,
        help="Requests on their way to Nova at the same time, of one process; as many threads are added for them.",
    ),
    cfg.FloatOpt(
        "timeout_seconds",
        default=120.0,
        min=1,
        help="How long Nova may be silent about a request that was passed on, in seconds.",
    ),
    cfg.FloatOpt(
        "read_your_writes_seconds",
        default=5.0,
        min=0,
        max=60,
        help="How long after a write that was passed on its caller's reads wait to show it, in seconds; 0: not.",
    ),
    cfg.BoolOpt(
        "pass_stale_reads",
        default=False,
        help="Pass a read on that demands fresher zones than there are, instead of refusing it.",
    ),
]
GROUPS: dict[str, list[cfg.Opt]] = {
    "DEFAULT": _DEFAULT,
    "store": _STORE,
    "sync": _SYNC,
    "api": _API,
    "proxy": _PROXY,
}
#: Groups that belong to OpenStack's libraries and have all of their options.
LIBRARY_GROUPS: Final = ("keystone_authtoken", "oslo_policy", "oslo_middleware", "cors", "healthcheck")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The options in force. connection: None when no top was named."""

    debug: bool
    connection: str | None
    bin_dir: Path | None
    pool_size: int
    statement_timeout_ms: int
    chunk_servers: int
    batch_changes: int
    stopped_retry_seconds: int
    host: str
    port: int
    threads: int
    max_limit: int
    auth_strategy: str
    public_url: str | None
    stale_seconds: int
    stale_zones: str
    freshness_wait_seconds: float
    default_availability_zone: str
    internal_service_availability_zone: str
    instance_name_template: str
    service_down_time: int
    default_quotas: Mapping[str, int]
    nova_endpoint: tuple[str, ...]
    proxy_connections: int
    proxy_timeout_seconds: float
    read_your_writes_seconds: float
    pass_stale_reads: bool
    config_files: tuple[str, ...]

    def required_connection(self) -> str:
        """The top's connection string. Raises `Refuse` when none was given."""
        if not self.connection:
            raise Refuse(
                "no top is configured: [store] connection is not set",
                hint="export OS_STORE__CONNECTION='host=… dbname=treetop user=treetop', or try: treetop demo",
            )
        return self.connection


def load_settings(config_files: Sequence[str] = ()) -> Settings:
    """Read the options. config_files: given on the command line; none: the default file if it exists."""
    files = list(config_files) or ([str(DEFAULT_FILE)] if DEFAULT_FILE.exists() else [])
    for file in files:
        refuse_unknown(file, GROUPS, passed_over=LIBRARY_GROUPS)
    refuse_unknown_variables(GROUPS)
    conf = cfg.ConfigOpts()
    for group, options in GROUPS.items():
        conf.register_opts(options, group=None if group == "DEFAULT" else group)
    conf(args=[], project="treetop", default_config_files=files, default_config_dirs=[])
    for group, options in GROUPS.items():
        for option in options:
            require_usable(conf, group, option)
    return _settings(conf, tuple(files))


def _settings(conf: cfg.ConfigOpts, files: tuple[str, ...]) -> Settings:
    return Settings(
        debug=conf.debug,
        connection=conf.store.connection,
        bin_dir=Path(conf.store.bin_dir) if conf.store.bin_dir else None,
        pool_size=conf.store.pool_size,
        statement_timeout_ms=conf.store.statement_timeout_ms,
        chunk_servers=conf.sync.chunk_servers,
        batch_changes=conf.sync.batch_changes,
        stopped_retry_seconds=conf.sync.stopped_retry_seconds,
        host=conf.api.host,
        port=conf.api.port,
        threads=conf.api.threads,
        max_limit=conf.api.max_limit,
        auth_strategy=conf.api.auth_strategy,
        public_url=conf.api.public_url,
        stale_seconds=conf.api.stale_seconds,
        stale_zones=conf.api.stale_zones,
        freshness_wait_seconds=conf.api.freshness_wait_seconds,
        default_availability_zone=conf.api.default_availability_zone,
        internal_service_availability_zone=conf.api.internal_service_availability_zone,
        instance_name_template=conf.api.instance_name_template,
        service_down_time=conf.api.service_down_time,
        default_quotas=conf.api.default_quotas,
        nova_endpoint=tuple(conf.proxy.nova_endpoint),
        proxy_connections=conf.proxy.connections,
        proxy_timeout_seconds=conf.proxy.timeout_seconds,
        read_your_writes_seconds=conf.proxy.read_your_writes_seconds,
        pass_stale_reads=conf.proxy.pass_stale_reads,
        config_files=files,
    )
