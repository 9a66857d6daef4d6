"""Matrix products, their longer side split over the worker threads."""

from __future__ import annotations

from blobnet.backend import array_module, cut, parallel, twin

LEAST = 1 << 22  # multiply-adds below which another thread costs more than it brings
SIDE = 64  # rows or columns below which a product is too flat to be fast


@twin
def matmul(a, b, out) -> None:
    """out (M, N) = a (M, K) . b (K, N)"""
    xp = array_module(a)
    by_rows, (rows, columns) = out.shape[0] >= out.shape[1], out.shape
    length, other = (rows, columns) if by_rows else (columns, rows)
    least = max(SIDE, LEAST / max(1, a.shape[1] * other))

    def part(run) -> None:
        for start, stop in run:
            if by_rows:
                xp.matmul(a[start:stop], b, out=out[start:stop])
            else:
                xp.matmul(a, b[:, start:stop], out=out[:, start:stop])

    parallel(part, cut(length, length, least))


@matmul.cuda
def _matmul_cuda(a, b, out) -> None:
    array_module(a).matmul(a, b, out=out)
