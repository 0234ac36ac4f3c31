# Two commands for newcomers, each sufficient on a fresh machine with make and any Python >= 3.11:
#   make demo   installs kubecause into .venv and reads the example
#   make test   installs the test tools too and runs every check
# PYTHON=… picks the interpreter; otherwise the newest one on PATH that runs is taken.

SHELL := /bin/sh
.DEFAULT_GOAL := help
unexport PYTHONHOME PYTHONPATH

venv    := .venv
bin     := $(venv)/bin
example := examples/broken-cluster
pythons := $(PYTHON) python3.15 python3.14 python3.13 python3.12 python3.11 python3

# A .venv whose interpreter is gone (upgraded, moved) is made anew.
$(shell $(bin)/python -c '' >/dev/null 2>&1 || rm -f $(venv)/.created $(venv)/.installed $(venv)/.test-installed)

# For make test-cluster: short, all, or names of scenarios and of files below tests/cluster/scenarios.
SCENARIOS := short
cluster-tests = tests/cluster$(if $(filter short all,$(SCENARIOS)),,/test_scenarios.py)

.PHONY: help demo test test-cluster bench bench-cluster score format clean

help:
	@echo 'make demo     install into .venv and diagnose $(example)'
	@echo 'make test     ruff, mypy and pytest'
	@echo 'make test-cluster [SCENARIOS=all]   faults on a real Kubernetes on this machine (root); says first what it changes'
	@echo 'make format   let ruff format and mend what it can'
	@echo 'make bench    measure start-up, reading and scanning'
	@echo 'make bench-cluster   measure kubecause why on an API server with 20,000 pods, beside kubectl and other tools'
	@echo 'make score DATA=DIR   score against labelled evidence (DIR/tools/score.py, DIR/captures, DIR/cases)'
	@echo 'make clean    remove .venv and caches'

demo: $(venv)/.installed
	$(bin)/kubecause read $(example)

test: $(venv)/.test-installed
	$(bin)/python -m ruff check .
	$(bin)/python -m ruff format --check .
	$(bin)/python -m mypy
	$(bin)/python -m pytest

test-cluster: $(venv)/.test-installed
	@$(bin)/python -m tests.cluster changes
	$(bin)/python -m tests.cluster prepare
	KUBECAUSE_SCENARIOS='$(SCENARIOS)' $(bin)/python -m pytest $(cluster-tests)

bench: $(venv)/.installed
	$(bin)/python tools/bench.py

bench-cluster: $(venv)/.test-installed
	$(bin)/python tools/bench_cluster.py

score:
	@test -n '$(DATA)' && test -f '$(DATA)/tools/score.py' || { \
	  echo 'make score: DATA must name a folder with tools/score.py, captures/ and cases/: make score DATA=DIR' >&2; exit 2; }
	@$(MAKE) --no-print-directory $(venv)/.installed
	$(bin)/python3 '$(DATA)/tools/score.py' captures '$(DATA)/captures' --cli "'$(CURDIR)/$(bin)/kubecause'"
	$(bin)/python3 '$(DATA)/tools/score.py' cases '$(DATA)/cases' --cli "'$(CURDIR)/$(bin)/kubecause'"

format: $(venv)/.test-installed
	$(bin)/python -m ruff check --fix .
	$(bin)/python -m ruff format .

clean:
	rm -rf $(venv) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment ---

# A name on PATH proves nothing (version managers leave shims that only fail), so every candidate is run.
$(venv)/.created:
	@set -u; \
	dated=; made=; \
	try() { \
	  "$$1" -c 'import sys; assert sys.version_info >= (3, 11)' >/dev/null 2>&1 || return 1; \
	  dated=$${dated:-$$1}; \
	  "$$1" -c 'import venv, ensurepip' >/dev/null 2>&1 || return 1; \
	  echo "making $(venv) with $$1"; \
	  rm -rf $(venv); \
	  "$$1" -m venv $(venv) && made=yes; \
	}; \
	search() { \
	  for name in $(pythons); do \
	    case $$name in */*) try "$$name" && return 0; continue;; esac; \
	    saved=$$IFS; IFS=:; \
	    for folder in $$PATH; do IFS=$$saved; try "$$folder/$$name" && return 0; done; \
	    IFS=$$saved; \
	  done; \
	  return 1; \
	}; \
	search || true; \
	if [ -z "$$dated" ]; then \
	  echo 'kubecause needs Python 3.11 or newer and finds none on PATH: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3' >&2; \
	  exit 1; \
	fi; \
	if [ -z "$$made" ] && command -v uv >/dev/null 2>&1; then \
	  echo "making $(venv) with uv and $$dated"; \
	  rm -rf $(venv); \
	  uv venv --quiet --python "$$dated" $(venv) && made=yes; \
	fi; \
	if [ -z "$$made" ]; then \
	  echo "$$dated cannot make virtual environments: apt-get install python3-venv (or the python3.X-venv of your Python), or install uv" >&2; \
	  exit 1; \
	fi
	@touch $@

# uv makes environments without pip.
define install
	@echo 'installing $(1) into $(venv)'
	@if $(bin)/python -c 'import pip' >/dev/null 2>&1; then \
	  $(bin)/python -m pip install --quiet --disable-pip-version-check --editable '$(1)'; \
	else \
	  uv pip install --quiet --python $(bin)/python --editable '$(1)'; \
	fi
endef

$(venv)/.installed: $(venv)/.created pyproject.toml src/kubecause/__init__.py
	$(call install,.)
	@touch $@

$(venv)/.test-installed: $(venv)/.created pyproject.toml src/kubecause/__init__.py
	$(call install,.[test])
	@touch $(venv)/.installed $@
