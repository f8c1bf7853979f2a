# SPDX-License-Identifier: Apache-2.0
# What one types. The work is done by the scripts in tools/, which say what they need when they cannot go on.
# ARGS are passed on: make demo ARGS='--seconds 20 --json', make test ARGS='-k binlog', make bench ARGS='--only apply'

PYTHON ?= python3
ARGS ?=
# Test files that run at the same time; each process has servers of its own (about 600 MB).
WORKERS ?= 2

.PHONY: help demo test conformance check bench lock clean
.DEFAULT_GOAL := help

help: ## Show what can be made
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: .venv/installed ## Run demo zones, roll them up and serve them, until Ctrl-C
	@exec .venv/bin/treetop demo $(ARGS)

test: .venv/installed-dev ## Run all tests, against real servers started in private folders
	@sh tools/debian-packages.sh
	@exec .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

conformance: .venv/installed-dev ## Ask the real Nova and Treetop the same, and print what differs
	@sh tools/debian-packages.sh
	@exec .venv/bin/python -m tests.conformance $(ARGS)

check: .venv/installed-dev ## Check style, types and the order of layers
	@exec sh tools/check.sh

bench: .venv/installed-dev ## Measure, each figure beside its reference
	@exec .venv/bin/python -m bench $(ARGS)

lock: .venv/installed-dev ## Choose the newest versions that pyproject.toml allows, for requirements.lock
	@exec sh tools/lock.sh

clean: ## Delete what was installed and cached here
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: install again only after a change of what is to be installed.
.venv/installed: pyproject.toml requirements.lock tools/install.sh
	@PYTHON='$(PYTHON)' sh tools/install.sh
	@touch $@

.venv/installed-dev: pyproject.toml requirements.lock tools/install.sh
	@PYTHON='$(PYTHON)' sh tools/install.sh dev
	@touch .venv/installed $@
