# Everything runs in an environment of its own, .venv; PYTHON chooses the interpreter it is made from.
PYTHON ?= python3
VENV := .venv
BIN = $(VENV)/bin
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo test suite dist slow gpu lint docs test-oldest test-newest clean

demo: $(VENV)/demo
	$(BIN)/python examples/01_hash_digits.py --out demo_output

test: lint suite dist

suite: $(VENV)/test
	$(BIN)/python -m pytest -q -n auto

# The packages of a release. The wheel made again from the same commit is the same, byte for byte.
dist: export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2> /dev/null || date +%s)
dist: $(VENV)/test
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist > /dev/null
	$(BIN)/twine check --strict dist/*

slow: $(VENV)/test
	$(BIN)/python -m pytest -q -m slow
	$(BIN)/python -m pytest -q -n auto -m "hypothesis and not slow and not gpu" --hypothesis-profile=search

gpu: $(VENV)/test $(VENV)/gpu
	$(BIN)/python -m pytest -q -m gpu

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(VENV)/docs $(VENV)/sklearn
	$(BIN)/python -m sphinx -q -W --keep-going tools/docs tools/docs/_build/html
	$(BIN)/python tools/docs/check_links.py tools/docs/_build/html

# The tests with the lowest versions that setup.py admits on the oldest Python at hand, with the newest on the newest.
# PYTHON=… chooses another.
test-oldest:
	$(MAKE) suite VENV=.venv-oldest BOUNDS=.venv-oldest/bounds.txt PYTHON=$(call at_hand,10 11 12 13 14)

test-newest:
	$(MAKE) suite VENV=.venv-newest PYTHON=$(call at_hand,14 13 12 11 10)

at_hand = $(if $(filter file,$(origin PYTHON)),$(firstword $(foreach minor,$(1),$(shell \
	python3.$(minor) -c 'import sys; print(sys.executable)' 2> /dev/null)) $(PYTHON)),$(PYTHON))

# One stamp an extra: the environment is renewed when setup.py changes, and made anew if that was interrupted.
$(VENV)/%: setup.py
	test ! -e $(VENV)/unfinished && $(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	touch $(VENV)/unfinished
	$(if $(BOUNDS),grep -oE '"[A-Za-z0-9-]+>=[0-9.]+' setup.py | sed 's/"//; s/>=/==/' | sort -u > $(BOUNDS))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(addprefix -c ,$(BOUNDS)) -e '.[$*]'
	rm $(VENV)/unfinished
	touch $@

clean:
	rm -rf .venv .venv-* build dist demo_output data/digits_* tools/docs/_build tools/docs/_generated
