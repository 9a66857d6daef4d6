"""Fillers: the values that parameters start from (Caffe 1.0, filler.hpp)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import array_module
from blobnet.errors import NetError, ShapeError, close_matches

Shape = tuple[int, ...]
Draw = Callable[[int], np.ndarray]  # of so many numbers, one after the other: so they need not be there all at once

PIECE = 1 << 16  # numbers that are drawn at a time


def fill(array, filler: Message, rng: np.random.Generator, where: str = "filler", large: bool = True) -> None:
    """Fill `array` as the FillerParameter `filler` says, with random numbers from `rng` (a host generator).

    Without `large`, arrays of more than PIECE numbers stay as they are: fresh ones then take no memory. Raises NetError
    for an unknown type and for numbers that a type cannot take, ShapeError for a shape it cannot fill.
    """
    if filler.type not in FILLERS:
        raise NetError(where, f"unknown filler {filler.type!r}", hint=close_matches(filler.type, FILLERS))
    if filler.sparse != -1 and filler.type != "gaussian":
        raise NetError(where, f"filler {filler.type!r} cannot be sparse", hint="sparse goes with gaussian only")
    if not array.size or not array.shape and (filler.sparse != -1 or filler.type not in FILL_SCALARS):
        raise ShapeError(where, f"a {filler.type} filler", expected="at least one element in at least one axis",
                         got=array.shape)
    if array.size > PIECE and not large:
        return
    values, xp = FILLERS[filler.type](array.shape, filler, rng, where), array_module(array)
    if not callable(values):
        array[...] = xp.asarray(values, array.dtype)
        return
    flat = array.reshape(-1)
    for start in range(0, array.size, PIECE):
        part = flat[start:start + PIECE]
        part[...] = xp.asarray(values(part.size), array.dtype)


def _constant(shape: Shape, filler: Message, rng: np.random.Generator, where: str):
    return filler.value


def _uniform(shape: Shape, filler: Message, rng: np.random.Generator, where: str) -> Draw:
    if not -math.inf < filler.min <= filler.max < math.inf:
        raise NetError(where, expected="min up to max of a uniform filler", got=f"min {filler.min}, max {filler.max}")
    return lambda count: rng.uniform(filler.min, filler.max, count)


def _gaussian(shape: Shape, filler: Message, rng: np.random.Generator, where: str) -> Draw | np.ndarray:
    if not 0 < filler.std < math.inf:
        raise NetError(where, expected="std of a gaussian filler above 0", got=filler.std,
                       hint="a constant filler gives all elements one value")
    if not -1 <= filler.sparse <= (shape or (0,))[0]:
        raise NetError(where, expected=f"sparse up to the {shape[0]} outputs, or -1 for none", got=filler.sparse)
    if filler.sparse < 0:
        return lambda count: rng.normal(filler.mean, filler.std, count)
    values = rng.normal(filler.mean, filler.std, shape)
    values *= rng.random(shape) < filler.sparse / shape[0]  # every input keeps on average `sparse` outputs
    return values


def _positive_unitball(shape: Shape, filler: Message, rng: np.random.Generator, where: str) -> np.ndarray:
    values = rng.random((shape[0], math.prod(shape[1:])))
    return (values / values.sum(axis=1, keepdims=True)).reshape(shape)


def _fan(shape: Shape, filler: Message) -> float:
    """The n of the xavier and msra rules: inputs of an output, outputs of an input, or their mean."""
    count = math.prod(shape)
    fan_in = count / shape[0]
    fan_out = count / shape[1] if len(shape) > 1 else count
    norms = type(filler)
    return {norms.FAN_IN: fan_in, norms.FAN_OUT: fan_out, norms.AVERAGE: (fan_in + fan_out) / 2}[filler.variance_norm]


def _xavier(shape: Shape, filler: Message, rng: np.random.Generator, where: str) -> Draw:
    """Glorot and Bengio, AISTATS 2010: uniform with variance 1 / n."""
    bound = math.sqrt(3 / _fan(shape, filler))
    return lambda count: rng.uniform(-bound, bound, count)


def _msra(shape: Shape, filler: Message, rng: np.random.Generator, where: str) -> Draw:
    """He et al., ICCV 2015: normal with variance 2 / n, or less for a ReLU with a slope alpha on its left side."""
    variance = 2 / _fan(shape, filler) / (1 + filler.alpha ** 2)
    if not 0 <= filler.scale < math.inf or not math.isfinite(variance):
        raise NetError(where, expected="a finite alpha and a scale of at least 0 of an msra filler",
                       got=f"alpha {filler.alpha:g}, scale {filler.scale:g}")
    deviation = filler.scale * math.sqrt(variance)
    return lambda count: rng.normal(0, deviation, count)


def _bilinear(shape: Shape, filler: Message, rng: np.random.Generator, where: str) -> np.ndarray:
    """Bilinear interpolation for deconvolutions that upsample; every channel gets the same kernel."""
    if len(shape) != 4 or shape[2] != shape[3]:
        raise ShapeError(where, "a bilinear filler", expected="four axes with a square kernel", got=shape)
    size = shape[3]
    factor = math.ceil(size / 2)
    centre = (size - 1) / (2 * factor)
    ramp = 1 - np.abs(np.arange(size) / factor - centre)
    return np.broadcast_to(np.outer(ramp, ramp), shape)


FILLERS = {"constant": _constant, "uniform": _uniform, "gaussian": _gaussian, "positive_unitball": _positive_unitball,
           "xavier": _xavier, "msra": _msra, "bilinear": _bilinear}
FILL_SCALARS = ("constant", "uniform", "gaussian")
