"""cupy.random: the generators, with NumPy's numbers."""

from __future__ import annotations

import numpy as np

from fakecupy.arrays import result, wrap
from fakecupy.counting import counts, launch


class Philox4x3210:
    """A bit generator. One has a state for each thread, 8 * 256 a multiprocessor, of 64 bytes."""

    def __init__(self, seed=None, *, size=-1):
        sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        self.seed = int(sequence.generate_state(1, np.uint32)[0])  # CuPy keeps 32 bits
        counts["memset"] += 1
        counts["bytes of random states"] += 8 * 256 * 132 * 64
        launch()


class Generator:
    """cupy.random.Generator: some of its methods, with its arguments."""

    def __init__(self, bit_generator):
        if not isinstance(bit_generator, Philox4x3210):
            raise TypeError("a cuRAND bit generator is wanted")
        self._host = np.random.Generator(np.random.Philox(bit_generator.seed))

    def random(self, size=None, dtype=np.float64, out=None):
        launch()
        return result(self._host.random(size, np.dtype(dtype)), out)

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        launch()
        return wrap(self._host.integers(low, high, size, dtype, endpoint))

    def standard_normal(self, size=None, dtype=np.float64, out=None):
        launch()
        return result(self._host.standard_normal(size, dtype), out)
