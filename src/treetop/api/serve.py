# SPDX-License-Identifier: Apache-2.0
"""The API as a process: settings in, requests answered until SIGTERM or SIGINT.

Any other WSGI server can run the API as well (`treetop.api.wsgi`); this one needs nothing more than is installed.
"""

import logging
from collections.abc import Callable

from treetop.api.auth import check_exposure
from treetop.api.deploy import deploy
from treetop.api.proxy import open_proxy
from treetop.api.server_process import ApiServer, Listening
from treetop.config import Settings
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
    check_exposure(settings.auth_strategy, listening.host, allow_insecure=allow_insecure)
    proxy = open_proxy(settings)
    pool = open_pool(
        settings.required_connection(),
        size=settings.pool_size,
        statement_timeout_seconds=settings.statement_timeout_ms / 1000,
    )
    try:
        deployed = deploy(pool, settings, proxy)
        server = ApiServer(
            deployed.application,
            listening,
            is_behind_proxy=deployed.is_behind_proxy,
            request_bytes_max=deployed.request_bytes_max,
        )
        server.stop_on_signals()
        on_ready(server.port)
        log.info("api listens on %s:%d", listening.host, server.port)
        server.run()
        log.info("api stopped")
    finally:
        pool.close()
        if proxy is not None:
            proxy.close()
