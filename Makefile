# Sets itself up: a virtual environment in .venv and the package in it, editable, so that it follows the sources; the C parts
# are built with cmake and ninja from PyPI. Needs Python 3.11 or newer and a C compiler. pip's own settings hold.

VENV := .venv
BOARD ?= native
BIN := $(VENV)/bin

# The first that is new enough, found by running it: a version manager leaves commands behind that lead to no Python.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

# Debian splits this from Python.
HAS_VENV = $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null

# An editable install knows the packages that were there, hence again when one came or went.
PACKAGES := $(shell find host -name __init__.py)

# The C parts are built when the package is installed, hence again when one of their sources changed, came or went.
FIRMWARE := $(shell find firmware host/compiled -name platformio -prune -o \( -type d -o -name '*.[chS]' -o -name CMakeLists.txt \) -print)

.PHONY: help demo check fast-tests test test-all test-torch test-browser docs fuzz prove soak mutants lint validate bench pio sizes wheel system-packages clean

help:
	@echo 'make demo      a virtual board learns iris from its own noise; shows where plots and results are'
	@echo 'make check     lint, types and the fast tests, in about a minute'
	@echo 'make test      the test suite, with all it needs installed first; ARGS="-k wire" selects'
	@echo 'make test-all  the slow tests too'
	@echo 'make test-torch  the tests that need torch, which it installs first (several GB, with libraries for GPUs)'
	@echo 'make docs      the documentation site, in build/site; its notebooks are executed, warnings are errors'
	@echo 'make test-browser  the live page in Chromium, which it installs first (Debian, Ubuntu)'
	@echo 'make fuzz      hostile input for every reader: RUNS=1000000 executions or TIME=600 seconds a target'
	@echo 'make prove     frames, uploads and memory stay in their bounds, for all numbers (Debian: frama-c-base, z3, cvc4)'
	@echo 'make soak      the long runs: faults on the line, noise codes, power cuts, kills, sweeps, full disks, interrupts, lies, mutants'
	@echo 'make mutants   single random changes, N=300 of them, each with the tests that should catch it; survivors are listed'
	@echo 'make lint      ruff and mypy --strict'
	@echo 'make validate  the board (BOARD=native) against the integer model, and the integers against floats'
	@echo 'make bench     what a training step costs: BOARD=native, uno-sim (cycles), m4-sim or m0-sim (instructions)'
	@echo 'make pio       the boards that PlatformIO can build without a network, and its tests'
	@echo 'make sizes     flash and RAM of the images for chips'
	@echo 'make wheel     the package for this platform, with the images of Uno and Nano, in dist/'
	@echo 'make clean     removes all that these made, except runs/'

demo: $(VENV)/.installed
	$(BIN)/mtjlearn $@ $(ARGS)

# Simulated chips need the compilers that come with the test tools.
validate bench: $(VENV)/.installed-test
	$(BIN)/mtjlearn $@ --board $(BOARD) $(ARGS)

# The environment comes second, in a make of its own: Python may be among the system packages.
# Three processes keep two cores busy, since many tests wait for boards and ports.
test: system-packages
	@$(MAKE) --no-print-directory $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 3 -m 'not slow' $(ARGS)

test-all:
	@PYTHON='$(PYTHON)' BROWSER=1 sh tests/system-packages.sh
	@$(MAKE) --no-print-directory $(VENV)/.installed-test $(VENV)/.installed-docs
	$(BIN)/python -m pip install --quiet --editable '.[test,browser]'
	$(BIN)/python -m pytest -n 3 $(ARGS)

# The live page in Chromium. Elsewhere these tests are skipped unless the browser and its driver are there.
test-browser:
	@PYTHON='$(PYTHON)' BROWSER=1 sh tests/system-packages.sh
	@$(MAKE) --no-print-directory $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[test,browser]'
	$(BIN)/python -m pytest tests/browser $(ARGS)

# Elsewhere these tests are skipped unless torch is there.
test-torch: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[test,torch]'
	$(BIN)/python -m pytest -n 2 -k torch tests/unit/learner tests/bench/test_bench_reference.py tests/pages $(ARGS)

# The environment comes first, by itself; then mypy, which has one process, works next to the tests.
check: $(VENV)/.installed-test
	@$(MAKE) --no-print-directory --jobs 2 lint fast-tests

fast-tests: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 -m fast $(ARGS)

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx --builder html --conf-dir docs --fail-on-warning --keep-going $(ARGS) . build/site
	@echo 'Open build/site/index.html; build/site/external-links.txt lists the links that lead elsewhere'

fuzz: $(VENV)/.installed-test
	$(BIN)/python tests/fuzz/run.py $(if $(RUNS),--runs $(RUNS)) $(if $(TIME),--seconds $(TIME)) $(ARGS)

prove: $(VENV)/.created
	$(BIN)/python tests/prove/prove.py
	$(BIN)/python tests/prove/eva.py

# Each long run by itself: make soak-link ARGS="--faults 1000000"
SOAKS := dashboard link health not_random power_cuts micropython_cuts kills sweeps full_disks interrupts liar mutants

soak: $(SOAKS:%=soak-%)

soak-%: $(VENV)/.installed-test
	PYTHONPATH=tests/support $(BIN)/python tests/soak/$*.py $(ARGS)

mutants: $(VENV)/.installed-test
	@$(MAKE) --no-print-directory soak-mutants ARGS='$(if $(N),--count $(N)) $(ARGS)'

lint: $(VENV)/.installed-test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(BIN)/python .ci/micropython_types.py

# One wheel serves every version of Python on a platform; it carries the images of Uno and Nano, so that flashing them needs no compiler.
wheel: $(VENV)/.installed-test
	$(BIN)/python -m mtjlearn.flashing.write_images build/images
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist --config-settings=build-dir=build/wheel \
		--config-settings=cmake.define.MTJLEARN_IMAGES=$(CURDIR)/build/images .

pio: $(VENV)/.installed-test
	$(BIN)/python firmware/platformio/prepare.py pio run -e native -e uno -e uno_streamed -e nano -e nano_old -e mega2560
	$(BIN)/python firmware/platformio/prepare.py pio test -e native -e uno --without-uploading

sizes: $(VENV)/.installed-test
	@$(BIN)/python .ci/sizes.py

system-packages:
	@PYTHON='$(PYTHON)' sh tests/system-packages.sh

clean:
	rm -rf $(VENV) build dist .pio .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@[ -n '$(PYTHON)' ] || { echo 'mtjlearn needs Python 3.11 or newer: install it, or name it: make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(HAS_VENV) || [ "$$(id -u)" != 0 ] || PYTHON='$(PYTHON)' sh tests/system-packages.sh
	@$(HAS_VENV) || { echo '$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)' >&2; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml $(PACKAGES) $(FIRMWARE)
	@command -v $${CC:-cc} >/dev/null || { echo 'mtjlearn needs a C compiler (Debian, Ubuntu: apt-get install gcc libc6-dev)' >&2; exit 1; }
	@echo 'Installing mtjlearn into $(VENV); the first time takes a minute or so'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.created pyproject.toml $(PACKAGES) $(FIRMWARE)
	@echo 'Installing mtjlearn and its test tools into $(VENV); the first time takes a minute or so'
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-docs: $(VENV)/.created pyproject.toml $(PACKAGES) $(FIRMWARE)
	@echo 'Installing mtjlearn and the tools of its site into $(VENV); the first time takes a minute or so'
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $(VENV)/.installed $@
