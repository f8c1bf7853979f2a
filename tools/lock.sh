#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Write requirements.lock: for every package that Treetop, its extras and its tests need, the newest version that
# pyproject.toml allows, for all Pythons we run on. Names and versions only (docs/adr/0002-lock-file.md).
set -eu

.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.8'
{
    echo '# The versions that Treetop is tested with, as constraints for pip; written by `make lock`.'
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
        --no-emit-find-links --all-extras --group dev --upgrade pyproject.toml
} >requirements.lock.new
mv requirements.lock.new requirements.lock
