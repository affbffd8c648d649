# AMI Hub. `make` alone explains the commands; `make demo` and `make test` set up whatever they need.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
UV := 0.13.8
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
# Tests and demo start hundreds of processes: each would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE
PACKAGES := canonical iec61968 sftp messaging store adapters flows services
STAMP := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench fuzz kills serve servers lock migration format docs clean

help:  ## show this list
	@echo "AMI Hub: integration middleware for Advanced Metering Infrastructure"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP)  ## make .venv with every pinned dependency and the project itself

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "AMI Hub needs Python 3.11 or newer; set PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "python venv is missing: install it with: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV)"
	VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup  ## 10,000 meters are exchanged and a cycle billed, judged by an auditor (CHAPTER=masters|rollout|billing|all; ONCE=1 ends by itself; SABOTAGE=... must go red)
	$(BIN)/python -m simulators.demo

check: setup  ## the gate: lint, format, types, import rules, fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	@# Types are checked beside the tests, which leave a core idle while they are collected.
	@said=$$(mktemp); $(BIN)/mypy $(PACKAGES) simulators benchmarks >$$said 2>&1 & types=$$!; \
	$(BIN)/pytest -q -m "not slow and not servers and not airflow" -n 2; tests=$$?; \
	wait $$types; types=$$?; cat $$said; rm -f $$said; test $$tests -eq 0 -a $$types -eq 0

servers:  ## install PostgreSQL and OpenSSH servers for the tests, where they are missing and apt may
	@bash tests/servers/install.sh

test: setup servers check  ## everything: the gate, then all other tests against real private servers
	$(BIN)/pytest -q -m "slow or servers or airflow" -n 2 --dist loadfile --no-loadscope-reorder

bench: setup servers  ## hot paths against their floor and peers; writes benchmarks/results.json
	@bash tests/servers/install.sh bench
	$(BIN)/python -m benchmarks

fuzz: setup  ## wounded messages against lxml and the schema; FUZZ=1000000 says how many
	FUZZ=$${FUZZ:-200000} $(BIN)/pytest -q tests/fuzz -n 2

kills: setup servers  ## kill -9 at every boundary on both databases (make test: of long stories at a hundred, on PostgreSQL at thirty-five)
	KILLS=all $(BIN)/pytest -q tests/integration/test_kill_*.py -n 2 --dist loadfile --no-loadscope-reorder

serve: setup  ## the hub's web services and relay for the site in $$AMIHUB_SITE
	$(BIN)/amihub serve

format: setup  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup  ## generate docs/errors.md and the layout pages from the code
	$(BIN)/python -m services.reference_docs

lock:  ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml -o requirements.lock

migration: setup  ## write the first migration anew from the models (before the first release only)
	$(BIN)/python -m store.migrate regenerate

clean:  ## remove the virtual environment, caches and demo runs
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
