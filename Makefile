# Two commands matter: `make demo` shows a result, `make test` proves it. Both install what they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
WORKERS ?= 2

.PHONY: demo test slow lint docs bench clean help

help:  ## say what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/'

$(VENV)/core.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/core.stamp
	$(PIP) install -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(VENV)/core.stamp  ## render a walker with known angles, analyze it, compare
	$(BIN)/gonio demo --out results --overwrite

test: $(VENV)/dev.stamp  ## unit, integration and end-to-end tests
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) $(PYTEST_ARGS)

slow: $(VENV)/dev.stamp  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

lint: $(VENV)/dev.stamp  ## format, style, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/dev.stamp  ## build the documentation, warnings are errors
	$(BIN)/sphinx-build -W --keep-going -b html docs build/docs

bench: $(VENV)/dev.stamp  ## measure against the peer; figures go to build/bench
	@for f in benchmarks/[a-z]*.py; do echo "== $$f"; $(BIN)/python $$f || exit 1; done

clean:  ## remove everything that can be made again
	rm -rf $(VENV) build results docs/auto_examples docs/generated
