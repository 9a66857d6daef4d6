"""What layers share that reduce windows: where the windows lie, and the methods that reduce them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.ops.average_pool import AveragePool
from blobnet.ops.axes import Axis, pooled_size
from blobnet.ops.max_pool import MaxPool
from blobnet.ops.stochastic import ExpectedPool, StochasticPool
from blobnet.ops.tiles import TileMax, are_tiles

Sizes = Sequence[int]
WIDE = 40  # values of a window from which rows of windows are faster than a pass for each of their places


def make_pool(method: str, training: bool, xp, dtype, num: int, channels: int, axes: Sequence[Axis]):
    """What reduces windows by `method` (MAX, AVE, STOCHASTIC), with forward(x, out) and backward(top_diff, x_diff)."""
    if method == "AVE":
        return AveragePool(xp, dtype, axes)
    kind: Callable[..., Any]
    if method == "MAX":
        kind = TileMax if are_tiles(axes) and prod(axis.taps for axis in axes) >= WIDE else MaxPool
    else:
        kind = StochasticPool if training else ExpectedPool
    return kind(xp, dtype, num, channels, axes)


def of_window(method: str, x: np.ndarray, divisor: float) -> np.ndarray:
    """What a window of values x (N, C, values) gives, in plain NumPy, for formulas; STOCHASTIC as in TEST."""
    if method == "MAX":
        return x.max(-1, initial=np.finfo(float).min)
    total = x.sum(-1)
    return total / divisor if method == "AVE" else np.where(total > 0, (x ** 2).sum(-1) / total, 0)


def window_sizes(options: Message, spatial: int, where: str, prefix: str, field: str, least: int = 0,
                 optional: bool = False) -> tuple[int, ...]:
    """A size of the windows along each spatial axis, given once in `field` or, of two axes, in `prefix`_h and _w."""
    names = (f"{prefix}_h", f"{prefix}_w")
    given = [name for name in (field, *names) if options.HasField(name)]
    if given not in ([field], [*names], [] if optional else [field]):
        raise NetError(where, expected=f"{field}, or {names[0]} and {names[1]}", got=" and ".join(given) or "neither")
    if len(given) == 2 and spatial != 2:
        raise NetError(where, expected=f"2 spatial axes for {names[0]} and {names[1]}", got=spatial,
                       hint=f"write {field}")
    sizes = tuple(getattr(options, name) for name in (names if len(given) == 2 else [field] * spatial))
    if min(sizes) < least:
        raise NetError(where, expected=f"{field} at least {least}", got=sizes)
    return sizes


def window_axes(spatial: Sizes, kernel: Sizes, stride: Sizes, pad: Sizes, ceil: bool = True) -> list[Axis]:
    """The windows along each spatial axis. Padding of any axis drops last windows beyond x and near padding in all."""
    axes = []
    for size, k, s, p in zip(spatial, kernel, stride, pad):
        out = pooled_size(size, k, s, p, ceil)
        if any(pad) and (out - 1) * s >= size + p:
            out -= 1
        axes.append(Axis(size, out, k, s, 1, p))
    return axes
