# SPDX-License-Identifier: Apache-2.0
"""The API for WSGI servers that are not ours, as a factory, to be called in each worker process: connections and
threads do not survive a fork.

    gunicorn --threads 8 'treetop.api.wsgi:make_application()'
    uwsgi --http-socket :8774 --lazy-apps --threads 8 --module 'treetop.api.wsgi:make_application()'

Behind Keystone only, as it cannot be known where such a server listens. Raises `Refuse`.
"""

import atexit
from wsgiref.types import WSGIApplication

from treetop.api.deploy import deploy
from treetop.api.proxy import open_proxy
from treetop.config import load_settings
from treetop.errors import Refuse
from treetop.store.pool import open_pool
from treetop.telemetry import start_logging


def make_application(*config_files: str) -> WSGIApplication:
    """The application. config_files: as for `treetop --config-file`; none: the default file and the environment."""
    settings = load_settings(config_files)
    if settings.auth_strategy == "noauth":
        raise Refuse(
            "without authentication the API is served on this machine only, by `treetop serve`",
            hint="set [api] auth_strategy = keystone (docs/howto/keystone.md)",
        )
    start_logging(debug=settings.debug)
    pool = open_pool(
        settings.required_connection(),
        size=settings.pool_size,
        statement_timeout_seconds=settings.statement_timeout_ms / 1000,
    )
    atexit.register(pool.close)
    proxy = open_proxy(settings)
    if proxy is not None:
        atexit.register(proxy.close)
    return deploy(pool, settings, proxy).application
