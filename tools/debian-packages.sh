#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# See that the servers the tests start are on this machine; install what is missing.
#
# MariaDB comes from the distribution, as its "core" package: programs only, so no service is started, no
# account made, and nothing runs afterwards. PostgreSQL is the distribution's where there is one, else the
# wheel's that `make test` has installed already. memcached, which keeps validated tokens, is the distribution's; where
# that starts a service of its own, it listens on loopback and the tests do not use it.
set -eu

say() { printf 'treetop: %s\n' "$*" >&2; }
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec

has_mariadb() { [ "$(command -v mariadbd)" ] && [ "$(command -v mariadb-install-db)" ] && [ "$(command -v my_print_defaults)" ]; }

if ! has_mariadb; then
    if ! command -v apt-get >/dev/null; then
        say 'the tests need MariaDB (mariadbd, mariadb-install-db), and only Debian and Ubuntu are known here: install it'
        exit 1
    fi
    suffix=
    grep -qs '^VERSION_ID="22.04"' /etc/os-release && suffix=-10.6 # Ubuntu had the version in the names then
    sh tools/apt-install.sh "mariadb-server-core$suffix" "mariadb-client-core$suffix"
    has_mariadb || { say 'mariadbd is still missing'; exit 1; }
fi

if ! [ "$(command -v memcached)" ]; then
    if ! command -v apt-get >/dev/null; then
        say 'the tests need memcached, and only Debian and Ubuntu are known here: install it'
        exit 1
    fi
    sh tools/apt-install.sh memcached
fi

.venv/bin/python -c '
import sys
from treetop.errors import Refuse
from treetop.store.binaries import find_binaries
try:
    find_binaries(None)
except Refuse as error:
    sys.exit(f"treetop: the tests need PostgreSQL: {error}\n    {error.hint}")
'
