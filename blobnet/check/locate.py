"""Where a gradient is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from blobnet.check.differences import Slope, Slopes

TRIED = 16  # elements tried one by one where a direction is wrong: so many of the steepest, and as many suspects


def say_where(slopes: Slopes, i: int, index: tuple[int, ...], slope: Slope, names: Sequence[str]) -> str:
    """Which element is wrong, without an index if there is one only, and the two numbers that differ there."""
    element = names[i] + (f"[{', '.join(map(str, index))}]" if index else "")
    return " ".join(filter(None, [element and f"at {element}", f"backward has {slopes.gradients[i][index]:.6g},",
                                  f"the differences {slope.numeric / slopes.scales[i]:.6g}"]))


def suspects(slopes: Slopes, misses: Sequence[float], directions: Iterable[list[np.ndarray]]) -> set[tuple[int, int]]:
    """Elements that may be wrong, as (variable, flat index): the steepest, and those that explain the misses best.

    misses: by how much backward misses the slope along each direction. If a single element is wrong, they are
    proportional to that element's part in the directions.
    """
    alike, squared = ([np.zeros(value.shape) for value in slopes.start] for _ in range(2))
    for miss, direction in zip(misses, directions, strict=True):
        for together, squares, part in zip(alike, squared, direction, strict=True):
            together += miss * part
            squares += part ** 2
    alike = [abs(together) / np.sqrt(np.maximum(squares, np.finfo(float).tiny))
             for together, squares in zip(alike, squared, strict=True)]
    found = set()
    for ranks in (alike, [abs(slope) for slope in slopes.steep]):
        largest = [(float(rank.flat[j]), i, int(j)) for i, rank in enumerate(ranks)
                   for j in np.argsort(rank, axis=None)[-TRIED:]]
        found |= {(i, j) for _, i, j in sorted(largest)[-TRIED:]}
    return found


def worst_element(slopes: Slopes, suspects: set[tuple[int, int]], tolerance: float, names: Sequence[str]) -> str:
    """The place of the worst of some elements; a few words if none of them is wrong."""
    floor, worst, place = slopes.element_floor, tolerance, f"none of {len(suspects)} elements tried is wrong by itself"
    for i, flat in sorted(suspects):
        index = tuple(map(int, np.unravel_index(flat, slopes.start[i].shape)))
        slope = slopes.element(i, index)
        if slope.error(floor) > worst and not slope.may_be_kink:
            worst, place = slope.error(floor), f"the worst element found: {say_where(slopes, i, index, slope, names)}"
    return place
