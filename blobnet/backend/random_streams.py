"""Random numbers that depend on a key alone, so that runs can be repeated and resumed."""

from __future__ import annotations

import numpy as np


def random_stream(*key: int) -> np.random.Generator:
    """A random generator, on the host, for the non-negative whole numbers `key`: the same key gives the same numbers.

    Layers that draw on their device have RandomNumbers.
    """
    seed = np.random.SeedSequence((len(key), *key))  # its padding with zeros would make (a,) and (a, 0) the same
    return np.random.Generator(np.random.SFC64(seed))
