# make run and make test need Python 3.11 or newer (tested up to 3.14), make and a package index; nothing outside VENV is changed.

VENV ?= .venv
ARGS ?=
WORKERS ?= 2
NEST_MPI ?= .venv-nest-mpi

ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for one in python3.13 python3.12 python3.11 python3.14 python3; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo $$one; break; }; done)
endif

.DEFAULT_GOAL := help
.PHONY: help venv run test test-all coverage lint docs nest-mpi clean

help:
	@echo "make run       simulate the default circuit, draw it and say where (ARGS=\"--size 2000\" for options)"
	@echo "make test      the tests, without the slow ones"
	@echo "make test-all  the slow ones too"
	@echo "make coverage  the share of the lines that make test runs, but for those that Numba compiles"
	@echo "make lint      ruff, mypy, codespell"
	@echo "make docs      the site, in docs/_build/html"
	@echo "make nest-mpi  NEST with MPI in $(NEST_MPI), for mpiexec -n 4 $(NEST_MPI)/bin/neostriatum run --engine nest"
	@echo "make venv      only make $(VENV) with the package and what its tests need"
	@echo "make clean     remove $(VENV), caches and build products (results under runs/ stay)"
	@echo "PYTHON=... picks the interpreter (found: $(or $(PYTHON),none)), VENV=... the folder of the environment"

venv: $(VENV)/.dev

run: $(VENV)/.package
	$(VENV)/bin/neostriatum run $(ARGS)

test: $(VENV)/.dev
	$(VENV)/bin/python tests/warm.py
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile

test-all: $(VENV)/.dev
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile -m "slow or not slow"

# What Numba compiles is out of sight of Python: these lines count as not run.
coverage: $(VENV)/.dev
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "pytest-cov>=6"
	$(VENV)/bin/python tests/warm.py
	$(VENV)/bin/python -m pytest -q -n $(WORKERS) --dist loadfile --cov=neostriatum --cov-report=term:skip-covered

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy
	$(VENV)/bin/codespell
	@echo "the longest files:"; find src -name '*.py' -exec wc -l {} + | sort -rn | sed -n 2,6p

docs: $(VENV)/.docs
	$(VENV)/bin/python -m sphinx -q -W --keep-going -j auto -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

nest-mpi:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found: install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	.ci/nest-mpi $(PYTHON) $(abspath $(NEST_MPI))

clean:
	rm -rf $(VENV) docs/_build docs/gallery/pictures build dist src/*.egg-info .pytest_cache .mypy_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The package alone for `make run`, the tools of its tests on top of it for the rest.
$(VENV)/.package: pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found: install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(VENV)/bin/pip || echo "making $(VENV) with $(PYTHON); the first time takes a few minutes"
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.package
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/.package
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	# Its pictures need none of what it depends on, which is old (docs/howto/brian2.md).
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "brian2tools>=0.3"
	@touch $@
