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
INSTALL := -m pip --disable-pip-version-check install --quiet
ARGS ?=
# What `make torture` passes to the fuzzer of headers.
HEADERS ?= --inputs 10000000 --processes 2

.DEFAULT_GOAL := help
.PHONY: help setup demo run test interop torture check lock clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(VENV)/.development $(MCP1)/.ready ## create the environments (the other targets do it by themselves)

demo: $(VENV)/.runtime ## start a small demo API and the gateway in front of it
	$(BIN)/ocp-gateway demo $(ARGS)

run: $(VENV)/.runtime ## run the gateway: make run ARGS="config/minimal.yaml"
	$(BIN)/ocp-gateway serve $(ARGS)

test: setup ## run the whole test suite; its coverage, too: make test ARGS=--cov
	$(BIN)/python -m pytest $(ARGS)

interop: $(VENV)/.development $(OCP)/.ready ## let the OCP Python library use the gateway: make interop OCP_PYTHON=/path/to/clone
	@if $(OCP)/bin/python $(INSTALL) --no-deps --no-build-isolation --force-reinstall "$(OCP_PYTHON)"; \
	then $(BIN)/python -m pytest tests/interop $(ARGS); \
	else echo 'NOT RUN: the OCP Python library was not to be had from $(OCP_PYTHON), so it has judged nothing'; fi

torture: $(VENV)/.development ## break descriptions for ten minutes, ten million OCP headers, and stores: make torture ARGS="--seed 1 --corpus DIR" HEADERS="--inputs 100000"
	$(BIN)/python -m tests.torture.fuzz_descriptions --seconds 600 $(ARGS)
	$(BIN)/python -m tests.torture.fuzz_codec $(HEADERS)
	$(BIN)/python -m tests.torture.failover
	$(BIN)/python -m tests.torture.kill_redis --kills 50
	$(BIN)/python -m tests.torture.kill_gateway --kills 20
	$(BIN)/python -m tests.torture.kill_sqlite --kills 20
	$(BIN)/python -m tests.torture.kill_writers --kills 100
	$(BIN)/python -m tests.torture.lost_replies --injections 10000
	$(BIN)/python -m tests.torture.lost_callers --callers 10000
	$(BIN)/python -m tests.torture.deletions --deletions 2000
	$(BIN)/python -m tests.torture.every_byte

check: $(VENV)/.development ## format, lint, types, layers, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest --quiet tests/docs

lock: $(LOCKER)/.ready ## resolve requirements/*.lock anew from pyproject.toml
	$(COMPILE) pyproject.toml --extra openapi --group test --group check --group build --output-file requirements/dev.lock
	$(COMPILE) pyproject.toml --constraints requirements/dev.lock --output-file requirements/runtime.lock
	$(COMPILE) --group build --constraints requirements/dev.lock --output-file requirements/build.lock
	$(COMPILE) requirements/mcp1.in --output-file requirements/mcp1.lock
	$(COMPILE) requirements/ocp.in --output-file requirements/ocp.lock

clean: ## remove the environments and everything generated
	rm -rf $(VENV) $(MCP1) $(OCP) $(LOCKER) build dist .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --universal: one lock for every platform and Python from 3.11 on. No index address is written.
COMPILE = $(LOCKER)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --upgrade

$(BIN)/python $(MCP1)/bin/python $(OCP)/bin/python $(LOCKER)/bin/python:
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

$(MCP1)/.ready: requirements/mcp1.lock | $(MCP1)/bin/python
	@echo "Installing the initialize-era MCP client into $(MCP1)"
	@$(MCP1)/bin/python $(INSTALL) --require-hashes -r requirements/mcp1.lock
	@touch $@

$(OCP)/.ready: requirements/ocp.lock | $(OCP)/bin/python
	@echo "Installing what the OCP Python library needs into $(OCP)"
	@$(OCP)/bin/python $(INSTALL) --require-hashes -r requirements/ocp.lock
	@touch $@

$(LOCKER)/.ready: | $(LOCKER)/bin/python
	@$(LOCKER)/bin/python $(INSTALL) 'uv>=0.9,<1'
	@touch $@
