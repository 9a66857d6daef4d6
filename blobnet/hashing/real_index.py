"""Exact search among real values, and of real values among binary codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.index import Index, require_alike, require_bits
from blobnet.hashing.packing import unpack

_TILE = 1 << 12   # items compared at once
_PIECE = 1 << 18  # numbers multiplied at once where every pair is a row
_UNIT = 2.0 ** -52
_SPARE = 16       # rounding errors beside those of a sum of K


class Part(NamedTuple):
    """Some items: their values (n, K) float64 and the squares (n,) of their lengths."""

    values: np.ndarray
    squares: np.ndarray


class RealIndex(Index):
    """Distances between the values of queries and of the base: computed in float64, kept in float32.

    The last bits of a matrix product depend on the processor, and on where in it an item lies. So the product only
    tells between which numbers a distance is, and a pair for which these are not one float32 is computed again by sums
    of a fixed order. That makes every distance a function of query and item alone: results, ties among them, are the
    same on every machine and with chunks of any size, and equal items tie.

    Resolution: a float32's, 24 bits of the distance; and cosine distances and inner products of less than K + 16
    units of 2^-48, times both lengths, are 0.
    """

    block = 1 << 20  # enough queries for a matrix product

    @property
    def chunk(self) -> int:
        """Items whose parts are made at once: 128 MiB of them, but no fewer than a tile."""
        return max(_TILE, (1 << 24) // self.codes.bits)

    def asked(self, queries: Codes, first: int, last: int) -> np.ndarray:
        """The values of the queries, (b, K) float64; ShapeError or DataError if they do not fit."""
        require_bits(self.where, queries, self.codes)
        return real_values(self.where, "queries", queries)[first:last].astype(np.float64)

    def part(self, start: int, stop: int) -> Part:
        """The values of the items."""
        values = real_values(self.where, "base", self.codes)[start:stop].astype(np.float64)
        return Part(values, squared_lengths(values))

    def compare(self, asked: np.ndarray, part: Part, out: np.ndarray) -> None:
        """Write the distances (b, n), one tile of items after the other."""
        squares = squared_lengths(asked)
        for start in range(0, len(part.values), _TILE):
            items = Part(*(array[start:start + _TILE] for array in part))
            self.distances(Part(asked, squares), items, _products(asked, items.values), out[:, start:start + _TILE])

    def distances(self, asked: Part, items: Part, products: np.ndarray, out: np.ndarray) -> None:
        """Write the distances of b queries and n items, from their inner products (b, n), which may be overwritten."""
        raise NotImplementedError

    @property
    def rounding(self) -> float:
        """How far off inner products may be, as a part of both lengths: twice the bound for sums in any order."""
        return (self.codes.bits + _SPARE) * _UNIT


class InnerProductIndex(RealIndex):
    """The distance is minus the inner product."""

    metric = "inner-product"

    def distances(self, asked, items, products, out):
        """-<q, x>."""
        lengths, others = np.sqrt(asked.squares), np.sqrt(items.squares)
        products = np.negative(products, out=products)

        def again(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
            found = -_pair_sums(np.multiply, asked.values, items.values, rows, columns)
            return _without_rounding(found, 16 * self.rounding * lengths[rows] * others[columns])

        error = self.rounding * lengths * others.max(initial=0)
        _settle(products, error, again, out)


class CosineIndex(RealIndex):
    """The distance is 1 - cosine, 0 … 2; the cosine with a vector of zeros is 0."""

    metric = "cosine"

    def asked(self, queries, first, last):
        """The queries, at length 1."""
        return unit_rows(super().asked(queries, first, last))

    def part(self, start, stop):
        """The items, at length 1."""
        values = unit_rows(real_values(self.where, "base", self.codes)[start:stop].astype(np.float64))
        return Part(values, np.ones(len(values)))

    def distances(self, asked, items, products, out):
        """1 - <q, x>."""
        def again(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
            found = 1 - _pair_sums(np.multiply, asked.values, items.values, rows, columns)
            return _without_rounding(found, 16 * self.rounding)

        _settle(np.subtract(1, products, out=products), self.rounding, again, out)


class EuclideanIndex(RealIndex):
    """The distance is the length of the difference: the root of its square as a float32."""

    metric = "l2"

    def distances(self, asked, items, products, out):
        """||q - x||, from ||q||^2 + ||x||^2 - 2 <q, x>."""
        largest = items.squares.max(initial=0)
        products *= -2
        products += asked.squares[:, None]
        products += items.squares
        exponent = _exponent(largest + asked.squares.max(initial=0))

        def again(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
            return np.ldexp(_pair_sums(np.subtract, asked.values, items.values, rows, columns), -2 * exponent)

        error = 2 * self.rounding * (asked.squares + largest)
        if exponent:
            products, error = np.ldexp(products, -2 * exponent), np.ldexp(error, -2 * exponent)
        _settle(products, error, again, out)
        np.sqrt(out, out=out)
        if exponent:
            np.ldexp(out, exponent, out=out)


def _products(asked: np.ndarray, items: np.ndarray) -> np.ndarray:
    return asked @ items.T


def _settle(found: np.ndarray, error: np.ndarray | float, again: Callable, out: np.ndarray) -> None:
    """out = `found` (b, n), overwritten, in float32 where `error` (b) is nothing, else again(rows, columns)."""
    error = np.asarray(error)
    if error.min() < error.max() / 1024:  # one number for all is faster, but would cast doubt on many
        error = error[:, None]
    else:
        error = error.max()
    found -= error
    low = found.astype(np.float32)
    found += 2 * error
    out[...] = found
    doubtful = np.flatnonzero(low != out)
    if len(doubtful):
        places = np.divmod(doubtful, out.shape[1])
        out[places] = again(*places)


def _without_rounding(distances: np.ndarray, resolution: np.ndarray | float) -> np.ndarray:
    distances[np.abs(distances) < resolution] = 0
    return distances


def _pair_sums(combine: np.ufunc, queries: np.ndarray, items: np.ndarray, rows: np.ndarray,
               columns: np.ndarray) -> np.ndarray:
    """For pairs of a query and an item: the sum of their products, or with np.subtract of their squared differences."""
    sums = np.empty(len(rows))
    step = max(1, _PIECE // max(1, queries.shape[1]))
    for start in range(0, len(rows), step):
        some = slice(start, start + step)
        terms = combine(queries[rows[some]], items[columns[some]])
        sums[some] = fixed_sums(np.square(terms, out=terms) if combine is np.subtract else terms)
    return sums


def _exponent(square: float) -> int:
    """0, or of numbers whose squares are beyond float32 the power of 2 that brings them near 1."""
    return 0 if 2.0 ** -60 < square < 2.0 ** 100 or not 0 < square < np.inf else int(np.frexp(square)[1]) // 2


def fixed_sums(terms: np.ndarray) -> np.ndarray:
    """(N,) the sums of the rows (N, K), which are overwritten: halves are added until one is left, everywhere alike."""
    while terms.shape[1] > 1:
        half = terms.shape[1] // 2
        if terms.shape[1] % 2:
            terms[:, 0] += terms[:, -1]
        terms = np.add(terms[:, :half], terms[:, half:2 * half], out=terms[:, :half])
    return terms.sum(axis=1)  # of one, or of none


def squared_lengths(rows: np.ndarray) -> np.ndarray:
    """(N,) the squared lengths of the rows (N, K), the same on every machine."""
    found = np.empty(len(rows), rows.dtype)
    step = max(1, _PIECE // max(1, rows.shape[1]))
    for start in range(0, len(rows), step):
        found[start:start + step] = fixed_sums(np.square(rows[start:start + step]))
    return found


class AsymmetricIndex(Index):
    """Real-valued queries among binary codes: the distance is minus the inner product.

    Codes by sign count as +1 and -1, and a query's values count from the threshold on; structured codes as 1 and 0.
    Every query makes a table of what each part of a code adds, a part being a byte or a block, and an item is scored by
    as many look-ups as it has parts.

    Paper for blocks: Jain et al., SuBiC: A Supervised, Structured Binary Code for Image Search, ICCV 2017.
    """

    metric = "asymmetric"
    block = 1 << 19

    def asked(self, queries: Codes, first: int, last: int) -> np.ndarray:
        """The tables (b, parts, entries)."""
        require_alike(self.where, queries, self.codes)
        values = real_values(self.where, "queries", queries)[first:last].astype(np.float64)
        if self.codes.block_size is not None:
            return values.reshape(len(values), self.codes.bits // self.codes.block_size, self.codes.block_size)
        width = self.codes.packed.shape[1]
        padded = np.zeros((len(values), 8 * width))
        padded[:, :self.codes.bits] = values - (queries.threshold or 0)
        signs = unpack(np.arange(256, dtype=np.uint8)[:, None], 8) * 2.0 - 1
        padded, tables = padded.reshape(len(values), width, 8, 1), np.zeros((len(values), width, 256))
        for bit in range(8):  # a matrix product would add in an order of its own
            tables += padded[:, :, bit] * signs[:, bit]
        return tables

    def part(self, start: int, stop: int) -> np.ndarray:
        """The entry of each part of the codes, (parts, n)."""
        packed = self.codes.packed[start:stop]
        if self.codes.block_size is None:
            return np.ascontiguousarray(packed.T)
        blocks = unpack(packed, self.codes.bits).reshape(len(packed), -1, self.codes.block_size)
        return blocks.argmax(axis=2).T.astype(np.min_scalar_type(self.codes.block_size - 1))

    def compare(self, asked: np.ndarray, part: np.ndarray, out: np.ndarray) -> None:
        """Write minus the sums of what the parts of the items look up in the tables of the queries."""
        for start in range(0, out.shape[1], _TILE):
            entries = part[:, start:start + _TILE].astype(np.intp)
            total = np.zeros((len(asked), entries.shape[1]))
            for i, entry in enumerate(entries):
                total -= asked[:, i].take(entry, axis=1)
            out[:, start:start + _TILE] = total


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Divide each of the rows (N, K) by its length, in place; rows of zeros stay. Returns `rows`."""
    lengths = np.sqrt(squared_lengths(rows))
    rows /= np.where(lengths > 0, lengths, 1)[:, None]
    return rows


def real_values(where: str, what: str, codes: Codes) -> np.ndarray:
    """The real values of the codes; DataError if there are only bits."""
    if codes.values is None:
        raise DataError(where, f"the {what} have no real values", hint="encode them, or use metric 'hamming'")
    return codes.values
