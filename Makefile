# `make demo`, `make test` and `make lint` set up .venv first, once for each change of the packages.
#   PYTHON=python3.12             another interpreter, 3.11 to 3.13
#   PIP_ARGS="--index-url ..."    where to install from; for a torch without CUDA (much smaller):
#                                 PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
#   WORKERS=4                     processes of `make test` and `make test-fast`, 0 for none beside; by default one more
#                                 than there are cores, as some tests wait
#   PYTEST_ARGS="-k planner"      more arguments for pytest

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
RUN := $(VENV)/bin/python
PIP_ARGS :=
WORKERS := $(shell expr $$(env -u OMP_NUM_THREADS nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) + 1)
PYTEST_ARGS :=
PYTEST = $(RUN) -m pytest -n $(WORKERS) --dist worksteal

export OMP_NUM_THREADS ?= 1
# tests start some hundred processes, which would compile all modules of the package again
test test-fast coverage: export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup league demo test test-fast coverage lint docs attack clean

help:
	@echo "make demo       train Q-learning for a minute and rank it in real worlds: curve, tables and plots in demo/"
	@echo "make test       run all tests, on all cores"
	@echo "make test-fast  run the quick tests, in less than 90 seconds on two cores"
	@echo "make league     install agents of the league (scml-agents), without which their tests are skipped"
	@echo "make lint       run ruff, codespell and pyright"
	@echo "make docs       build the documentation site into build/site, strictly and without a network"
	@echo "make coverage   run all tests and see which lines they ran: build/coverage/index.html"
	@echo "make setup      only make .venv and install"
	@echo "make attack     attack the package for some minutes: damaged files, odd arguments, full disks, misuse"
	@echo "make clean      remove .venv, build/ and demo/"

setup: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml setup.py constraints.txt
	@$(or $(PYTHON),false) -c '$(SUPPORTED)' || { \
		echo "scml-gym needs Python 3.11, 3.12 or 3.13: install one, or give it as make PYTHON=/path/to/python3" >&2; \
		exit 1; }
	@echo "installing all packages into $(VENV): two to five minutes, without a word in between"
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -c constraints.txt -e ".[dev]"
	@touch $@

demo: setup
	rm -rf demo
	$(RUN) train.py demo --out demo/q-learning
	$(RUN) evaluate.py demo/q-learning best-subset greedy random --worlds 6 --days 20 --out demo/evaluation

test: setup
	$(PYTEST) $(PYTEST_ARGS)

test-fast: setup
	$(PYTEST) -m "not slow and not docs and not league and not browser" $(PYTEST_ARGS)

# without what scml-agents needs: TensorFlow, which only some of its agents import
league: setup
	$(RUN) -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) --no-deps scml-agents==0.5.2

coverage: setup
	$(RUN) -m pytest --cov --cov-report=term --cov-report=html:build/coverage

lint: setup
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m codespell_lib
	$(RUN) -m pyright --pythonpath $(RUN)

attack: setup
	$(RUN) benchmarks/attack.py --quick

docs: setup
	$(RUN) -m mkdocs build --strict

clean:
	rm -rf $(VENV) build demo
