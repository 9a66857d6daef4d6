"""Tables of the substrings of codes: which items have which value there."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.hashing.packing import to_words

LONGEST = 20  # bits of a substring: a table has a place for each of its values


class Table(NamedTuple):
    """The items by one substring of their codes: those of the value v are items[starts[v]:starts[v + 1]]."""

    first: int          # bit of the code
    length: int         # bits, L
    mask: np.ndarray    # (W,) words, ones where the substring is
    starts: np.ndarray  # (2^L + 1,) int32 or int64
    items: np.ndarray   # (N,) int32 or int64
    words: np.ndarray   # (W, N) the codes of these items: so those of a bucket lie together


def make_table(codes: Codes, words: np.ndarray, first: int, stop: int) -> Table:
    """The table of the bits first … stop - 1 of codes, which are also given as words (W, N)."""
    length, values = stop - first, substrings(codes.packed, first, stop - first)
    small = np.int32 if len(values) < 1 << 31 else np.int64
    starts = np.zeros((1 << length) + 1, small)
    np.cumsum(np.bincount(values, minlength=1 << length), out=starts[1:])
    ones = np.zeros((1, codes.bits), np.uint8)
    ones[:, first:stop] = 1
    mask = to_words(np.packbits(ones, axis=1, bitorder="little"))[:, 0]
    items = np.argsort(values, kind="stable")
    return Table(first, length, mask, starts, items.astype(small), words.take(items, axis=1))


def substrings(packed: np.ndarray, first: int, length: int) -> np.ndarray:
    """The bits first … first + length - 1, at most 32 - 7, of packed codes (N, B) as numbers (N,) int64.

    >>> substrings(np.array([[0b10110000, 0b101]], np.uint8), 4, 6).tolist() == [0b011011]
    True
    """
    values = np.zeros(len(packed), np.int64)
    for place, column in enumerate(range(first // 8, -(-(first + length) // 8))):
        values |= packed[:, column].astype(np.int64) << 8 * place
    return values >> first % 8 & (1 << length) - 1


@functools.cache
def ring_of(length: int, ones: int) -> np.ndarray:
    """All numbers of `length` bits, `ones` of which are 1, int64; read-only, as it is kept.

    >>> sorted(ring_of(3, 2).tolist())
    [3, 5, 6]
    """
    if ones in (0, length):
        numbers = np.array([(1 << ones) - 1])
    else:
        numbers = np.concatenate([ring_of(length - 1, ones), ring_of(length - 1, ones - 1) | 1 << length - 1])
    numbers.flags.writeable = False
    return numbers
