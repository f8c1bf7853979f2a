#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install Debian or Ubuntu packages without asking: as root, or by sudo where it needs no password.
#
#   tools/apt-install.sh PACKAGE...
#
# Exits with 1, having said which command would do it, where we may not.
set -eu

say() { printf 'treetop: %s\n' "$*" >&2; }

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    say "missing: $*; I may not install it (neither root nor sudo without a password). Please run"
    say "    sudo apt-get update && sudo apt-get install --no-install-recommends $*"
    exit 1
fi

install_packages() {
    # shellcheck disable=SC2086  # as_root is empty or two words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends "$@" </dev/null
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "installing $*"
install_packages "$@" >"$log" 2>&1 && exit 0
# shellcheck disable=SC2086
$as_root apt-get update --quiet >>"$log" 2>&1 </dev/null || true # one broken source must not hide a good one
install_packages "$@" >>"$log" 2>&1 && exit 0
tail -n 20 "$log" >&2
say "apt-get could not install $*"
exit 1
