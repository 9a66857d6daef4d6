#!/usr/bin/env python3
"""Measure how much memory nets take: what `blobnet.core.memory` counts, and the peak of a process of their own.

A process is measured after it built the net (phase TRAIN), after a forward, and after two forwards and backwards; its
peak is that of the whole process, with Python and the libraries. MB are 2^20 bytes. NET is a prototxt, or one of
squeezenet, mobilenet and pose, which are written from their papers; without NET all of these and the published
nets run. --against measures another checkout too, and shows how many times as much this one takes.

    python tools/benchmark_memory.py [NET [--shape data=1,3,224,224]] [--against OTHER_TREE]
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys

from _benchmark_nets import NETS, PUBLISHED, ROOT, definition, peak

COUNTS = ("parameters", "parameter_diffs", "data", "diffs", "workspace", "layers")
PEAKS = ("built", "forward", "backward")


def measure(source: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, float | None]:
    """Run the net here, and return MB by name: COUNTS, if this blobnet counts them, and PEAKS."""
    import numpy as np

    import blobnet
    from blobnet.core.without_data import without_data
    from blobnet.netdef.load import load

    given = (without_data(load(source, blobnet.TRAIN), shapes) if source.endswith(".prototxt")
             else definition(source, blobnet.TRAIN, shapes))
    net, found = blobnet.Net(given, blobnet.TRAIN, random_seed=1), {}
    if "data" in net.blobs:
        data = net.blobs["data"].data
        data[...] = np.random.default_rng(1).standard_normal(data.shape, "float32")
    found["built"] = peak()
    net.forward()
    found["forward"] = peak()
    for _ in range(2):
        net.clear_param_diffs()
        net.forward()
        net.backward()
    found["backward"] = peak()
    try:
        from blobnet.core.memory import memory
    except ImportError:
        return {**dict.fromkeys(COUNTS), **found}
    counts = vars(memory(net)).items()
    return {**{name: (sum(size.values()) if name == "layers" else size) / 2**20 for name, size in counts}, **found}


def measure_apart(tree: pathlib.Path, source: str, shapes: list[str]) -> dict[str, float | None]:
    """What `measure` finds in a process of its own, with the blobnet of `tree`."""
    words = [word for shape in shapes for word in ("--shape", shape)]
    done = subprocess.run([sys.executable, __file__, "--child", source, *words], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(tree)})
    if done.returncode:
        sys.exit(f"{source}: {done.stderr}")
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", metavar="NET", nargs="*")
    parser.add_argument("--shape", action="append", default=[], metavar="TOP=N,C,H,W", help="of a top without data")
    parser.add_argument("--against", type=pathlib.Path, metavar="TREE", help="another checkout, to compare with")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        shapes = {name: tuple(map(int, sizes.split(","))) for name, _, sizes in
                  (shape.partition("=") for shape in args.shape)}
        print(json.dumps(measure(args.nets[0], shapes)))
        return
    print(f"{'MB':12}" + "".join(f"{name:>16}" for name in (*COUNTS, *PEAKS)))
    for net in args.nets or [*PUBLISHED, *NETS]:
        own = measure_apart(ROOT, net, args.shape)
        print(f"{pathlib.Path(net).stem:12}" + _cells(own), flush=True)
        if args.against:
            other = measure_apart(args.against.resolve(), net, args.shape)
            print(f"{'  against':12}" + _cells(other))
            print(f"{'  ratio':12}" + "".join(f"{'' if other[name] is None else f'{own[name] / other[name]:.2f}':>16}"
                                              for name in (*COUNTS, *PEAKS)), flush=True)


def _cells(found: dict[str, float | None]) -> str:
    return "".join(f"{'' if found[name] is None else f'{found[name]:.1f}':>16}" for name in (*COUNTS, *PEAKS))


if __name__ == "__main__":
    main()
