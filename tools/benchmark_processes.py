#!/usr/bin/env python3
"""Time training iterations in several processes beside one: what computing takes, and what the exchange takes.

    mpiexec -n 2 python tools/benchmark_processes.py [--nets lenet dsh alexnet] [--batch 64] [--runs 15]

Process 0 trains alone and all train together, by turns and a thread each: once with the same batch in every process, as
batch_size has it, once with the batch shared out among them. Prints the CPU time of a process for an iteration, that
of the exchange in it, and the efficiency: the images in a second of CPU time, beside those of the process alone. The
processes meet before each exchange, so that nobody's exchange has the waiting for others in it; machines with fewer
cores than processes make it look longer than it is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ["BLOBNET_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from _benchmark_nets import PUBLISHED, definition  # noqa: E402

import blobnet  # noqa: E402
from blobnet.backend import ALONE, Processes  # noqa: E402
from blobnet.proto.messages import new  # noqa: E402


class Run:
    """A net that `processes` train together, `rows` images each."""

    def __init__(self, name: str, processes: Processes, rows: int):
        _, data, label = PUBLISHED[name]
        net = definition(name, blobnet.TRAIN, {"data": (rows, *data[1:]), "label": (rows, *label[1:])})
        self.solver = blobnet.get_solver(new("SolverParameter", net_param=net, base_lr=1e-6, lr_policy="fixed",
                                             momentum=0.9, weight_decay=0.004, snapshot_after_train=False,
                                             random_seed=1), device="cpu", processes=processes)
        self.processes, self.rows, self.computing, self.exchange = processes, rows, [], []

    def step(self) -> None:
        """An iteration, and the CPU seconds that it takes."""
        self.processes.agree()
        begin = time.process_time()
        self.solver.net.clear_param_diffs()
        self.solver.net.forward()
        self.solver.net.backward()
        computed = time.process_time()
        self.processes.agree()
        met = time.process_time()
        self.solver.together.average(self.solver.net)
        averaged = time.process_time()
        self.solver.apply_update()
        self.computing.append(computed - begin + time.process_time() - averaged)
        self.exchange.append(averaged - met)

    def medians(self) -> tuple[float, float]:
        """CPU seconds of computing an iteration, and of the exchange in it; the first is not counted."""
        return statistics.median(self.computing[1:]), statistics.median(self.exchange[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", nargs="+", default=["lenet", "dsh", "alexnet"], choices=sorted(PUBLISHED))
    parser.add_argument("--batch", type=int, help="images of an iteration, default: as published for each net")
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    together = blobnet.processes()
    for name in args.nets:
        batch = args.batch or PUBLISHED[name][1][0]
        alone, *runs = Run(name, ALONE, batch), Run(name, together, batch), Run(name, together, batch // together.size)
        for _ in range(args.runs + 1):
            if together.rank == 0:
                alone.step()
            for run in runs:
                run.step()
        if together.rank == 0:
            before = alone.medians()[0]
            print(f"{name:8} {batch:4} images, alone: {1000 * before:7.1f} ms", flush=True)
            for run in runs:
                computing, exchange = run.medians()
                print(f"{'':8} {run.rows:4} in each of {together.size}: {1000 * computing:7.1f} ms and "
                      f"{1000 * exchange:5.1f} ms of exchange, efficiency "
                      f"{run.rows / (computing + exchange) * before / batch:.2f}", flush=True)


if __name__ == "__main__":
    main()
