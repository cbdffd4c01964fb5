# Two commands on a fresh machine with Python 3.11 to 3.13 and make:
#   make run    a virtual environment, the install, the demo
#   make test   the same set-up if it is missing, then every test
.DEFAULT_GOAL := help
.PHONY: help setup run test test-lab prove lab notebooks check bench clean
.DELETE_ON_ERROR:

# PYTHON=python3.12 picks an interpreter; without it the first that fits is taken.
PYTHON ?=
VENV ?= .venv
EXTRAS := lab,dev,offline,bench
JOBS ?= 2
# make run ARGS="--help", make test ARGS="tests/masks -x", make notebooks ARGS="01 09"
ARGS ?=

PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
# Tests and notebooks never wait for a network, and $(JOBS) processes with one thread
# each are faster, and more repeatable, than processes that fight over the cores.
QUIET_MACHINE := HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 PYTHONHASHSEED=0
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

$(STAMP): pyproject.toml constraints.txt
	@if $(PY) -c '$(FITS)' 2>/dev/null; then exit 0; fi; \
	for python in $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python); do \
	  $$python -c '$(FITS)' 2>/dev/null && found=$$python && break; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "need Python 3.11, 3.12 or 3.13, got $(or $(PYTHON),none on the PATH)" \
	    "($$($(or $(PYTHON),python3) --version 2>&1 | head -n 1));" \
	    "install one and say: make setup PYTHON=/path/to/python3.11"; exit 1; \
	fi; \
	$$found -m venv --clear $(VENV) || { \
	  echo "could not make $(VENV) with $$found;" \
	    "on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PY) -m pip install --disable-pip-version-check \
	  --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@

setup: $(STAMP) ## make the virtual environment and install (the others do it too)

run: $(STAMP) ## the main job: train and compare three models, longctx demo
	$(VENV)/bin/longctx demo $(ARGS)

test: $(STAMP) ## every test, and every built notebook
	$(QUIET_MACHINE) $(PY) -m pytest -n $(JOBS) --dist loadfile \
	  --nbval-lax --nbval-current-env --nbval-cell-timeout=240 \
	  $(or $(ARGS),tests $(wildcard notebooks solutions))

test-lab: $(STAMP) ## every notebook in JupyterLab, in a browser; pictures in runs/lab
	$(QUIET_MACHINE) $(PY) -m pytest tests/lab --whole-lab $(ARGS)

prove: $(STAMP) ## every machine-made wrong answer against its check; minutes
	$(QUIET_MACHINE) $(PY) tools/prove_checks.py $(ARGS)

lab: $(STAMP) ## open JupyterLab at lesson 00
	$(VENV)/bin/jupyter lab --ServerApp.root_dir=. notebooks/00_start_here.ipynb

notebooks: $(STAMP) ## rebuild notebooks/, exercises/ and solutions/ from lessons/
	$(PY) tools/build_notebooks.py --jobs $(JOBS) $(ARGS)

check: $(STAMP) ## style, direction of imports, sizes, built notebooks in step
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) tools/check_sizes.py
	$(PY) tools/build_notebooks.py --check

bench: $(STAMP) ## our variants beside their peers
	$(VENV)/bin/longctx bench attention $(ARGS)

clean: ## remove the virtual environment and the caches; runs/ stays
	rm -rf $(VENV) build dist *.egg-info
	rm -rf .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -prune -exec rm -rf {} +
