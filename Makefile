# The commands of this project; `make` alone lists them.
# A second run does only what its inputs ask for: every slow step leaves a stamp in .venv/stamps.

PYTHON3 ?= python3
WORKERS ?= 2
ARGS ?=
UV ?= build/uv/bin/uv

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PACKAGES := $(PYTHON3) scripts/system_packages.py
PIP := $(BIN)/python -m pip --disable-pip-version-check
# npm's scripts look up `node` themselves, so the environment's own Node has to lead the PATH.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix h5
H5_SOURCES := $(shell find h5 -type f -not -path 'h5/node_modules/*' -not -path 'h5/static/*')

# The tests drive Debian's Chromium; Playwright must never fetch a browser of its own.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup demo test check lint format bench lock clean pytest packages-for-tests

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z ]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMPS)/project ## Make .venv, install what the locks name, build the front end
	@echo "Ready: $(BIN)/survey-service"

demo: setup ## Load the demonstration and serve it (ARGS="--port 8080")
	$(BIN)/survey-service demo $(ARGS)

test: setup packages-for-tests check pytest ## Linters, then all tests, also on PostgreSQL, Redis and Chromium

check lint: setup ## Linters only: style, types, import contracts, front-end types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(NPM) run --if-present check

format: setup ## Put the code into its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure against the yardsticks (a table; no test)
	$(PACKAGES) bench
	$(BIN)/python -m bench $(ARGS)

lock: $(UV) ## Resolve pyproject.toml into requirements.lock again
	$(UV) pip compile pyproject.toml --group build --group test --group bench --universal \
		--generate-hashes --no-emit-index-url --no-annotate --output-file requirements.lock $(ARGS)

clean: ## Remove everything that make and the tools made
	rm -rf $(VENV) build dist h5/node_modules h5/static
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

pytest: setup packages-for-tests
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

packages-for-tests:
	@$(PACKAGES) test

# An environment cannot be moved, its scripts name the folder it was made in: a copied one is made anew.
ifeq ($(shell grep -s 'command = .* $(CURDIR)/$(VENV)$$' $(VENV)/pyvenv.cfg),)
.PHONY: $(BIN)/python
endif

$(BIN)/python:
	@$(PYTHON3) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer \
	is needed and this is " + sys.version.split()[0] + ": name another one by make PYTHON3=python3.11")'
	@$(PACKAGES) venv
	$(PYTHON3) -m venv --clear $(VENV)

$(STAMPS)/requirements: requirements.lock $(BIN)/python
	$(PIP) install --quiet --require-hashes --only-binary :all: --requirement requirements.lock
	@mkdir -p $(STAMPS) && touch $@

h5/node_modules/.package-lock.json: h5/package.json h5/package-lock.json | $(STAMPS)/requirements
	$(NPM) ci --no-audit --no-fund
	@touch $@

$(STAMPS)/h5: h5/node_modules/.package-lock.json $(H5_SOURCES) | $(STAMPS)/requirements
	$(NPM) run build
	@touch $@

# The front end comes first: the package's metadata refuses to be built without its files.
$(STAMPS)/project: pyproject.toml $(STAMPS)/requirements $(STAMPS)/h5
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

build/uv/bin/uv: | $(BIN)/python
	$(BIN)/python -m venv build/uv
	build/uv/bin/pip install --quiet 'uv>=0.13'
