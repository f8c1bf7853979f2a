# SPDX-License-Identifier: Apache-2.0
"""The API as a WSGI server runs it, by `[api] auth_strategy`.

`noauth` is the bare application. `keystone` has `surroundings`, which needs the libraries of the extra `openstack`:
they are imported only then, so that the demo runs without them. Raises `Refuse` for options that cannot be used.
"""

from typing import NamedTuple
from wsgiref.types import WSGIApplication

from psycopg_pool import ConnectionPool

from treetop.api.app import make_app
from treetop.api.auth import noauth
from treetop.api.options import ApiOptions, StaleZones
from treetop.api.proxy import Proxy
from treetop.api.quotas import DEFAULTS
from treetop.api.server_values import instance_name
from treetop.config import Settings
from treetop.errors import Refuse


class Deployed(NamedTuple):
    """is_behind_proxy: the server must hand X-Forwarded-* and Forwarded on instead of dropping them.

    request_bytes_max: what it need not even receive; smaller bodies are refused by the application, in its words.
    """

    application: WSGIApplication
    is_behind_proxy: bool = False
    request_bytes_max: int = 1024**3


def deploy(pool: ConnectionPool, settings: Settings, proxy: Proxy | None) -> Deployed:
    """The application for `[api] auth_strategy`. pool, proxy: as for `make_app`."""
    options = _options(settings)
    if settings.auth_strategy == "noauth":
        return Deployed(make_app(pool, authenticator=noauth, options=options, proxy=proxy))

    try:
        from treetop.api import surroundings  # noqa: PLC0415  # see above
    except ImportError as error:
        raise Refuse(
            f"[api] auth_strategy is keystone, for which a Python package is missing here: {error.name}",
            hint="pip install 'treetop[openstack]'",
        ) from None
    application, conf = surroundings.with_keystone(
        lambda authenticator: make_app(pool, authenticator=authenticator, options=options, proxy=proxy),
        settings.config_files,
    )
    return Deployed(
        application,
        is_behind_proxy=conf.oslo_middleware.enable_proxy_headers_parsing,
        request_bytes_max=8 * conf.oslo_middleware.max_request_body_size,
    )


def _options(settings: Settings) -> ApiOptions:
    try:
        instance_name(settings.instance_name_template, source_id=1, uuid="")
    except ValueError as error:
        raise Refuse(
            f"[api] instance_name_template is no template: {error}",
            hint="copy the option of this name from the zones' nova.conf, such as instance-%08x",
        ) from None
    unknown = sorted(settings.default_quotas.keys() - DEFAULTS.keys())
    if unknown:
        raise Refuse(
            f"[api] default_quotas names no resource: {', '.join(unknown)}",
            hint=f"known are: {', '.join(DEFAULTS)}",
        )
    return ApiOptions(
        public_url=settings.public_url,
        page_rows_max=settings.max_limit,
        stale_after_seconds=settings.stale_seconds,
        stale_zones=StaleZones(settings.stale_zones),
        freshness_wait_seconds=settings.freshness_wait_seconds,
        waiting_requests_max=max(1, settings.threads // 2),
        default_availability_zone=settings.default_availability_zone,
        internal_availability_zone=settings.internal_service_availability_zone,
        instance_name_template=settings.instance_name_template,
        service_down_seconds=settings.service_down_time,
        default_quotas=settings.default_quotas,
    )
