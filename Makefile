# Everything runs in an environment of its own, .venv; PYTHON chooses the interpreter it is made from.
PYTHON ?= python3
BIN := .venv/bin
export OPENBLAS_NUM_THREADS := 1

.PHONY: demo test slow gpu lint clean

demo: .venv/demo
	$(BIN)/python examples/01_hash_digits.py --out demo_output

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -n auto

slow: .venv/test
	$(BIN)/python -m pytest -q -m slow

gpu: .venv/test .venv/gpu
	$(BIN)/python -m pytest -q -m gpu

lint: .venv/test
	$(BIN)/ruff check .

# One stamp an extra: the environment is renewed when setup.py changes.
.venv/%: setup.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$*]'
	touch $@

clean:
	rm -rf .venv demo_output data/digits_*
