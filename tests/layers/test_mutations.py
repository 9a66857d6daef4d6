"""The gradient checker notices one percent, in every gradient of every type. Quick enough to run with all tests."""

import numpy as np
import pytest

from blobnet.check import check_layer


def slopes(case):
    """The gradients of a case that are checked and not all zero: (kind, index, name of the blob)."""
    alone = case.build()
    weights, wanted = alone.layer.loss_weights, alone.differentiable()
    bottoms = alone.backward([w or np.ones(top.shape) for top, w in zip(alone.forward(), weights)], wanted)
    for i, diff in enumerate(bottoms):
        if wanted[i] and diff.any():
            yield "bottom", i, alone.layer.param.bottom[i]
    for i, blob in enumerate(alone.layer.blobs):
        if blob.diff.any():
            yield "param", i, f"param {i}"


def test_one_percent_is_noticed(case, monkeypatch):
    if "mutation" in case.exceptions:
        pytest.skip(case.exceptions["mutation"])
    right = case.type.backward
    for kind, index, name in slopes(case):

        def backward(self, top, propagate_down, bottom, kind=kind, index=index):
            before = [blob.diff.copy() for blob in self.blobs]
            right(self, top, propagate_down, bottom)
            blob = bottom[index] if kind == "bottom" else self.blobs[index]
            blob.diff[...] += 0.01 * (blob.diff - (0 if kind == "bottom" else before[index]))

        monkeypatch.setattr(case.type, "backward", backward)
        results = check_layer(case.source, *case.values(), phase=case.phase, python_layers=case.python_layers)
        assert {result.blob for result in results if not result.passed} == {name}
        monkeypatch.undo()
        results = check_layer(case.source, *case.values(), phase=case.phase, python_layers=case.python_layers)
        assert all(result.passed for result in results)
