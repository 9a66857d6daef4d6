"""Digits: the 1,797 handwritten digits of 8 x 8 that scikit-learn ships; small enough for examples.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blobnet.optional import require_library

COUNTS = {"train": 1437, "test": 360}
DOWNLOADS: dict = {}
SEED = 0  # of the split


def complete(folder: Path) -> bool:
    """True: nothing needs to be in `folder`."""
    return True


def read(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a split; the values 0 to 16 are stretched to 0 to 255."""
    sklearn = require_library("sklearn.datasets", "data set 'digits'", "comes with scikit-learn", "scikit-learn")
    digits = sklearn.load_digits()
    order = np.random.RandomState(SEED).permutation(len(digits.images))  # RandomState: its streams never change
    order = order[:COUNTS["train"]] if split == "train" else order[COUNTS["train"]:]
    images = np.rint(digits.images[order] * (255 / 16)).astype(np.uint8)
    return images[:, np.newaxis], digits.target[order]
