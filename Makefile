# The five verbs. Everything is installed into .venv on first use, with uv when it is there, else with pip.
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
DATA_DIR ?= data
# providers beside OpenAI, and what some settings need, for example EXTRAS=anthropic,pii
EXTRAS ?=

BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
ifneq ($(UV),)
  CREATE = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
  INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
  CREATE = $(PYTHON) -m venv $(VENV)
  INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif
PROJECT = $(INSTALL) --no-deps --no-build-isolation --editable .

.PHONY: serve test check fix bench test-browser test-slow

serve: $(VENV)/.runtime
ifneq ($(EXTRAS),)
	$(INSTALL) --no-build-isolation --editable ".[$(EXTRAS)]"
endif
	$(BIN)/groundswell serve --port $(PORT) --data-dir $(DATA_DIR)

test: $(VENV)/.dev
	$(BIN)/pytest -n auto

test-browser: $(VENV)/.dev
	$(BIN)/pytest -m browser

test-slow: $(VENV)/.dev
	$(BIN)/pytest -n auto -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.generate --check

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m scripts.generate

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.first_events
	$(BIN)/python -m benchmarks.ingestion
	$(BIN)/python -m benchmarks.slow_path

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	$(CREATE)
	$(INSTALL) --require-hashes -r requirements/runtime.txt
	$(PROJECT)
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	$(CREATE)
	$(INSTALL) --require-hashes -r requirements/dev.txt
	$(PROJECT)
	@touch $@ $(VENV)/.runtime
