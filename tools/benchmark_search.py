#!/usr/bin/env python3
"""Time the search of made-up codes for the nearest of each query: blobnet's flat index and its multi-index hashing,
beside FAISS's flat binary index and its multi-hash where FAISS is there.

Prints milliseconds, the smallest of several runs in turns, and in brackets the time as a part of the flat index's
(below 1: faster). All must find the same; the multi-hash is exact for a radius alone. None counts the time to make its
index, which is printed for the multi-index.

    python tools/benchmark_search.py [--base 1000000] [--queries 100] [--bits 48 64 128] [--top 1000] [--radius R …]
                                     [--codes uniform clusters classes] [--runs 5]

uniform: every bit is a coin; clusters: a centre for each 100 codes, from which 5 % of the bits differ; classes: ten
centres, from which 10 % differ.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np

from blobnet.backend import num_threads
from blobnet.hashing import Codes, HammingIndex, MultiIndex, build_index

KINDS = ("uniform", "clusters", "classes")
ENGINES = ("flat", "multi-index", "FAISS flat", "FAISS multi-hash")
Search = Callable[[int], object]  # of the number of threads


def make_codes(kind: str, count: int, base: int, bits: int, seed: int) -> Codes:
    rng = np.random.default_rng(seed)
    if kind == "uniform":
        return Codes.from_bits(rng.integers(0, 2, (count, bits), dtype=np.uint8))
    number, flipped = (max(1, base // 100), 0.05) if kind == "clusters" else (10, 0.1)
    centres = np.random.default_rng(7).integers(0, 2, (number, bits), dtype=np.uint8)
    return Codes.from_bits(centres[rng.integers(0, number, count)] ^ (rng.random((count, bits), np.float32) < flipped))


def blobnet_search(index: HammingIndex, queries: Codes, limits: dict) -> Search:
    def search(threads: int) -> object:
        os.environ["BLOBNET_NUM_THREADS"] = str(threads)
        return index.search(queries, **limits)
    return search


def faiss_searches(base: Codes, queries: Codes, limits: dict) -> list[Search | None]:
    """FAISS's own search, flat and by tables; None without FAISS, and by tables for `top`, which is not exact there."""
    try:
        import faiss
    except ImportError:
        return [None, None]
    bits, radius = 8 * base.packed.shape[1], limits.get("radius")
    flat = faiss.IndexBinaryFlat(bits)
    flat.add(base.packed)

    def by(index: object) -> Search:
        def search(threads: int) -> object:
            faiss.omp_set_num_threads(threads)
            return index.search(queries.packed, limits["top"]) if radius is None \
                else index.range_search(queries.packed, radius + 1)
        return search

    if radius is None:
        return [by(flat), None]
    count = -(-bits // 20)
    tables = faiss.IndexBinaryMultiHash(bits, count, bits // count)
    tables.nflip = radius // count  # bits that may differ in one of the substrings, at least
    tables.add(base.packed)
    return [by(flat), by(tables)]


def milliseconds(functions: list[Callable[[], object]], runs: int) -> list[float]:
    """The best time of each function; they run in turns."""
    best = [np.inf] * len(functions)
    for _ in range(runs):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[i] = min(best[i], (time.perf_counter() - start) * 1e3)
    return best


def require_same(base: Codes, queries: Codes, limits: dict, multi: MultiIndex, flat: HammingIndex, peers: list) -> None:
    expected = flat.search(queries, **limits)
    found = [multi.search(queries, **limits)]
    if peers[0] is not None:
        found.append(build_index(base, engine="faiss").search(queries, **limits))
    assert all(np.array_equal(a, b) for other in found for a, b in zip(other, expected)), "different results"
    if peers[1] is not None:
        offsets, _, items = peers[1](1)
        assert np.array_equal(offsets, expected.offsets), "different results"
        order = np.lexsort((items, np.repeat(np.arange(len(queries)), np.diff(offsets).astype(np.int64))))
        same = np.lexsort((expected.indices, np.repeat(np.arange(len(queries)), np.diff(expected.offsets))))
        assert np.array_equal(items[order], expected.indices[same]), "different results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--top", type=int, nargs="*")
    parser.add_argument("--radius", type=int, nargs="*", default=[])
    parser.add_argument("--bits", type=int, nargs="+", default=[48, 64, 128])
    parser.add_argument("--codes", choices=KINDS, nargs="+", default=["uniform"])
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    tops = args.top if args.top is not None else [] if args.radius else [1000]
    searches = [{"top": top} for top in tops] + [{"radius": radius} for radius in args.radius]
    print(f"{args.queries} queries in {args.base:,} codes; milliseconds")
    print(f"{'codes':9}{'bits':>4}{'made in':>9}{'limit':>11}{'threads':>8}", *(f"{name:>18}" for name in ENGINES))
    for kind in args.codes:
        for bits in args.bits:
            base, queries = (make_codes(kind, count, args.base, bits, seed)
                             for seed, count in enumerate((args.base, args.queries), 1))
            flat, start = HammingIndex(base), time.perf_counter()
            multi = MultiIndex(base)
            made = time.perf_counter() - start
            for limits in searches:
                peers = faiss_searches(base, queries, limits)
                require_same(base, queries, limits, multi, flat, peers)
                engines = [blobnet_search(flat, queries, limits), blobnet_search(multi, queries, limits), *peers]
                for threads in sorted({1, num_threads()}):
                    there = [engine for engine in engines if engine is not None]
                    times = iter(milliseconds([lambda run=run: run(threads) for run in there], args.runs))  # noqa: B023
                    cells = [None if engine is None else next(times) for engine in engines]
                    name, limit = next(iter(limits.items()))
                    print(f"{kind:9}{bits:4}{made:7.2f} s{name:>7}{limit:4}{threads:8}", *(
                        f"{'-':>18}" if cell is None else f"{cell:9.1f} ({cell / cells[0]:6.3f})" for cell in cells),
                        flush=True)


if __name__ == "__main__":
    main()
