"""Bottoms without axes, batches of no rows and axes of size 0: every layer refuses them or gets them right."""

import dataclasses
import math

import numpy as np
import pytest
from layer_cases import CASES
from layer_rows import FILLERS, build

from blobnet.check import check_layer, format_table
from blobnet.errors import BlobnetError

TYPES = sorted(name for name, case in CASES.items() if case.bottoms and case.type.__name__ != "Python")


def variants(shapes):
    """Lists of shapes in which one bottom, or all, has no axes; and one axis, counted from either end, is of size 0."""
    for i in range(len(shapes)):
        yield [() if j == i else shape for j, shape in enumerate(shapes)]
    yield [()] * len(shapes)
    for axis in range(max(map(len, shapes))):
        yield [(*shape[:axis], 0, *shape[axis + 1:]) if axis < len(shape) else shape for shape in shapes]
        if 0 < axis < len(shapes[0]):
            yield [(*shapes[0][:axis], 0, *shapes[0][axis + 1:]), *shapes[1:]]


def fitted(value, shape):
    """The values of an array in another shape, as often as they fit."""
    return np.resize(value, shape) if value.size and math.prod(shape) else np.zeros(shape)


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("name", TYPES)
def test_refused_or_right(name, data_folder):
    case = CASES[name]
    case = dataclasses.replace(case, source=case.source.replace("FOLDER", str(data_folder)))
    values = case.values()
    for shapes in variants([value.shape for value in values]):
        given = [fitted(value, shape) for value, shape in zip(values, shapes)]
        before = case.build()
        before.forward()
        before.values = given
        for make in (lambda given=given: case.build(given), lambda before=before: before):  # built so, and come to it
            tops = []
            try:
                alone = make()
                tops = alone.forward()
            except BlobnetError:
                continue
            assert all(np.isfinite(top).all() for top in tops), shapes
            wanted = alone.differentiable()
            if any(wanted) or alone.layer.blobs:
                diffs = alone.backward([top + 1 for top in tops], wanted)
                assert all(np.isfinite(diff).all() for diff in [*diffs, *(blob.diff for blob in alone.layer.blobs)])
        lowest = any(top.min(initial=0) < -1e30 for top in tops)  # windows with nothing to see, of Pooling
        if "gradient" not in case.exceptions and not lowest:
            try:
                results = check_layer(case.source, *given, phase=case.phase)
            except BlobnetError:
                continue
            assert all(result.passed for result in results), (shapes, format_table(results))


OPTIONS = f"convolution_param {{ num_output: 2 kernel_size: 3 pad: 2 {FILLERS} }}"


@pytest.mark.parametrize(("kind", "options", "shape", "wanted"), [
    ("Convolution", OPTIONS, (1, 3, 0, 4), (1, 2, 2, 6)), ("Convolution", OPTIONS, (1, 3, 4, 0), (1, 2, 6, 2)),
    ("Convolution", OPTIONS, (0, 3, 4, 4), (0, 2, 6, 6)), ("Convolution", OPTIONS, (2, 3, 0), (2, 2, 2)),
    ("Deconvolution", OPTIONS.replace("pad: 2", ""), (1, 3, 0, 4), (1, 2, 2, 6)),
    ("Deconvolution", OPTIONS.replace("pad: 2", "stride: 2"), (2, 9, 4, 0), (2, 2, 9, 1))])
def test_nothing_under_a_kernel_leaves_the_bias(kind, options, shape, wanted):
    alone = build(kind, [np.zeros(shape)], options)
    (y,), bias = alone.forward(), alone.parameters[1]
    assert y.shape == wanted
    np.testing.assert_array_equal(y, np.broadcast_to(bias.reshape(-1, *[1] * (len(shape) - 2)), wanted))
    dy = np.random.default_rng(0).normal(size=wanted)
    alone.backward([dy], [True])
    weight, bias = alone.layer.blobs
    assert not weight.diff.any()
    np.testing.assert_allclose(bias.diff, dy.sum(axis=(0, *range(2, len(shape)))))
