#!/usr/bin/env python3
"""Time the search of made-up codes for the nearest of each query: blobnet's flat index and its multi-index hashing,
beside FAISS's flat binary index and its multi-hash where FAISS is there.

Prints milliseconds, the smallest of several runs in turns, and in brackets the time as a part of the flat index's
(below 1: faster). All must find the same; the multi-hash is exact for a radius alone. The time to make the multi-index
stands apart.

    python tools/benchmark_search.py [--base 1000000] [--queries 100] [--bits 48 64 128] [--top 1000] [--radius R …]
                                     [--codes uniform clusters classes] [--runs 5] [--cpu]

uniform: every bit is a coin; clusters: a centre for each 100 codes, from which 5 % of the bits differ; classes: ten
centres, from which 10 % differ. --cpu counts the time of the processor in one thread, which other work on the machine
hardly changes.
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


def own_search(index: HammingIndex, queries: Codes, limits: dict) -> Search:
    def search(threads: int) -> object:
        os.environ["BLOBNET_NUM_THREADS"] = str(threads)
        return index.search(queries, **limits)
    return search


def faiss_indexes(base: Codes) -> list:
    """FAISS's own indexes, flat and by tables; none without FAISS."""
    try:
        import faiss
    except ImportError:
        return []
    bits = 8 * base.packed.shape[1]
    count = -(-bits // 20)
    indexes = [faiss.IndexBinaryFlat(bits), faiss.IndexBinaryMultiHash(bits, count, bits // count)]
    for index in indexes:
        index.add(base.packed)
    return indexes


def faiss_search(index: object, queries: Codes, limits: dict) -> Search | None:
    """None where it is not exact."""
    import faiss

    tables = getattr(index, "nhash", 0)
    if tables and "top" in limits:
        return None

    def search(threads: int) -> object:
        faiss.omp_set_num_threads(threads)
        if "top" in limits:
            return index.search(queries.packed, limits["top"])
        if tables:
            index.nflip = limits["radius"] // tables  # bits that differ in one of the substrings, at most
        return index.range_search(queries.packed, limits["radius"] + 1)
    return search


def milliseconds(functions: list[Callable[[], object]], runs: int, clock: Callable[[], float]) -> list[float]:
    """The best time of each function; they run in turns."""
    best = [np.inf] * len(functions)
    for _ in range(runs):
        for i, function in enumerate(functions):
            start = clock()
            function()
            best[i] = min(best[i], (clock() - start) * 1e3)
    return best


def require_same(searches: list[Search | None], base: Codes, queries: Codes, limits: dict) -> None:
    """All find the same items; that FAISS's flat index does is asked in the order of blobnet's results."""
    expected = searches[0](1)
    others = [searches[1](1)]
    if len(searches) > 2:
        others.append(build_index(base, engine="faiss").search(queries, **limits))
    assert all(np.array_equal(a, b) for other in others for a, b in zip(other, expected)), "different results"
    if len(searches) > 3 and searches[3] is not None:
        offsets, _, items = searches[3](1)
        assert np.array_equal(offsets, expected.offsets), "different results"
        rows = np.repeat(np.arange(len(queries)), np.diff(expected.offsets))
        one, other = (found[np.lexsort((found, rows))] for found in (items, expected.indices))
        assert np.array_equal(one, other), "different results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--top", type=int, nargs="*")
    parser.add_argument("--radius", type=int, nargs="*", default=[])
    parser.add_argument("--bits", type=int, nargs="+", default=[48, 64, 128])
    parser.add_argument("--codes", choices=KINDS, nargs="+", default=["uniform"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cpu", action="store_true")
    args = parser.parse_args()
    clock, threads = (time.process_time, [1]) if args.cpu else (time.perf_counter, sorted({1, num_threads()}))
    tops = args.top if args.top is not None else [] if args.radius else [1000]
    searches = [{"top": top} for top in tops] + [{"radius": radius} for radius in args.radius]
    print(f"{args.queries} queries in {args.base:,} codes; milliseconds" + " of the processor" * args.cpu)
    print(f"{'codes':9}{'bits':>4}{'made in':>9}{'limit':>11}{'threads':>8}", *(f"{name:>18}" for name in ENGINES))
    for kind, bits in ((kind, bits) for kind in args.codes for bits in args.bits):
        base, queries = (make_codes(kind, count, args.base, bits, seed)
                         for seed, count in enumerate((args.base, args.queries), 1))
        flat, start = HammingIndex(base), clock()
        multi, made = MultiIndex(base), clock() - start
        peers = faiss_indexes(base)
        for limits in searches:
            engines = [own_search(index, queries, limits) for index in (flat, multi)]
            engines += [faiss_search(index, queries, limits) for index in peers]
            require_same(engines, base, queries, limits)
            there = [engine for engine in engines if engine is not None]
            for count in threads:
                runs = [lambda run=run: run(count) for run in there]  # noqa: B023
                times = iter(milliseconds(runs, args.runs, clock))
                cells = [None if engine is None else next(times) for engine in engines]
                name, limit = next(iter(limits.items()))
                print(f"{kind:9}{bits:4}{made:7.2f} s{name:>7}{limit:4}{count:8}", *(
                    f"{'-':>18}" if cell is None else f"{cell:9.1f} ({cell / cells[0]:6.3f})" for cell in cells),
                    flush=True)


if __name__ == "__main__":
    main()
