# Each target sets up what it needs first; `make demo` on a fresh clone is enough.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := demo
.PHONY: setup demo chat test bench lock

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
UV := $(BIN)/uv
LOCK := $(UV) pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url \
	--no-header --python-version 3.11 --quiet --output-file requirements.lock

# Packages are linked out of the cache when it lies on the same disk, else copied.
export UV_LINK_MODE ?= hardlink
# Without bytecode every start compiles the libraries anew (gradio: 30 s instead of 6).
ifneq ($(PYTHONDONTWRITEBYTECODE),)
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/pycache
endif

# The pose model is looked at each time: what is there and whole is not fetched again, and all but
# poses from photos works without it.
setup: $(READY)
	@$(BIN)/python -m tools.pose_files || true

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed: make PYTHON=python3.11' >&2; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.lock > .venv/uv.txt
	@[ -x $(UV) ] || $(BIN)/python -m pip install --quiet --require-hashes -r .venv/uv.txt
	@echo 'Installing the locked packages into .venv' >&2
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation \
		--config-settings editable_mode=compat --editable .
	@touch $(READY)

demo: setup
	@$(BIN)/stylist look "winter outfit for a commute"

chat: setup
	@$(BIN)/stylist chat

# Two processes of one thread: most tests keep one core busy, and the threads of two would wait for
# each other.
test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

bench: setup
	@$(BIN)/python -m bench

lock: setup
	@$(LOCK)
