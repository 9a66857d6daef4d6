"""Forward is the formula of the page where windows are odd; the rows of the contract have the usual ones."""

import numpy as np
import pytest
from layer_rows import FILLERS, row

from blobnet.check.forward import check_forward
from blobnet.core.context import TEST

ROWS = {
    "a kernel beyond the padded end": ("Convolution", (2, 3, 2, 5), "num_output: 2 kernel_size: 3 stride: 2"),
    "channels on axis 2": ("Convolution", (2, 3, 4, 5), "num_output: 6 kernel_size: 2 axis: 2 group: 2", "a b"),
    "a size for each axis": ("Convolution", (1, 2, 7, 6), "num_output: 2 kernel_h: 3 kernel_w: 2 stride_h: 2 "
                             "stride_w: 1 pad_h: 1 pad_w: 2 dilation: 2 dilation: 1 bias_term: false"),
    "one channel a group": ("Convolution", (2, 4, 5, 5), "num_output: 8 kernel_size: 3 pad: 1 group: 4"),
    "three tops": ("Deconvolution", (2, 4, 3), "num_output: 2 kernel_size: 4 stride: 3 pad: 1 group: 2", "a b c"),
    "transpose, axis 2": ("Deconvolution", (2, 3, 4, 5), "num_output: 6 kernel_size: 2 axis: 2 dilation: 2"),
    "transpose without space": ("Deconvolution", (2, 4), "num_output: 6 group: 2"),
    "columns beyond the end": ("Im2col", (2, 3, 2, 5), "kernel_size: 3 stride: 2"),
    "rounded down": ("Pooling", (2, 3, 6, 7), "kernel_size: 3 stride: 2 round_mode: FLOOR", "y lies"),
    "maxima beyond x": ("Pooling", (1, 2, 5, 6), "kernel_size: 1 stride: 3", "y lies"),
    "averages beyond x": ("Pooling", (1, 2, 5, 6), "pool: AVE kernel_size: 1 stride: 3"),
    "averages of padding": ("Pooling", (1, 2, 5, 6), "pool: AVE kernel_size: 4 stride: 3 pad: 3"),
    "a mask in 3-D": ("Pooling", (2, 1, 4, 3, 5), "kernel_size: 2 stride: 2", "y lies"),
    "stochastic windows of zeros": ("Pooling", (1, 1, 4, 4), "pool: STOCHASTIC kernel_size: 2 stride: 2"),
}


@pytest.mark.parametrize(("kind", "shape", "options", "tops"), [(*found, "y")[:4] for found in ROWS.values()], ids=ROWS)
def test_forward_is_the_formula(kind, shape, options, tops):
    field = "pooling_param" if kind == "Pooling" else "convolution_param"
    options = f"{field} {{ {options} {FILLERS if 'num_output' in options else ''} }}"
    rng = np.random.default_rng(0)
    values = [np.tril(rng.uniform(size=shape)) for _ in (tops.split() if kind.endswith("onvolution") else "x")]
    result = check_forward(row(kind, values, options, tops, phase=TEST).build())
    assert result.passed, result.note
    assert result.error is not None
