#!/usr/bin/env python3
"""Time a training iteration of DSH (12 bits, CIFAR-10 shapes, batch 200) beside the same net written in PyTorch.

Both take the same input, run as many threads as blobnet, and do forward, backward and an SGD update with momentum and
weight decay. Prints the median of several runs, in turns, and how many times faster blobnet is.

    python tools/benchmark_training.py [--batch 200] [--runs 15]
"""

from __future__ import annotations

import argparse
import pathlib
import statistics
import time
import warnings

import numpy as np

import blobnet
from blobnet.backend import num_threads
from blobnet.core.without_data import without_data
from blobnet.netdef.load import load
from blobnet.proto.messages import new

NET = pathlib.Path(__file__).resolve().parent.parent / "prototxt/dsh/train_test_12.prototxt"


def blobnet_step(data: np.ndarray, labels: np.ndarray):
    """A function that makes one training iteration."""
    definition = without_data(load(NET, blobnet.TRAIN), {"data": data.shape, "label": labels.shape})
    settings = new("SolverParameter", net_param=definition, base_lr=1e-4, lr_policy="fixed", momentum=0.9,
                   weight_decay=0.004, snapshot_after_train=False, random_seed=1)
    solver = blobnet.get_solver(settings, device="cpu")
    solver.net.blobs["data"].data[...] = data
    solver.net.blobs["label"].data[...] = labels
    return lambda: solver.step(1)


def torch_step(data: np.ndarray, labels: np.ndarray):
    """The same in PyTorch."""
    import torch
    from torch.nn import AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential

    class WithinChannel(Module):
        def __init__(self):
            super().__init__()
            self.pool = AvgPool2d(3, 1, padding=1)

        def forward(self, x):
            return x * (1 + 5e-5 * self.pool(x * x)) ** -0.75

    torch.set_num_threads(num_threads())
    net = Sequential(Conv2d(3, 32, 5, padding=2), MaxPool2d(3, 2, ceil_mode=True), ReLU(), WithinChannel(),
                     Conv2d(32, 32, 5, padding=2), AvgPool2d(3, 2, ceil_mode=True), ReLU(), WithinChannel(),
                     Conv2d(32, 64, 5, padding=2), ReLU(), AvgPool2d(3, 2, ceil_mode=True), Flatten(),
                     Linear(1024, 500), ReLU(), Linear(500, 12))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=0.004)
    x, y = torch.from_numpy(data), torch.from_numpy(labels)
    alike, n = y[:, None] == y[None, :], len(y)

    def step():
        optimizer.zero_grad()
        u = net(x)
        distances = torch.cdist(u, u, compute_mode="donot_use_mm_for_euclid_dist") ** 2
        costs = torch.where(alike, distances, torch.clamp(24 - distances, min=0)).triu(1)
        loss = costs.sum() / (n * (n - 1)) + 0.01 * (u.abs() - 1).abs().sum() / n
        loss.backward()
        optimizer.step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--runs", type=int, default=15)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    data = rng.normal(0, 60, (args.batch, 3, 32, 32)).astype("float32")
    labels = rng.integers(0, 10, args.batch).astype("float32")
    warnings.simplefilter("ignore")
    steps = {"blobnet": blobnet_step(data, labels)}
    try:
        steps["PyTorch"] = torch_step(data, labels)
    except ImportError:
        print("PyTorch is not installed: pip install torch")
    times = {name: [] for name in steps}
    for _ in range(args.runs + 2):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values[2:]) for name, values in times.items()}
    print(f"batch {args.batch}, {num_threads()} threads")
    for name, seconds in medians.items():
        print(f"{name:8} {seconds * 1e3:7.1f} ms an iteration, {args.batch / seconds:6.0f} images/s")
    if len(medians) > 1:
        print(f"blobnet is {medians['PyTorch'] / medians['blobnet']:.2f} times as fast as PyTorch")


if __name__ == "__main__":
    main()
