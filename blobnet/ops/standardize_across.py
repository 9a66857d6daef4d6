"""Standardising by the statistics of the arrays (N, C, S) of all processes, which have one shape in each."""

from __future__ import annotations

from blobnet.backend import Array, Processes, array_module
from blobnet.ops.linear import channel_sums
from blobnet.ops.standardize import Eps, Tail, standardize, standardize_backward


def standardize_across(processes: Processes, x: Array, eps: Eps, mean: Array, variance: Array, deviation: Array,
                       out: Array, tail: Tail) -> None:
    """As `standardize`, with mean, variance and deviation (C) of the x of all; a tail of several has y alone."""
    if processes.size == 1:
        return standardize(x, eps, mean, variance, deviation, out, tail)
    mean[...] = _means(processes, channel_sums(x), x)
    array_module(x).subtract(x, mean[:, None], out=out)
    variance[...] = _means(processes, channel_sums(out, out), x)
    deviation[...] = eps.deviation(variance)
    out /= deviation[:, None]
    tail.y[...] = out


def standardize_across_backward(processes: Processes, out: Array, out_diff: Array, deviation: Array,
                                x_diff: Array) -> None:
    """As `standardize_backward`, with the means over all processes; x_diff may be out_diff."""
    if processes.size == 1:
        return standardize_backward(out, out_diff, deviation, x_diff)
    slope = _means(processes, channel_sums(out_diff, out), out)
    shift = _means(processes, channel_sums(out_diff), out)
    array_module(out).subtract(out_diff, shift[:, None], out=x_diff)
    x_diff -= out * slope[:, None]
    x_diff /= deviation[:, None]


def _means(processes: Processes, sums: Array, x: Array) -> Array:
    """Means (C) over all processes of what adds up to `sums` in this one."""
    processes.add(sums)
    sums /= x.shape[0] * x.shape[2] * processes.size
    return sums
