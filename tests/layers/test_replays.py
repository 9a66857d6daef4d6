"""Layers in a CUDA graph: what one forward and backward started gives the same bits in later steps, on other numbers.
"""

import numpy as np
import pytest

from blobnet.backend import to_host
from blobnet.backend.graphs import Graph

EAGER, STEPS = 2, 5

pytestmark = pytest.mark.usefixtures("gpu")


def passes(alone, graph: bool):
    """All arrays after every step, and whether the last steps were replays."""
    layer, rng, captured, found = alone.layer, np.random.default_rng(0), None, []
    down = alone.differentiable()
    alone.prepare()
    diffs = [rng.normal(size=blob.shape) for blob in alone.top]
    blobs = [*alone.bottom, *alone.top, *layer.blobs]

    def work():
        layer.forward(alone.bottom, alone.top)
        if any(down):
            layer.backward(alone.top, down, alone.bottom)

    for step in range(STEPS):
        for blob, value in zip(alone.bottom, alone.values):
            blob.data[...] = layer.xp.asarray(np.roll(value, step, 0) if value.ndim else value)
        for blob, diff in zip(alone.top, diffs):
            blob.diff[...] = layer.xp.asarray(np.resize(diff, blob.shape).astype(layer.dtype))
        for blob in layer.blobs:
            blob.diff.fill(0)
        layer.context.place_step()
        with layer.context.in_use():
            if graph and step == EAGER:
                try:
                    captured = Graph(work)
                except (RuntimeError, NotImplementedError) as error:
                    assert "capturing" in str(error)
                    graph = False  # as a net does
            if captured:
                captured.launch()
            else:
                work()
        layer.context.step += 1
        found += [to_host(array).tobytes() for blob in blobs for array in (blob.data, blob.diff)]
    return found, captured is not None


def test_a_type_that_replays_gives_the_same(case):
    if not case.type.can_replay() or not case.values():
        return
    eager, replayed = (passes(case.build(device="gpu"), graph) for graph in (False, True))
    assert replayed[0] == eager[0]
