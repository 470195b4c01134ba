# Everything from a fresh clone: `make help`. Needs Python 3.11 or newer and make, nothing else.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup setup-system assets demo test check docs bench chaos inbox-chaos year clean

PYTHON ?= python3
ARGS ?=
# uv is pinned here, every other package in uv.lock.
UV_VERSION := 0.13.9
UV_HOME := .tools/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
BIN := .venv/bin
# The Python that is there is the Python that is used: uv shall not download builds of its own.
export UV_PYTHON_DOWNLOADS := never
# Where this is set, each of the tests' several hundred processes would compile every package again (ten seconds of work).
export PYTHONDONTWRITEBYTECODE :=

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done
	@echo
	@echo 'Start with: make demo'

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "outreach needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another with make PYTHON=…"; exit 1; }
	@echo "setup: installing uv $(UV_VERSION) into $(UV_HOME)"
	@$(PYTHON) -m venv $(UV_HOME) && $(UV_HOME)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

setup: $(UV) ## install what the program needs; leaves .venv/bin/outreach
	@test -x $(BIN)/python || $(UV) venv --quiet --python "$$(command -v $(PYTHON))" .venv
	@test -x $(BIN)/outreach || echo 'setup: installing the packages of uv.lock and building the page assets (a minute or so)'
	@$(UV) sync --quiet --frozen
	@$(BIN)/python outreach/web/assets/build.py --check || $(UV) sync --quiet --frozen --reinstall-package outreach

setup-system: ## install Debian packages that tests use, where that is allowed
	@bash .ci/system-packages

assets: setup ## build the pages' style sheets, scripts and icons from npm packages again
	@$(UV) sync --quiet --frozen --reinstall-package outreach

demo: setup ## a whole campaign on sample data, then the web pages (ARGS=--exit: leave after the summary)
	@$(BIN)/outreach demo $(ARGS)

test: setup setup-system ## everything: style, types, import rules, tests
	@failed=0; \
	$(MAKE) --no-print-directory check || failed=1; \
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS) || failed=1; \
	exit $$failed

check: setup ## style, types and import rules alone
	@failed=0; \
	for tool in 'ruff check .' 'ruff format --check .' mypy 'lint-imports'; do \
	  echo "== $$tool"; $(BIN)/$$tool || failed=1; \
	done; \
	exit $$failed

docs: setup ## write the generated reference pages again
	@$(BIN)/python -m tests.reference
	@$(BIN)/python -m tests.security

bench: setup ## run benchmarks/ and print every goal with its baseline
	@$(UV) sync --quiet --frozen --group bench
	@$(BIN)/python -m benchmarks $(ARGS)

chaos: setup ## kill, disturb and stop a running campaign in every way and count what was lost or sent twice (ARGS=--small: a sample)
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

inbox-chaos: setup ## kill the readers of a mailbox 50 times, renumber it 20 times, and count each mail's effect (ARGS=5000: fewer mails)
	@$(BIN)/python -m benchmarks.inbox_chaos $(or $(ARGS),50000)

year: setup ## live through a year with 5,000 customers and 20 sequences and judge every promise (ARGS='--days 60': less)
	@$(BIN)/python -m benchmarks.simulated_year $(ARGS)

clean: ## remove what setup, tests and demo made
	rm -rf .venv .tools .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache outreach/web/static/vendor outreach/reports/fonts
