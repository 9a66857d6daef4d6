"""Exact search among real values, and of real values among binary codes."""

from __future__ import annotations

import numpy as np

from blobnet.errors import DataError
from blobnet.hashing.codes import Codes, unpack
from blobnet.hashing.index import Index, require_alike, require_bits

_TILE = 1 << 12      # items compared at once
_RESOLUTION = 1e-13  # squared distances below that part of the squared norms are rounding


class RealIndex(Index):
    """Distances between the values of queries and of the base: computed in float64, kept in float32.

    The rounding lets equal items tie, whichever way the sums were taken.
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

    def part(self, start: int, stop: int) -> np.ndarray:
        """The values of the items, (n, K) float64."""
        return real_values(self.where, "base", self.codes)[start:stop].astype(np.float64)

    def compare(self, asked: np.ndarray, part: np.ndarray, out: np.ndarray) -> None:
        """Write the distances (b, n), one tile of items after the other."""
        for start in range(0, len(part), _TILE):
            items = part[start:start + _TILE]
            out[:, start:start + _TILE] = self.distances(asked, items, asked @ items.T)

    def distances(self, asked: np.ndarray, items: np.ndarray, products: np.ndarray) -> np.ndarray:
        """The distances of b queries and n items, (b, n), from their inner products, which may be overwritten."""
        raise NotImplementedError


class InnerProductIndex(RealIndex):
    """The distance is minus the inner product."""

    metric = "inner-product"

    def distances(self, asked, items, products):
        """-<q, x>."""
        return np.negative(products, out=products)


class CosineIndex(RealIndex):
    """The distance is 1 - cosine, 0 … 2; the cosine with a vector of zeros is 0."""

    metric = "cosine"

    def asked(self, queries, first, last):
        """The queries, at length 1."""
        return unit_rows(super().asked(queries, first, last))

    def part(self, start, stop):
        """The items, at length 1."""
        return unit_rows(super().part(start, stop))

    def distances(self, asked, items, products):
        """1 - <q, x>."""
        return np.subtract(1, products, out=products)


class EuclideanIndex(RealIndex):
    """The distance is the length of the difference."""

    metric = "l2"

    def distances(self, asked, items, products):
        """||q - x||, 0 where rounding is all there is."""
        norms = np.einsum("bk,bk->b", asked, asked)[:, None] + np.einsum("nk,nk->n", items, items)
        products *= -2
        products += norms
        products[products < _RESOLUTION * norms] = 0
        return np.sqrt(products, out=products)


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
        return padded.reshape(len(values), width, 8) @ signs.T

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
    lengths = np.sqrt(np.einsum("nk,nk->n", rows, rows))
    rows /= np.where(lengths > 0, lengths, 1)[:, None]
    return rows


def real_values(where: str, what: str, codes: Codes) -> np.ndarray:
    """The real values of the codes; DataError if there are only bits."""
    if codes.values is None:
        raise DataError(where, f"the {what} have no real values", hint="encode them, or use metric 'hamming'")
    return codes.values
