# Set-up and everyday commands. Needs make, Python >= 3.11 with venv, and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The `initialize`-era MCP client excludes the current one, so it has an environment of its own.
MCP1 := .venv-mcp1
# The OCP Python library is on no package index, and wants an httpx of long ago.
OCP := .venv-ocp
OCP_PYTHON ?= git+https://github.com/opencontextprotocol/ocp-python@3722286bb11d3950a7bfbc824cc56b261c3bbbfe
LOCKER := .venv-lock
# What judges the image, the manifests and the Helm chart.
LINT := .venv-lint
CONFORMANCE := tests/conformance
# MCP clients of every age and family. Each of these excludes the others.
CLIENTS := mcp1 mcp1.12 mcp1.9 mcp1.6 agents langchain
NODE_CLIENTS := tests/interop/clients/node
INTEROP := $(CLIENTS:%=.venv-%/.ready) $(NODE_CLIENTS)/node_modules/.ready $(CONFORMANCE)/node_modules/.ready $(OCP)/.ready $(LINT)/.ready
INSTALL := -m pip --disable-pip-version-check install --quiet
ARGS ?=
# What `make torture` passes to the fuzzer of headers.
HEADERS ?= --inputs 10000000 --processes 2
# To the fuzzer of MCP requests, and to the machine that holds conversations in MCP.
BODIES ?= --bodies 1000000 --processes 2
STEPS ?= --steps 200000 --processes 2
# Mixed requests that the gateway is to outlive unchanged.
REQUESTS ?= 2000000

.DEFAULT_GOAL := help
.PHONY: help setup demo run test interop conformance torture sbom check lock clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

setup: $(VENV)/.development $(MCP1)/.ready ## create the environments (the other targets do it by themselves)

demo: $(VENV)/.runtime ## start a small demo API and the gateway in front of it
	$(BIN)/ocp-gateway demo $(ARGS)

run: $(VENV)/.runtime ## run the gateway: make run ARGS="config/minimal.yaml"
	$(BIN)/ocp-gateway serve $(ARGS)

test: setup ## run the whole test suite; its coverage, too: make test ARGS=--cov
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

interop: $(VENV)/.development $(INTEROP) ## let linters and Helm judge image, manifests and chart, nginx (on PATH, or from Debian) pass requests on both sides, then MCP clients of every family (needs npm) and the OCP Python library use the gateway: make interop OCP_PYTHON=/path/to/clone
	$(BIN)/python -m pytest tests/interop/test_packaging.py $(ARGS)
	$(BIN)/python -m pytest tests/interop/test_nginx.py $(ARGS)
	$(BIN)/python -m pytest tests/interop/test_mcp_clients.py $(ARGS)
	@if $(OCP)/bin/python $(INSTALL) --no-deps --no-build-isolation --force-reinstall "$(OCP_PYTHON)"; \
	then $(BIN)/python -m pytest tests/interop/test_ocp_python.py $(ARGS); \
	else echo 'NOT RUN: the OCP Python library was not to be had from $(OCP_PYTHON), so it has judged nothing'; fi

conformance: $(VENV)/.development $(CONFORMANCE)/node_modules/.ready ## let the official MCP conformance suite judge the gateway (needs npm)
	$(BIN)/python -m tests.conformance.suite
	$(BIN)/python -m tests.conformance.suite --workers 4

torture: $(VENV)/.development ## break descriptions for ten minutes, ten million OCP headers, a million MCP requests, stores, and the whole under load (two million requests): make torture ARGS="--seed 1 --corpus DIR" HEADERS="--inputs 100000"
	$(BIN)/python -m tests.torture.fuzz_descriptions --seconds 600 $(ARGS)
	$(BIN)/python -m tests.torture.fuzz_codec $(HEADERS)
	$(BIN)/python -m tests.torture.fuzz_mcp $(BODIES)
	$(BIN)/python -m tests.torture.mcp_steps $(STEPS)
	$(BIN)/python -m tests.torture.failover
	$(BIN)/python -m tests.torture.kill_redis --kills 50
	$(BIN)/python -m tests.torture.kill_gateway --kills 20
	$(BIN)/python -m tests.torture.kill_sqlite --kills 20
	$(BIN)/python -m tests.torture.kill_writers --kills 100
	$(BIN)/python -m tests.torture.lost_replies --injections 10000
	$(BIN)/python -m tests.torture.lost_callers --callers 10000
	$(BIN)/python -m tests.torture.deletions --deletions 2000
	$(BIN)/python -m tests.torture.every_byte
	$(BIN)/python -m tests.torture.sigterms --size 100
	$(BIN)/python -m tests.torture.reloads --size 500
	$(BIN)/python -m tests.support.nginx
	$(BIN)/python -m tests.torture.rolling --size 10
	$(BIN)/python -m tests.torture.client_aborts --size 10000
	$(BIN)/python -m tests.torture.slow_clients --size 5000
	$(BIN)/python -m tests.torture.overload --size 60
	$(BIN)/python -m tests.torture.hostile_lag --size 50
	$(BIN)/python -m tests.torture.soak --size $(REQUESTS)

sbom: $(LINT)/.ready ## write what the image holds beside Python, as CycloneDX, into dist/ocp-gateway.cdx.json
	@mkdir -p dist
	$(LINT)/bin/cyclonedx-py requirements requirements/runtime.lock --schema-version 1.6 --output-reproducible --outfile dist/ocp-gateway.cdx.json

check: $(VENV)/.development ## format, lint, types, layers, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest --quiet tests/docs

lock: $(LOCKER)/.ready ## resolve requirements/*.lock anew from pyproject.toml
	$(COMPILE) pyproject.toml --extra openapi --extra otel --group test --group check --group build --output-file requirements/dev.lock
	$(COMPILE) pyproject.toml --constraints requirements/dev.lock --output-file requirements/runtime.lock
	$(COMPILE) --group build --constraints requirements/dev.lock --output-file requirements/build.lock
	for name in $(CLIENTS) ocp lint; do $(COMPILE) requirements/$$name.in --output-file requirements/$$name.lock || exit 1; done
	npm update --prefix $(NODE_CLIENTS) --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error

clean: ## remove the environments and everything generated
	rm -rf $(VENV) $(CLIENTS:%=.venv-%) $(OCP) $(LINT) $(LOCKER) $(NODE_CLIENTS)/node_modules $(CONFORMANCE)/node_modules $(CONFORMANCE)/out build dist .nginx .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --universal: one lock for every platform and Python from 3.11 on. No index address is written.
COMPILE = $(LOCKER)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --upgrade

$(BIN)/python $(CLIENTS:%=.venv-%/bin/python) $(OCP)/bin/python $(LINT)/bin/python $(LOCKER)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(@:/bin/python=)

$(VENV)/.runtime: requirements/runtime.lock requirements/build.lock pyproject.toml | $(BIN)/python
	@echo "Installing what the gateway needs into $(VENV)"
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements/runtime.lock -r requirements/build.lock
	@$(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: requirements/dev.lock $(VENV)/.runtime
	@echo "Installing what tests and checks need into $(VENV)"
	@$(BIN)/python $(INSTALL) --require-hashes -r requirements/dev.lock
	@touch $@

$(CLIENTS:%=.venv-%/.ready) $(OCP)/.ready $(LINT)/.ready: .venv-%/.ready: requirements/%.lock | .venv-%/bin/python
	@echo "Installing $< into .venv-$*"
	@.venv-$*/bin/python $(INSTALL) --require-hashes -r $<
	@touch $@

# No script of a package is run: the suite, the clients and Node.js come ready to use.
$(CONFORMANCE)/node_modules/.ready $(NODE_CLIENTS)/node_modules/.ready: %/node_modules/.ready: %/package-lock.json %/package.json
	@echo "Installing what runs under Node.js into $(@D)"
	@npm ci --prefix $* --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(LOCKER)/.ready: | $(LOCKER)/bin/python
	@$(LOCKER)/bin/python $(INSTALL) 'uv>=0.9,<1'
	@touch $@
