# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= runs/demo
JOBS ?= 2

.PHONY: install demo test test-slow check coverage docs format fuzz lock clean

install: $(STAMP)

# pip compiles with one process, and tests of packages too; so it is told not to, and compileall does it: 4 minutes
# instead of 6. Its status is ignored, because some packages carry templates that are no Python. What is seldom imported
# is left to its first import: two fifths of all lines.
SELDOM := /(tests|testing|transformers/models|ray|debugpy|pip|setuptools|schemathesis|sqlalchemy|_inductor)/
$(STAMP): requirements/lock.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned packages (about two minutes on a first run) ..."
	@$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements/lock.txt 2>$(VENV)/install.log \
	  || { grep -v '^WARNING' $(VENV)/install.log >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . 2>>$(VENV)/install.log \
	  || { grep -v '^WARNING' $(VENV)/install.log >&2; exit 1; }
	@$(BIN)/python -m compileall -q -j $(JOBS) -x '$(SELDOM)' $(VENV)/lib >>$(VENV)/install.log 2>&1 || true
	@touch $(STAMP)
	@echo "Installed: $(BIN)/headtohead"

demo: install
	@$(BIN)/headtohead demo --out $(DEMO)

# One thread each: JOBS processes share the cores, and small networks gain nothing from threads that wait. Bytecode is
# kept, also where the environment says not to: hundreds of tests start a Python of their own.
test: install check
	@PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal

test-slow: install
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -m "slow or not slow"

check: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --num-workers $(JOBS)
	@$(BIN)/python -m pytest -q tests/contracts/test_layers.py

# Lines that no fast test reaches show in htmlcov/; the gate is in pyproject.toml (tool.coverage.report).
coverage: install
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal --cov=headtohead --cov-report=html --cov-report=term:skip-covered

# The documentation site in build/docs; it opens from the folder, without a network.
docs: install
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs
	@echo "Documentation: build/docs/index.html"

format: install
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# Damaged tables, archives, run folders, models and expressions, then damaged images; about an hour on two cores.
fuzz: install
	@HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks.fuzz.run --inputs 100000
	@$(BIN)/python benchmarks/fuzz_readers.py --files 100000
	@$(BIN)/python benchmarks/fuzz_sources.py --sources 100000

# Extras stay in the lock: pip (seen in 23.2) refuses `coverage[toml]` when the lock pins a bare, older `coverage`.
lock:
	@uv pip compile pyproject.toml --universal --python 3.11 --extra all --group dev --constraint requirements/caps.txt \
	  --generate-hashes --no-strip-extras --no-annotate --no-header --quiet --output-file requirements/lock.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis
