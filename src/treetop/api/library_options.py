# SPDX-License-Identifier: Apache-2.0
"""The options of OpenStack's libraries, out of Treetop's own files and environment, as one `ConfigOpts`.

`[keystone_authtoken]`, `[oslo_policy]`, `[oslo_middleware]`, `[cors]` and `[healthcheck]` take what they take in
Nova's own configuration; a name that none of the libraries reads is refused with the nearest. Nothing is read from or
left in oslo.config's global object. Raises `Refuse`. Needs the extra `openstack`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from keystoneauth1 import exceptions, loading
from keystonemiddleware import opts as token
from oslo_config import cfg
from oslo_middleware import opts as middleware
from oslo_policy import opts as policy

from treetop.config import GROUPS, LIBRARY_GROUPS
from treetop.errors import Refuse
from treetop.option_check import refuse_unknown, refuse_unknown_variables, require_usable

_AUTH: Final = "keystone_authtoken"
_REQUIRED: Final = ("www_authenticate_uri",)
_EXAMPLE: Final = f"set [{_AUTH}] as for nova-api; docs/howto/keystone.md has an example"
#: Where the library's own default is not for us. Nova sets those of [cors] as well.
_DEFAULTS: Final[Mapping[tuple[str, str], Any]] = {  # Any: a value of the option's type
    (_AUTH, "http_connect_timeout"): 5,  # none: a silent Keystone would hold every thread for ever
    (_AUTH, "http_request_max_retries"): 1,  # 3: every request would wait 3.5 s while Keystone is down
    (_AUTH, "service_type"): "compute",  # none: application credentials with access rules would be refused
    ("cors", "allow_methods"): ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"],
    ("cors", "allow_headers"): [
        "X-Auth-Token",
        "X-OpenStack-Request-ID",
        "OpenStack-API-Version",
        "X-OpenStack-Nova-API-Version",
    ],
    ("cors", "expose_headers"): [
        "X-OpenStack-Request-ID",
        "OpenStack-API-Version",
        "X-OpenStack-Nova-API-Version",
        "Retry-After",
        "Treetop-As-Of",
        "Treetop-Max-Lag",
        "Treetop-Zones-Stale",
    ],
}


def read_library_options(config_files: Sequence[str]) -> cfg.ConfigOpts:
    """Read and check them. config_files: `Settings.config_files`, so that both read the same."""
    groups = _known_options()
    conf = cfg.ConfigOpts()
    for group, options in groups.items():
        conf.register_opts(options, group=group)
    for (group, name), value in _DEFAULTS.items():
        conf.set_default(name, value, group=group)
    conf(args=[], project="treetop", default_config_files=list(config_files), default_config_dirs=[])
    plugin = _plugin_options(conf[_AUTH].auth_type)
    conf.register_opts(plugin, group=_AUTH)
    groups[_AUTH] += plugin
    for file in config_files:
        refuse_unknown(file, groups, passed_over=GROUPS)
    refuse_unknown_variables(groups)
    for group, options in groups.items():
        for option in options:
            require_usable(conf, group, option)
    for name in _REQUIRED:
        if not conf[_AUTH][name]:
            raise Refuse(f"[api] auth_strategy is keystone, and [{_AUTH}] {name} is not set", hint=_EXAMPLE)
    return conf


def _known_options() -> dict[str, list[cfg.Opt]]:
    groups: dict[str, list[cfg.Opt]] = {group: [] for group in LIBRARY_GROUPS}
    for group, options in (
        *token.list_auth_token_opts(),
        *policy.list_opts(),
        *middleware.list_opts_http_proxy_to_wsgi(),
        *middleware.list_opts_sizelimit(),
        *middleware.list_opts_cors(),
        *middleware.list_opts_healthcheck(),
    ):
        groups[group] += options
    return groups


def _plugin_options(auth_type: str | None) -> list[cfg.Opt]:
    """What the way to authenticate as a service needs to know."""
    if not auth_type:
        raise Refuse(f"[api] auth_strategy is keystone, and [{_AUTH}] auth_type is not set", hint=_EXAMPLE)
    try:
        return list(loading.get_auth_plugin_conf_options(loading.get_plugin_loader(auth_type)))
    except exceptions.NoMatchingPlugin:
        raise Refuse(f"[{_AUTH}] auth_type {auth_type!r} is not known", hint=_EXAMPLE) from None
