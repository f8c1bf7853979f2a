# SPDX-License-Identifier: Apache-2.0
"""What stands around the application when Keystone says who asks, and in which order: all of it on this screen.

As in Nova's own pipeline (etc/nova/api-paste.ini), except that the public paths are of the same application. The only
importer of OpenStack's libraries besides what it imports itself; needs the extra `openstack`.
"""

from collections.abc import Callable, Sequence
from wsgiref.types import WSGIApplication

from oslo_config import cfg
from oslo_middleware.cors import CORS
from oslo_middleware.healthcheck import Healthcheck
from oslo_middleware.http_proxy_to_wsgi import HTTPProxyToWSGI
from oslo_middleware.sizelimit import RequestBodySizeLimiter

from treetop.api.auth import Authenticator, keystone
from treetop.api.envelope import Envelope
from treetop.api.library_options import read_library_options
from treetop.api.policy import Policy
from treetop.api.token_gate import TokenGate


def with_keystone(
    make: Callable[[Authenticator], WSGIApplication], config_files: Sequence[str]
) -> tuple[WSGIApplication, cfg.ConfigOpts]:
    """The application that `make` makes, asked only by whom Keystone knows; and the libraries' options."""
    conf = read_library_options(config_files)
    return surround(make(keystone(Policy(conf).caller)), conf), conf


def surround(app: WSGIApplication, conf: cfg.ConfigOpts) -> WSGIApplication:
    """Put around `app` what a request meets before it, the innermost first. What is not configured is left out."""
    # Next to the application: what it answers is only for those whose token is good.
    app = TokenGate(app, conf)
    # Before the token: a body that is too large is refused without asking Keystone.
    app = RequestBodySizeLimiter(app, conf)
    # Around all that refuses: a refusal has a request id, and no fault of a library reaches a client.
    app = Envelope(app)
    # Not within the envelope: a load balancer asks often and needs no ids.
    if conf.healthcheck.backends:
        app = Healthcheck(app, conf)
    # Before all that writes an address: whoever answers sees the scheme, host and peer that the client sees.
    if conf.oslo_middleware.enable_proxy_headers_parsing:
        app = HTTPProxyToWSGI(app, conf)
    # Outermost, as a browser asks without a token first, and reads a 401 only with these headers on it.
    if conf.cors.allowed_origin:
        app = CORS(app, conf)
    return app
