#!/usr/bin/env python3
"""Time the search of random codes for the nearest of each query, beside FAISS's flat binary index where it is there.

Prints milliseconds, the smallest of several runs in turns, and blobnet's time as a part of FAISS's (below 1: blobnet is
faster). Both must find the same. Neither counts the time to make its index.

    python tools/benchmark_search.py [--base 1000000] [--queries 100] [--top 1000] [--bits 48 64 128] [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np

from blobnet.backend import num_threads
from blobnet.hashing import Codes, build_index


def random_codes(count: int, bits: int, seed: int) -> Codes:
    return Codes.from_bits(np.random.default_rng(seed).integers(0, 2, (count, bits), dtype=np.uint8))


def flat_search(base: Codes, queries: Codes, top: int) -> Callable[[int], object] | None:
    """FAISS's own search on so many threads, as the function of their number; None without FAISS."""
    try:
        import faiss
    except ImportError:
        return None
    index = faiss.IndexBinaryFlat(8 * base.packed.shape[1])
    index.add(base.packed)

    def search(threads: int) -> object:
        faiss.omp_set_num_threads(threads)
        return index.search(queries.packed, top)

    ours, theirs = (build_index(base, engine=engine).search(queries, top) for engine in ("blobnet", "faiss"))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs)), "different results"
    return search


def milliseconds(functions: list[Callable[[], object]], runs: int) -> list[float]:
    """The best time of each function; they run in turns."""
    best = [np.inf] * len(functions)
    for _ in range(runs):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            best[i] = min(best[i], (time.perf_counter() - start) * 1e3)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--top", type=int, default=1000)
    parser.add_argument("--bits", type=int, nargs="+", default=[48, 64, 128])
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    counts = sorted({1, num_threads()})
    print(f"{args.queries} queries in {args.base:,} codes, top {args.top}; milliseconds")
    print(f"{'bits':>4}{'threads':>9}{'blobnet':>10}{'FAISS':>10}{'ratio':>8}")
    for bits in args.bits:
        base, queries = random_codes(args.base, bits, 1), random_codes(args.queries, bits, 2)
        index, peer = build_index(base), flat_search(base, queries, args.top)
        for threads in counts:
            os.environ["BLOBNET_NUM_THREADS"] = str(threads)
            functions = [lambda: index.search(queries, args.top)]  # noqa: B023
            if peer is not None:
                functions.append(lambda: peer(threads))  # noqa: B023
            own, *others = milliseconds(functions, args.runs)
            cells = "".join(f"{other:10.1f}{own / other:8.2f}" for other in others) or f"{'-':>10}{'-':>8}"
            print(f"{bits:4}{threads:9}{own:10.1f}{cells}", flush=True)


if __name__ == "__main__":
    main()
