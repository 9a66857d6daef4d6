"""Local response normalisation: one kernel each way."""

from __future__ import annotations

from blobnet.backend import Array
from blobnet.ops.cuda.launch import launch
from blobnet.ops.lrn import LocalNorm


def lrn_forward(x: Array, norm: LocalNorm, scale: Array, factor: Array, out: Array) -> None:
    launch("lrn_forward", x.size, x, scale, factor, out, *_window(x, norm), norm.k, norm.alpha, norm.beta, x.size)


def lrn_backward(x: Array, out: Array, scale: Array, factor: Array, out_diff: Array, norm: LocalNorm,
                 x_diff: Array) -> None:
    launch("lrn_backward", x.size, x, out, scale, factor, out_diff, x_diff, *_window(x, norm),
           2 * norm.alpha * norm.beta, x.size)


def _window(x: Array, norm: LocalNorm) -> list[int]:
    """C, H and W of x (N, C, H, W), and how far the window reaches along each of them to either side."""
    return [*x.shape[1:], *(norm.size // 2 if axis in norm.axes else 0 for axis in (1, 2, 3))]
