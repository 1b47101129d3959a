# One door to everything. `make` alone lists the targets. Only python3.13 and node must be there already.

VENV := .venv
BIN := $(VENV)/bin
PYTHON_READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
# Azurite is started by the tests, so the node that was found must be the first on their PATH.
WITH_NODE = PATH="$$(tools/find-node):$$PATH" TENANTRY_SANDBOX_APP='$(APP)' && export PATH TENANTRY_SANDBOX_APP && exec

FAULTS ?= none
SEED ?= 1
APART ?=
WORKERS ?= 2
# ARGS goes to pytest as it stands: make test ARGS='-k consent'
ARGS ?=
# One part of the matrix: make matrix PART=1/3
PART ?=
# The app that runs in the sandbox: the checkout's own, or what make package built: make demo APP=build/package/app
APP = .

.PHONY: help demo sandbox test matrix package bench check format lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo      onboard Fabrikam in the sandbox, let half a year pass, and show it (FAULTS=harsh SEED=n for bad weather)"
	@echo "make test      every kind of test, the long ones by samples (ARGS='-k consent' for a part)"
	@echo "make sandbox   keep the sandbox running; prints its addresses, tokens and curl lines (APART=yes: front, worker and broker apart)"
	@echo "make check     format, lint, types, import contracts"
	@echo "make matrix    all the others: kills with faults and switches, the long stories (PART=1/3 for a third of it; KILLS=all)"
	@echo "make package   build the zip that is deployed (APP=build/package/app: demo, test and matrix run what is in it)"
	@echo "make bench     the benchmarks"
	@echo "make format    let ruff format and fix"
	@echo "make lock      compile the pinned requirements and npm's lock anew"
	@echo "make clean     remove what make built and installed"

demo: $(PYTHON_READY) $(NODE_READY)
	@$(WITH_NODE) $(BIN)/python -m tests.sandbox.demo --faults $(FAULTS) --seed $(SEED)

sandbox: $(PYTHON_READY) $(NODE_READY)
	@$(WITH_NODE) $(BIN)/python -m tests.sandbox.serve --faults $(FAULTS) --seed $(SEED) $(if $(APART),--apart)

test: $(PYTHON_READY) $(NODE_READY)
	@$(WITH_NODE) $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

matrix: $(PYTHON_READY) $(NODE_READY)
	@export TENANTRY_TESTS_PART='$(PART)' && $(WITH_NODE) $(BIN)/python -m pytest -n $(WORKERS) -m 'matrix or long' $(ARGS)

package: $(PYTHON_READY)
	@$(BIN)/python -m tools.package

bench: $(PYTHON_READY) $(NODE_READY)
	@$(WITH_NODE) $(BIN)/python -m pytest -m bench -s $(ARGS)

check: $(PYTHON_READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.readme --check || { echo "README.md: run $(BIN)/python -m tools.readme"; exit 1; }
	@$(BIN)/python -m tools.infra --check || { echo "infra/permissions.json: run $(BIN)/python -m tools.infra"; exit 1; }
	@if command -v bicep >/dev/null; then bicep build infra/main.bicep --stdout >/dev/null; fi

format: $(PYTHON_READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The locks name versions only: no index, no host, no path of the machine that made them.
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.13 \
	--custom-compile-command "make lock" --no-annotate --no-emit-index-url --no-emit-find-links
lock: $(PYTHON_READY)
	$(COMPILE) --output-file requirements.txt
	$(COMPILE) --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(WITH_NODE) npm install --package-lock-only
	$(WITH_NODE) node tools/strip-lock.cjs package-lock.json

# The stamps are younger than the locks they were installed from; a changed lock installs again.
$(PYTHON_READY): requirements-dev.txt
	@python=$$(tools/find-python) && \
		echo "Installing Python packages into $(VENV) (once)" && \
		{ [ -x $(BIN)/python ] || "$$python" -m venv $(VENV); } && \
		$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

$(NODE_READY): package-lock.json package.json
	@node=$$(tools/find-node) && \
		echo "Installing Azurite into node_modules (once)" && \
		PATH="$$node:$$PATH" && export PATH && npm ci --loglevel=error >/dev/null
	@touch $@

clean:
	rm -rf $(VENV) node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
