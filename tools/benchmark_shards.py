#!/usr/bin/env python3
"""Build shards of made-up codes, search in them, and print a table: time, bytes, queries a second, recall, memory.

    python tools/benchmark_shards.py [--items 1000000 10000000] [--bits 48] [--items-per-shard 5000000] [--nlist 2048]
                                     [--nprobe 1 4 16 64] [--queries 200] [--top 100] [--folder DIR]

The codes are made by a seed, in files of a million: a centre for each 100 codes, from which 5 % of the bits differ;
queries are made from the same centres. One thread works. Times are seconds of the processor, which other work on the
machine hardly changes; the first search of each kind is not counted, so the files are in the system's cache. Recall:
the share of the results that are no farther away than the exact result at rank `top`. Memory: the peak of the process
that builds or searches, with the parts of mapped files that it looked at, in MB of 2^20, on Linux; the first row is
that of Python with its libraries. The exact search, with which recall is measured, is blobnet's flat index in memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blobnet.hashing.codes import Codes
from blobnet.hashing.index import HammingIndex
from blobnet.hashing.shards.build import build_shards
from blobnet.hashing.shards.search import ShardedIndex

FILE, CLUSTER, FLIPPED = 1_000_000, 100, 0.05


def make_codes(number: int, count: int, bits: int, seed: int) -> Codes:
    """Codes near the centres of the file `number`; another seed draws others near the same centres."""
    centres = np.random.default_rng((7, number)).integers(0, 2, (FILE // CLUSTER, bits), dtype=np.uint8)
    rng = np.random.default_rng((seed, number))
    parts = []
    for start in range(0, count, 1 << 17):
        chosen = centres[rng.integers(0, len(centres), min(1 << 17, count - start))]
        parts.append(Codes.from_bits(chosen ^ (rng.random(chosen.shape, np.float32) < FLIPPED)).packed)
    return Codes(np.concatenate(parts), bits)


def make_files(folder: Path, count: int, bits: int) -> list[Path]:
    paths = []
    for number, start in enumerate(range(0, count, FILE)):
        paths.append(folder / f"codes{number:04}.npz")
        make_codes(number, min(FILE, count - start), bits, 1).save(paths[-1])
    return paths


def make_queries(count: int, items: int, bits: int) -> Codes:
    numbers = np.random.default_rng(3).integers(0, -(-items // FILE), count).tolist()
    packed = [make_codes(number, 1, bits, 100 + i).packed for i, number in enumerate(numbers)]
    return Codes(np.concatenate(packed), bits)


def build(paths: list[Path], out: Path, items: int, nlist: int) -> int:
    """The bytes of the index files."""
    manifest = build_shards(paths, out, items, nlist)
    return sum(size for shard in manifest.shards for name, (size, _) in shard.files.items() if name.endswith(".faiss"))


def search(folder: Path, queries: Codes, top: int, nprobe: int) -> tuple[np.ndarray, float, float]:
    """Offsets, distances, and seconds a query."""
    index = ShardedIndex(folder)
    found = index.search(queries, top, nprobe=nprobe)
    runs, start = 0, time.process_time()
    while not runs or time.process_time() - start < 1:
        index.search(queries, top, nprobe=nprobe)
        runs += 1
    return found.offsets, found.distances, (time.process_time() - start) / runs / len(queries)


def exact(paths: list[Path], queries: Codes, top: int) -> tuple[np.ndarray, float]:
    """The distances at rank `top`, and seconds a query."""
    index = HammingIndex(Codes(np.concatenate([Codes.load(path).packed for path in paths]), queries.bits))
    start = time.process_time()
    found = index.search(queries, top)
    return found.distances[found.offsets[1:] - 1], (time.process_time() - start) / len(queries)


def nothing() -> None:
    import faiss
    faiss.omp_set_num_threads(1)


def measured(function: Callable, *args) -> tuple:
    """What the function gives in a process of its own, its seconds of the processor, and its peak memory in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (function, *args))


def _measured(function: Callable, *args) -> tuple:
    nothing()
    start = time.process_time()
    result = function(*args)
    status = Path("/proc/self/status").read_text()  # what getrusage says begins with the peak of the parent
    return result, time.process_time() - start, int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--bits", type=int, default=48)
    parser.add_argument("--items-per-shard", type=int, default=5_000_000)
    parser.add_argument("--nlist", type=int, default=2048)
    parser.add_argument("--nprobe", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--top", type=int, default=100)
    parser.add_argument("--folder", help="where the files are made for a while (default: that of the system)")
    args = parser.parse_args()
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", BLOBNET_NUM_THREADS="1")
    print(f"{args.bits} bits, shards of {args.items_per_shard:,}, {args.nlist} lists, top {args.top}\n")
    print("| items | what | seconds | bytes an item | queries/s | recall | MB |\n|---|---|---|---|---|---|---|")
    print(f"| - | Python with its libraries | | | | | {measured(nothing)[2]:,.0f} |", flush=True)
    for items in args.items:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            paths, out = make_files(Path(folder), items, args.bits), Path(folder, "shards")
            size, seconds, peak = measured(build, paths, out, args.items_per_shard, args.nlist)
            print(f"| {items:,} | build | {seconds:.1f} | {size / items:.2f} | | | {peak:,.0f} |", flush=True)
            queries = make_queries(args.queries, items, args.bits)
            (last, each), _, peak = measured(exact, paths, queries, args.top)
            print(f"| {items:,} | exact, in memory | | | {1 / each:,.0f} | 1 | {peak:,.0f} |", flush=True)
            for nprobe in args.nprobe:
                (offsets, distances, each), _, peak = measured(search, out, queries, args.top, nprobe)
                good = distances <= np.repeat(last, np.diff(offsets))
                recall = good.sum() / (args.top * args.queries)
                print(f"| {items:,} | nprobe {nprobe} | | | {1 / each:,.0f} | {recall:.3f} | {peak:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
