"""Calls of kernels that have a twin, by name: rows of test_twins.py.

A row is a function (kernel, xp, rng, dtype) that makes arrays of the module `xp`, the same for the same `rng`, calls
the kernel on them, and returns those that are to be compared. `call` makes one of plain arguments.
"""

import importlib
from pathlib import Path

import numpy as np

from blobnet.view.device_table import twins


def call(make):
    """A row that calls the kernel with what make(rng) gives, and compares all its arrays and what is returned."""
    def row(kernel, xp, rng, dtype):
        arguments = [on_device(value, xp, dtype) for value in make(rng)]
        found = kernel(*arguments)
        returned = found if isinstance(found, tuple) else [] if found is None else [found]
        return [value for value in (*arguments, *returned) if hasattr(value, "dtype")]
    return row


def on_device(value, xp, dtype):
    """A NumPy array as one of `xp`, and of `dtype` if it holds floating-point numbers; anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    return xp.asarray(value.astype(dtype) if value.dtype == float else value)


def kernels():
    """Every kernel that has a twin, by name."""
    return {twin.body.__name__: twin for twin in twins()}


ROWS = {}
for _path in sorted(Path(__file__).parent.glob("twins_of_*.py")):
    ROWS.update(importlib.import_module(_path.stem).ROWS)
