#!/usr/bin/env python3
"""Count what a GPU does in one training iteration of published nets, on the stand-in for CuPy: no GPU is needed.

Operations are kernels, matrix products, copies and memsets. The host starts them one by one, but for those in a CUDA
graph, which it starts at once. Waits are the times that the host waits for the device; MiB is the most that arrays took
at one time, without a graph, whose operations share memory likewise.

    python tools/count_device_operations.py [NET …] [--kernels] [--waits]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from _benchmark_nets import ROOT, definition

sys.path.insert(0, str(ROOT / "tests/gpu"))
import fakecupy  # noqa: E402

NETS = ("lenet", "dsh", "alexnet", "vgg16", "resnet50", "mobilenet")
OPERATIONS = "kernels", "gemms", "DtoD", "memset"


def solver(name: str):
    """An SGD solver of the net, on the stand-in, that has made two iterations, not as a graph yet."""
    import numpy as np

    import blobnet
    from blobnet.proto.messages import new

    settings = new("SolverParameter", net_param=definition(name, blobnet.TRAIN, {}), base_lr=1e-6, momentum=0.9,
                   weight_decay=4e-3, lr_policy="fixed", random_seed=1, snapshot_after_train=False)
    made = blobnet.get_solver(settings, device="gpu")
    rng = np.random.default_rng(1)
    data = made.net.blobs["data"].data
    data[...] = made.net.xp.asarray(rng.standard_normal(data.shape, "float32"))
    made.step(2)
    return made


def iteration(made) -> tuple[Counter, Counter]:
    """The counts of one more iteration within a training, whose end waits, and the places of its waits."""
    found = []
    for steps in (1, 2):
        fakecupy.reset()
        made.step(steps)
        found.append((fakecupy.counts.copy(), fakecupy.sites.copy()))
    (counts, sites), (more, further) = found
    counts, sites = more - counts, further - sites
    counts["operations"] = sum(counts.get(kind, 0) for kind in OPERATIONS)
    counts["starts"] = counts["operations"] - counts["replayed"] + counts["graph launches"]
    return counts, sites


def main() -> None:
    """Print a row for each net."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=NETS, metavar="NET")
    parser.add_argument("--kernels", action="store_true", help="say how often each of blobnet's kernels ran")
    parser.add_argument("--waits", action="store_true", help="say where the host waited")
    options = parser.parse_args()
    fakecupy.install()
    fakecupy.kernels.fenced = False  # which takes time
    print("| net | starts | operations | kernels | products | copies | memsets | waits | MiB |\n" + "|---" * 9 + "|")
    for name in options.nets:
        devices = fakecupy.devices
        before, devices.peak[0] = devices.taken[0], devices.taken[0]
        made = solver(name)
        most = round((devices.peak[0] - before) / 2 ** 20)
        made.step(1)  # is captured
        counts, sites = iteration(made)
        shown = [*(counts.get(kind, 0) for kind in ("starts", "operations", *OPERATIONS, "waits")), most]
        print("|", name, "|", " | ".join(f"{count:,}" for count in shown), "|", flush=True)
        for kernel, count in sorted(counts.items()) if options.kernels else ():
            if kernel.startswith("kernel "):
                print(f"    {kernel[7:]}: {count}")
        for place, count in sites.items() if options.waits else ():
            print(f"    {count} at {place}")


if __name__ == "__main__":
    main()
