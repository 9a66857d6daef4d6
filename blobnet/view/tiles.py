"""An array of any shape as one sheet: its images, or the matrix that it is, side by side; what is too much is cut."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from blobnet.backend import Array, to_host

WIDTH, HEIGHT = 320, 240  # of a sheet, in numbers
SIDES = (160, 64)         # of an image that stands alone or with a few others, and of one among many
FEW, GAP = 4, 1


class Sheet(NamedTuple):
    """values (h, w) or, in colour, (h, w, 3), float64; gaps (h, w): where no number is; order: of the images, and
    left_out: what is not shown, in words, or ""."""

    values: np.ndarray
    gaps: np.ndarray
    order: str
    left_out: str


def is_coloured(shape: tuple[int, ...]) -> bool:
    """Whether an array (N, 3, H, W) can be seen in colour: images, or the filters of a first convolution."""
    return len(shape) == 4 and shape[1] == 3 and min(shape[2:]) > 1


def sheet(array: Array, most: int, coloured: bool = False) -> Sheet:
    """The sheet of an `array` with two axes at least that are longer than 1, with at most `most` numbers.

    The last two axes are images. Those of one other axis fill rows; of several, the first goes down and the others to
    the right, or the other way round where the first is the longer one. `coloured`: (N, 3, H, W) becomes N images in
    colour. A matrix that is high lies down. Of large images every second (third, …) row and column is taken; of too
    many of them, and of the rows and columns of a matrix, the first ones. Only what is shown leaves the device.
    """
    if coloured:
        *leading, height, width, deep = (array := array.transpose(0, 2, 3, 1)).shape
    else:
        array = array if min(array.shape[-2:]) > 1 else array.squeeze()
        if array.ndim == 2:
            return _matrix(array, most)
        *leading, height, width, deep = *array.shape, 1
    leading = [size for size in leading if size > 1]
    count = math.prod(leading)
    step = max(-(-max(height, width) // SIDES[count * deep > FEW]), math.ceil(math.sqrt(height * width * deep / most)))
    images = array.reshape(count, height, width, deep)[:, ::step, ::step]
    grid, order = _grid(leading, images.shape[1:], most)
    said = [f"1 in {step} rows and columns of {height}x{width}"] * (step > 1)
    shown = sum(map(len, grid))
    said += [f"{shown:,} of {count:,} images"] * (shown < count)
    return _joined(images, grid, order, ", ".join(said))


def _matrix(array: Array, most: int) -> Sheet:
    order = ""
    if len(array) > 2 * array.shape[1]:
        array, order = array.T, "first axis right, others down"
    height, width = array.shape
    columns = min(width, WIDTH, most)
    rows = min(height, HEIGHT, max(most // columns, 1))
    cut = rows < height or columns < width
    values = to_host(array[:rows, :columns]).astype(np.float64)
    return Sheet(values, np.zeros(values.shape, bool), order,
                 f"the first {rows}x{columns} of {height}x{width}" if cut else "")


def _grid(leading: list[int], image: tuple[int, ...], most: int) -> tuple[list[list[int]], str]:
    """The numbers of the images that a sheet shows, row by row, and their order in words."""
    height, width, deep = image
    fit = max(most // (height * width * deep), 1)
    across, down = max(WIDTH // (width + GAP), 1), max(HEIGHT // (height + GAP), 1)
    if len(leading) < 2:
        count = min(math.prod(leading), fit)
        columns = min(count, across, max(round(math.sqrt(2 * count * height / width)), 1))  # twice as broad as high
        rows = min(-(-count // columns), down)
        return [list(range(row * columns, min((row + 1) * columns, count))) for row in range(rows)], ""
    numbers = np.arange(math.prod(leading)).reshape(leading[0], -1)
    order = "first axis down, others right"
    if len(numbers) > numbers.shape[1]:
        numbers, order = numbers.T, "first axis right, others down"
    columns = min(numbers.shape[1], across, fit)
    return numbers[:min(down, fit // columns), :columns].tolist(), order


def _joined(images: Array, grid: list[list[int]], order: str, left_out: str) -> Sheet:
    height, width, deep = images.shape[1:]
    rows, columns = len(grid), len(grid[0])
    values = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, deep))
    gaps = np.ones(values.shape[:2], bool)
    for row, numbers in enumerate(grid):
        for column, number in enumerate(numbers):
            place = (slice(row * (height + GAP), row * (height + GAP) + height),
                     slice(column * (width + GAP), column * (width + GAP) + width))
            values[place], gaps[place] = to_host(images[number]), False
    return Sheet(values if deep == 3 else values[:, :, 0], gaps, order, left_out)
