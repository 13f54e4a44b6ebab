# Everything a contributor runs. Each recipe makes the virtual environment it needs.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# The parts whose every branch is tested: counting and deciding.
EXACT  := prs_otel/rollup/*,alerting/lifecycle.py,alerting/evaluator.py,alerting/rules/*
RUN    := $(BIN)/coverage run -m pytest

.DEFAULT_GOAL := help
.PHONY: help install check format unit integration test demo bench clean

# List the recipes.
help:
	@awk '/^# /{text=substr($$0, 3)} /^[a-z]+:/{sub(":.*", ""); printf "%-12s %s\n", $$0, text}' Makefile

# Make the virtual environment for development.
install: $(VENV)/.dev

# Judge the code without running it: format, lint, types, import contracts, migrations.
check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PYTHONPATH=.:tests/support/site $(BIN)/python -m django makemigrations \
		--check --dry-run --settings=tests.settings prs_otel prs_alerting

# Format the code and repair what can be repaired.
format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Run the unit tests alone, as often as you like.
unit: $(VENV)/.dev
	$(BIN)/python -X dev -m pytest -m "not integration"

# Run the tests that start real servers and databases.
integration: $(VENV)/.dev
	$(BIN)/python -m pytest -m integration

# Run all tests and hold their coverage, subprocesses included, against the gates.
test: $(VENV)/.dev
	$(BIN)/coverage erase
	PYTHONDEVMODE=1 $(RUN) -m "not integration"
	$(RUN) -m integration
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --include='$(EXACT)' --fail-under=100

# Show the whole path at work on a real server; DURATION=90 ends by itself.
demo: $(VENV)/.demo
	$(BIN)/python demo/run.py $(if $(DURATION),--duration $(DURATION))

# Measure what the package adds to a request, beside its peers.
bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks $(BENCH)

# Remove everything the other recipes have made.
clean:
	rm -rf .venv .venv-* build dist .coverage .coverage.* htmlcov .hypothesis \
		.mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One marker file per extra: installed again when pyproject.toml has changed.
$(VENV)/.%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or newer is needed: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv $(VENV)
# The resolver of old releases gives up where OpenTelemetry's packages pin one another.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
