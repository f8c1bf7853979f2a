#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Check style, types and the order of layers; run everything, then fail if anything failed.
set -u

failed=
run() {
    name=$1
    shift
    if ! "$@"; then
        failed="$failed $name"
    fi
}

sources='src tests'
[ -d bench ] && [ -n "$(find bench -name '*.py' -print -quit)" ] && sources="$sources bench"

# shellcheck disable=SC2086  # several words on purpose
run ruff-check .venv/bin/ruff check --quiet $sources
# shellcheck disable=SC2086
run ruff-format .venv/bin/ruff format --quiet --diff $sources
run mypy .venv/bin/mypy
run lint-imports .venv/bin/lint-imports
[ -z "$failed" ] && exit 0
printf 'treetop: failed:%s\n' "$failed" >&2
exit 1
