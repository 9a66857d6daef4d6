"""A quick trial: numbers that everybody can work out, and the gradients of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from blobnet.check.doctor.findings import Finding, Mark
from blobnet.check.gradient import check_layer
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.proto.text import parse

SIZE = 96  # of the product: more than a block of the kernels of BLAS
SUMS = [45, 54, 81, 90]  # of the four windows of 3x3 in 0…15, four in a row
LAYER = '''layer { name: "conv" type: "Convolution" bottom: "x" top: "y"
                   convolution_param { num_output: 1 kernel_size: 3 weight_filler { type: "constant" value: 1 } } }'''


def product() -> str:
    """A product of BLAS, of whole numbers: (i + k) times (k - j), summed over k."""
    i = np.arange(SIZE)[:, None]
    j = i.T
    once, squares = SIZE * (SIZE - 1) // 2, SIZE * (SIZE - 1) * (2 * SIZE - 1) // 6
    for dtype in (np.float32, np.float64):
        found = np.matmul((i + j).astype(dtype), (i - j).astype(dtype))
        wrong = int((found != i * once - i * j * SIZE + squares - j * once).sum())
        if wrong:
            raise ArithmeticError(f"{wrong} of {found.size} numbers are wrong in {np.dtype(dtype).name}")
    return f"{SIZE}x{SIZE} sums in float32 and float64 are exact"


def convolution() -> str:
    """A net of one layer, from prototxt to its sums."""
    net = Net(parse('layer { name: "x" type: "Input" top: "x" input_param { shape { dim: [1, 1, 4, 4] } } }' + LAYER,
                    "NetParameter"), TEST)
    net.blobs["x"].data[...] = np.arange(16).reshape(1, 1, 4, 4)
    net.forward()
    found = net.blobs["y"].data.ravel().tolist()
    if found != SUMS:
        raise ArithmeticError(f"expected {SUMS}, got {found}")
    return f"the sums of 3x3 numbers are {', '.join(map(str, SUMS))}"


def gradients() -> str:
    """The gradients of the layer against central differences."""
    results = check_layer(LAYER, np.random.default_rng(1).normal(size=(2, 1, 4, 4)))
    wrong = [result for result in results if not result.passed]
    if wrong or not results:
        raise ArithmeticError(f"wrong: {', '.join(f'{result.blob} ({result.note})' for result in wrong)}")
    worst = max(result.worst_relative_error for result in results)
    return f"{sum(result.checked for result in results)} numbers agree with differences to {worst:.0e}"


TRIALS: tuple[Callable[[], str], ...] = (product, convolution, gradients)


def try_out() -> Iterator[Finding]:
    """A finding for each trial."""
    for trial in TRIALS:
        try:
            yield Finding("trial", trial.__name__, trial())
        except Exception as error:  # whatever a broken library raises
            yield Finding("trial", trial.__name__, f"{type(error).__name__}: {' '.join(str(error).split())}",
                          Mark.BROKEN, "install blobnet and NumPy anew: pip install --force-reinstall blobnet numpy")
