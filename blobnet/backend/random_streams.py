"""Random numbers that depend on a key alone, so that runs can be repeated and resumed."""

from __future__ import annotations

from types import ModuleType

import numpy as np


def random_stream(xp: ModuleType, *key: int) -> np.random.Generator:
    """A random generator of `xp` for the non-negative whole numbers `key`: the same key gives the same numbers.

    CPU and GPU have different numbers.
    """
    seed = np.random.SeedSequence((len(key), *key))  # its padding with zeros would make (a,) and (a, 0) the same
    if xp is np:
        return np.random.Generator(np.random.SFC64(seed))
    return xp.random.Generator(xp.random.Philox4x3210(int(seed.generate_state(1, np.uint64)[0])))
