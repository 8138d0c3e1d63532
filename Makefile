# Onrecord. `make help` lists what can be done.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
ROOMS := cli compliance connectors console pipeline samplecity transforms warehouse settings.py

.PHONY: help demo test completeness up lint bench docs clean lock

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/runtime ## capture the sample city twice and show what was found
	@$(BIN)/onrecord demo

up: .venv/runtime ## run everything in the foreground: storage, Airflow, console (Ctrl-C stops all)
	@$(BIN)/onrecord up

test: .venv/development ## run the whole suite
	@$(BIN)/python -m pytest

completeness: .venv/development ## capture real platforms on loopback and compare the archive with what happened there
	@$(BIN)/python tests/completeness/run.py

lint: .venv/development ## style, types and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/development ## run the benchmarks and print their ratios
	@$(BIN)/python benchmarks/run.py

clean: ## remove .venv and var/ (captures included: asks first)
	@printf 'This removes .venv and var/, with everything captured. Type yes: '; read answer; [ "$$answer" = yes ] && rm -rf .venv var

lock: ## renew both lock files from pyproject.toml (maintainers; needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit("Onrecord needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip' || { echo "Python's venv module is missing: install it (Debian: python3-venv)"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/runtime: requirements.txt pyproject.toml | .venv/made
	@echo "Installing the locked packages into .venv (about a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@$(BIN)/python -m compileall -q $(ROOMS)
	@touch $@

.venv/development: requirements-dev.txt pyproject.toml | .venv/made
	@echo "Installing the locked packages and the tools for tests into .venv (about a minute)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@$(BIN)/python -m compileall -q $(ROOMS)
	@touch $@ .venv/runtime
