"""Bits packed into bytes: bit k of a code is bit k % 8, least significant first, of byte k // 8; the rest are zero."""

from __future__ import annotations

import math

import numpy as np

from blobnet.errors import DataError, ShapeError


def pack(bits: np.ndarray) -> np.ndarray:
    """(N, K) zeros and ones (or booleans) as (N, ceil(K / 8)) uint8; ShapeError or DataError for anything else.

    >>> pack(np.array([[1, 0, 1, 0, 0, 0, 0, 0, 1]])).tolist()
    [[5, 1]]
    """
    bits = np.asarray(bits)
    if bits.ndim != 2 or bits.shape[1] == 0:
        raise ShapeError("pack", expected="bits (N, K) with K >= 1", got=f"shape {bits.shape}")
    if bits.dtype != bool and not np.isin(bits, (0, 1)).all():
        raise DataError("pack", expected="only 0 and 1", got=f"values from {bits.min()} to {bits.max()}",
                        hint="binarize(values) packs signs and real values")
    return np.packbits(bits.astype(bool), axis=1, bitorder="little")


def unpack(packed: np.ndarray, bits: int) -> np.ndarray:
    """The (N, bits) zeros and ones, uint8, that `pack` put into (N, ceil(bits / 8)) bytes; else ShapeError.

    >>> unpack(np.array([[5, 1]], np.uint8), 9).tolist()
    [[1, 0, 1, 0, 0, 0, 0, 0, 1]]
    """
    packed = np.asarray(packed)
    if bits < 1 or packed.ndim != 2 or packed.shape[1] != -(-bits // 8):
        raise ShapeError("unpack", expected=f"packed (N, {-(-bits // 8)}) for {bits} bits", got=f"shape {packed.shape}")
    return np.unpackbits(packed, axis=1, count=bits, bitorder="little")


def binarize(values: np.ndarray, threshold: float = 0.0) -> np.ndarray:
    """Packed codes of real values (N, K): a bit is 1 where value >= threshold, else 0.

    With the threshold 0 these are the sign codes of DSH and its kin. A value of exactly 0 (or -0) gives 1, where
    the sign function of MATLAB and NumPy would give a third value, 0, half a bit away from both. DataError unless all
    are finite.

    >>> binarize(np.array([[-0.5, 0.0, 2.0]])).tolist()
    [[6]]
    """
    if not math.isfinite(threshold):
        raise DataError("binarize", expected="a number as threshold", got=threshold)
    return pack(require_numbers(values, "binarize") >= threshold)


def one_hot(values: np.ndarray, block_size: int) -> np.ndarray:
    """Packed codes of real values (N, M B) with a single 1 in each of M blocks of B bits, where its largest value is.

    Of equal values the first has the 1. ShapeError unless the blocks divide the values; DataError unless all are
    finite.

    >>> one_hot(np.array([[0.1, 0.9, 0.5, 0.5]]), 2).tolist()
    [[6]]
    """
    values = require_numbers(values, "one_hot")
    if values.ndim != 2 or block_size < 2 or values.shape[1] % block_size:
        raise ShapeError("one_hot", expected=f"values (N, M * B) in blocks of B = {block_size}, B >= 2",
                         got=f"shape {values.shape}")
    largest = values.reshape(len(values), values.shape[1] // block_size, block_size).argmax(axis=2)
    return pack((largest[:, :, None] == np.arange(block_size)).reshape(values.shape))


def require_numbers(values: np.ndarray, where: str) -> np.ndarray:
    """`values` as an array; DataError unless these are finite real numbers."""
    values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        raise DataError(where, expected="real numbers", got=values.dtype)
    finite = np.isfinite(values)
    if not finite.all():
        raise DataError(where, "NaN or infinity among the values", expected="finite numbers",
                        got=f"{(~finite).sum()} that are not", hint="check the weights of the net that made them")
    return values


def to_words(packed: np.ndarray) -> np.ndarray:
    """Packed rows (N, B) as zero-padded words (W, N): one of 1, 2 or 4 bytes if B fits in it, else of 8 bytes."""
    count, width = packed.shape
    size = next((size for size in (1, 2, 4) if width <= size), 8)
    padded = np.zeros((count, -(-width // size) * size), np.uint8)
    padded[:, :width] = packed
    return np.ascontiguousarray(padded.view(f"u{size}").T)
