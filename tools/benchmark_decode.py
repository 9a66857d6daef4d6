#!/usr/bin/env python3
"""Time the reading of compressed images: ImageData's batches from files, Data's from an LMDB, with all threads and one.

The images are made up, JPEG files of about 0.3 bytes a pixel. Each batch is read, decoded, resized (ImageData),
cropped, mirrored and lessened by a mean. Prints images a second, the best of several runs, in turns, and the ratio.

    python tools/benchmark_decode.py [--images 256] [--size 256] [--batch 64] [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from blobnet.backend import num_threads
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.batches.images import ImageBatches
from blobnet.data.images.encode import encode_image
from blobnet.data.images.resize import resize
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import image_record
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.proto.messages import new

CROP = 7 / 8  # of the side


def make_images(folder: Path, count: int, size: int) -> list[str]:
    """Files of smooth colours with some noise."""
    rng, paths = np.random.default_rng(1), []
    for i in range(count):
        smooth = resize(rng.integers(0, 256, (3, size // 8, size // 8), dtype=np.uint8), size, size)
        noisy = smooth.astype(int) + rng.integers(-4, 5, (3, size, size))
        paths.append(str(folder / f"{i:05d}.jpg"))
        Path(paths[-1]).write_bytes(encode_image(noisy.clip(0, 255).astype(np.uint8), "jpg"))
    return paths


def make_database(path: Path, paths: list[str]) -> None:
    with LmdbWriter(path) as writer:
        for i, file in enumerate(paths):
            writer.put(b"%08d" % i, image_record(file, 0, True, None, "jpg")[0].SerializeToString())


@contextmanager
def threads(count: int) -> Iterator[None]:
    """While the block runs, blobnet reads with `count` threads."""
    former = os.environ.get("BLOBNET_NUM_THREADS")
    os.environ["BLOBNET_NUM_THREADS"] = str(count)
    try:
        yield
    finally:
        if former is None:
            del os.environ["BLOBNET_NUM_THREADS"]
        else:
            os.environ["BLOBNET_NUM_THREADS"] = former


def seconds(batches: Callable, numbers: range) -> float:
    reuse, start = None, time.perf_counter()
    for n in numbers:
        reuse = batches(n, reuse)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    many, side = num_threads(), int(args.size * CROP)
    options = new("TransformationParameter", crop_size=side, mirror=True, mean_value=[104, 117, 123])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_images(folder, args.images, args.size * 5 // 4)
        make_database(folder / "lmdb", paths)
        kinds = {
            "ImageData": ImageBatches(paths, np.zeros(len(paths), int), Transformer(options, True), args.batch,
                                      image_size=(args.size, args.size)),
            "Data": DatumBatches(open_database(folder / "lmdb", "LMDB"), Transformer(options, True), args.batch),
        }
        numbers = range(max(1, args.images // args.batch))
        print(f"{args.images} images of {args.size * 5 // 4} x {args.size * 5 // 4}, batches of {args.batch}; "
              "images a second")
        print(f"{'':10}{f'{many} threads':>12}{'1 thread':>12}{'ratio':>8}")
        for kind, batches in kinds.items():
            best = {}
            for _ in range(args.runs):
                for count in (many, 1):
                    with threads(count):
                        best[count] = min(best.get(count, np.inf), seconds(batches, numbers))
            speeds = [len(numbers) * args.batch / best[count] for count in (many, 1)]
            print(f"{kind:10}{speeds[0]:12.0f}{speeds[1]:12.0f}{speeds[0] / speeds[1]:8.2f}", flush=True)


if __name__ == "__main__":
    main()
