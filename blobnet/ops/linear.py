"""Matrix products, their rows split over the worker threads."""

from __future__ import annotations

from blobnet.backend import array_module, parallel, twin

LEAST = 1 << 22  # multiply-adds below which another thread costs more than it brings


@twin
def matmul(a, b, out) -> None:
    """out (M, N) = a (M, K) . b (K, N)"""
    xp = array_module(a)
    least = max(1, LEAST // max(1, a.shape[1] * b.shape[1]))
    parallel(lambda start, stop: xp.matmul(a[start:stop], b, out=out[start:stop]), a.shape[0], least)


@matmul.cuda
def _matmul_cuda(a, b, out) -> None:
    array_module(a).matmul(a, b, out=out)
