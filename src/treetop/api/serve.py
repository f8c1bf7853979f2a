# SPDX-License-Identifier: Apache-2.0
"""The API as a process: settings in, requests answered until SIGTERM or SIGINT.

Any other WSGI server can run `app.make_app` as well; this one needs nothing more than is installed.
"""

import logging
from collections.abc import Callable

from treetop.api.app import make_app
from treetop.api.auth import check_exposure, noauth
from treetop.api.options import ApiOptions, StaleZones
from treetop.api.proxy import open_proxy
from treetop.api.server_process import ApiServer, Listening
from treetop.api.server_values import instance_name
from treetop.config import Settings
from treetop.errors import Refuse
from treetop.store.pool import open_pool

log = logging.getLogger(__name__)


def serve(
    settings: Settings,
    *,
    host: str | None = None,
    port: int | None = None,
    allow_insecure: bool = False,
    on_ready: Callable[[int], None] = lambda _port: None,
) -> None:
    """Serve in the main thread until a signal, then finish what is being answered and return.

    host, port: instead of the configured ones; port 0: any. on_ready: called with the port once it is bound.
    allow_insecure: listen beyond this machine although everybody is let in. Raises `Refuse` for an address
    that cannot or must not be used.
    """
    has_proxy = bool(settings.nova_endpoint)
    listening = Listening(
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        threads=settings.threads
        + (settings.proxy_connections if has_proxy else 0),  # a slow Nova slows no list
    )
    check_exposure(noauth, listening.host, allow_insecure=allow_insecure)
    options = _options(settings)
    proxy = open_proxy(settings)
    pool = open_pool(
        settings.required_connection(),
        size=settings.pool_size,
        statement_timeout_seconds=settings.statement_timeout_ms / 1000,
    )
    try:
        server = ApiServer(make_app(pool, authenticator=noauth, options=options, proxy=proxy), listening)
        server.stop_on_signals()
        on_ready(server.port)
        log.info("api listens", extra={"host": listening.host, "port": server.port})
        server.run()
        log.info("api stopped")
    finally:
        pool.close()
        if proxy is not None:
            proxy.close()


def _options(settings: Settings) -> ApiOptions:
    try:
        instance_name(settings.instance_name_template, source_id=1, uuid="")
    except ValueError as error:
        raise Refuse(
            f"[api] instance_name_template is no template: {error}",
            hint="copy the option of this name from the zones' nova.conf, such as instance-%08x",
        ) from None
    return ApiOptions(
        page_rows_max=settings.max_limit,
        stale_after_seconds=settings.stale_seconds,
        stale_zones=StaleZones(settings.stale_zones),
        freshness_wait_seconds=settings.freshness_wait_seconds,
        waiting_requests_max=max(1, settings.threads // 2),
        default_availability_zone=settings.default_availability_zone,
        internal_availability_zone=settings.internal_service_availability_zone,
        instance_name_template=settings.instance_name_template,
        service_down_seconds=settings.service_down_time,
    )
