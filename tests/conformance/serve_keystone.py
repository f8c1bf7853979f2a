# SPDX-License-Identifier: Apache-2.0
"""Serve a Keystone until SIGTERM: `serve_keystone.py PORT`, configuration in OS_KEYSTONE_CONFIG_FILES.

Runs in the environment that `nova_environment` makes, where Keystone is; never imported.
"""

import sys

from keystone.server.wsgi import initialize_public_application
from werkzeug.serving import make_server

port = int(sys.argv.pop())  # Keystone reads the command line too
make_server("127.0.0.1", port, initialize_public_application(), threaded=True).serve_forever()
