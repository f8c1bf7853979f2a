# SPDX-License-Identifier: Apache-2.0
"""Serve the real Nova API over HTTP on a free port of 127.0.0.1. Runs in `.venv-nova` only.

`python serve.py FOLDER`: FOLDER has nova.conf and api-paste.ini. Prints the port once it can answer; ends when
its standard input does, so that it never outlives the tests. Nova writes its service row into cell0, as ever.
"""

import os
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

os.environ["OS_NOVA_CONFIG_DIR"] = sys.argv[1]
del sys.argv[1:]  # Nova reads the rest of the command line

from nova.wsgi.osapi_compute import application  # noqa: E402, I001 - the import starts Nova, with what is set above
from nova import context, objects  # noqa: E402
from nova.api.openstack import identity  # noqa: E402
from nova.network import neutron  # noqa: E402
from sqlalchemy.engine import make_url  # noqa: E402
from stand_ins import Neutron  # noqa: E402


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: object) -> None:  # Nova has its own log
        pass


def _cell_databases() -> list[dict[str, object]]:
    found = []
    for cell in objects.CellMappingList.get_all(context.get_admin_context()):
        url = make_url(cell.database_connection)
        names = {"host": url.host, "port": url.port, "user": url.username, "password": url.password}
        found.append({**names, "database": url.database})
    return found


def main() -> None:
    client = Neutron(_cell_databases())
    neutron.get_client = lambda *_args, **_kwargs: client
    identity.verify_project_id = lambda *_args, **_kwargs: True  # Keystone knows every project
    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
