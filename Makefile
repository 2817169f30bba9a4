# Every target does its own set-up; a fresh Debian with Python 3.11 is enough.
SHELL := /bin/bash
VENV := .venv
PYTHON ?= python3.11
BIN := $(VENV)/bin

.PHONY: help demo test scenario chaos fuzz stress check bench bench-10m conformance package clean

help:
	@echo 'make demo [IMAGE=path]  upload pictures to a local COS, let the function run, look at every derivative;'
	@echo '                        PACKAGE=dist/function.zip runs what is deployed instead of functions/'
	@echo 'make test               the test suite'
	@echo 'make scenario           a bucket of 2,000 images in disorder, brought back by an apply that is killed ten times'
	@echo 'make chaos              10,000 schedules of faults end in the clean bucket (SCHEDULES=, PROCESSES=; SEED=n replays one)'
	@echo 'make fuzz               a million odd events, keys and answers (INPUTS=, PROCESSES=; SEED=n replays one batch)'
	@echo 'make stress             ten thousand connections to coslocal at once, a gigabyte each way'
	@echo 'make check              format, lint, types, imports, oldest Python, licences, advisories'
	@echo 'make bench              every figure of the README'
	@echo 'make bench-10m          derivo plan of 0.1, 1 and 10 million sources alone'
	@echo 'make conformance        real clients of Tencent COS against a coslocal of their own (CLIENTS="curl browser": those)'
	@echo 'make package            what is deployed: dist/function.zip, and unpacked in dist/function'

# The stamp is newer than pyproject.toml when the environment holds what it names.
$(VENV)/.ready: pyproject.toml tools/setup.sh
	@PYTHON='$(PYTHON)' VENV='$(VENV)' bash tools/setup.sh
	@touch $@

demo: $(VENV)/.ready
	@$(BIN)/python -m demo $${IMAGE:+--image "$$IMAGE"} $${PACKAGE:+--package "$$PACKAGE"}

test: $(VENV)/.ready
	@$(BIN)/python -m pytest -q -n auto --dist loadfile

scenario: $(VENV)/.ready
	@$(BIN)/python -m tests.derivo_cli.reconcile.scenario

chaos: $(VENV)/.ready
	@$(BIN)/python -m tests.chaos $${SEED:+--seed "$$SEED"} $${SCHEDULES:+--schedules "$$SCHEDULES"} \
		$${PROCESSES:+--processes "$$PROCESSES"}

fuzz: $(VENV)/.ready
	@$(BIN)/python -m tests.chaos.fuzz $${SEED:+--seed "$$SEED"} $${INPUTS:+--inputs "$$INPUTS"} \
		$${PROCESSES:+--processes "$$PROCESSES"}

stress: $(VENV)/.ready
	@$(BIN)/python -m tests.coslocal.stress

check: $(VENV)/.ready
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash tools/check.sh

bench: $(VENV)/.ready
	@$(BIN)/python -m bench

bench-10m: $(VENV)/.ready
	@$(BIN)/python -m bench backfill backfill-10m

# Installs the clients beside the project: .venv-conformance, .conformance/npm, and Debian's Chromium and Node.js.
conformance: $(VENV)/.ready
	@$(BIN)/python -m tests.conformance $(CLIENTS)

# the platform's own command line zips a folder itself, so it gets one
package: $(VENV)/.ready
	@$(BIN)/derivo package
	@rm -rf dist/function && $(BIN)/python -m zipfile -e dist/function.zip dist/function

clean:
	rm -rf dist build .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
