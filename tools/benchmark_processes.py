#!/usr/bin/env python3
"""Time training iterations in several processes beside one: what computing takes, and what the exchange takes.

    mpiexec -n 2 python tools/benchmark_processes.py [--nets lenet dsh alexnet] [--runs 15]

The global batch is the same for all. Process 0 first trains alone, then all together, a thread each. Prints the CPU
time of a process for an iteration, that of the exchange in it, and the efficiency: the time alone, divided by the
number of processes times the time together. The processes meet before each exchange, so that nobody's exchange has the
waiting for others in it; machines with fewer cores than processes make it look longer than it is.
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


def times(name: str, processes: Processes, runs: int) -> tuple[float, float]:
    """The median CPU seconds of computing an iteration, and of the exchange in it."""
    _, data, label = PUBLISHED[name]
    rows = data[0] // processes.size
    net = definition(name, blobnet.TRAIN, {"data": (rows, *data[1:]), "label": (rows, *label[1:])})
    solver = blobnet.get_solver(new("SolverParameter", net_param=net, base_lr=1e-6, lr_policy="fixed", momentum=0.9,
                                    weight_decay=0.004, snapshot_after_train=False, random_seed=1),
                                device="cpu", processes=processes)
    average, exchanges = solver.together.average, []

    def timed(net: blobnet.Net) -> None:
        processes.agree()
        begin = time.process_time()
        average(net)
        exchanges.append(time.process_time() - begin)

    solver.together.average = timed
    computing = []
    for _ in range(runs + 1):
        begin = time.process_time()
        solver.net.clear_param_diffs()
        solver.net.forward()
        solver.net.backward()
        spent = time.process_time() - begin
        timed(solver.net)
        begin = time.process_time()
        solver.apply_update()
        computing.append(spent + time.process_time() - begin)
    return statistics.median(computing[1:]), statistics.median(exchanges[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", nargs="+", default=["lenet", "dsh", "alexnet"], choices=sorted(PUBLISHED))
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    together = blobnet.processes()
    for name in args.nets:
        alone = times(name, ALONE, args.runs)[0] if together.rank == 0 else 0.0
        together.agree()
        computing, exchange = times(name, together, args.runs)
        if together.rank == 0:
            each = computing + exchange
            print(f"{name:8} global batch {PUBLISHED[name][1][0]:3}: alone {1000 * alone:7.1f} ms, {together.size} "
                  f"processes {1000 * computing:7.1f} ms and {1000 * exchange:5.1f} ms of exchange, "
                  f"efficiency {alone / (together.size * each):.2f}", flush=True)


if __name__ == "__main__":
    main()
