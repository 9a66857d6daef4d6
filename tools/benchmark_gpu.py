#!/usr/bin/env python3
"""What a machine with a GPU tells of blobnet, in nine minutes at most: right numbers first, then speed beside PyTorch.

    python tools/benchmark_gpu.py [STEP …] [--out FOLDER]

Steps, in the order of their worth: tests (those marked gpu: golden figures, twins, layers, solvers), train (DSH on both
devices from one seed, twice on the GPU), speed (training iterations, beside PyTorch with cuDNN, TF32 off and on),
convolutions (of the sizes of the nets), ceilings (of the device and of a call). Each runs in a process of its own with
a limit, so that none takes the others down. PyTorch and CuPy must be installed; --small tries the steps on the stand-in
for CuPy and PyTorch's CPU, whose times mean nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time
from functools import partial

from _benchmark_nets import ROOT, definition

LIMITS = {"tests": 180, "train": 60, "speed": 180, "convolutions": 60, "ceilings": 60}  # seconds
WHOLE = 540
BATCHES = {"lenet": 64, "dsh": 200, "dnnh48": 48, "alexnet": 128, "squeezenet": 32, "mobilenet": 32, "resnet50": 32,
           "vgg16": 32}
CONVOLUTIONS = [(200, 3, 32, 32, 5, 1, 2), (200, 32, 16, 32, 5, 1, 2), (32, 64, 56, 64, 3, 1, 1),
                (32, 64, 56, 256, 1, 1, 0), (32, 256, 14, 256, 3, 1, 1), (32, 512, 7, 512, 3, 1, 1),
                (32, 3, 224, 64, 7, 2, 3)]  # N, C, H = W, K, R = S, stride, pad
STEPS = 10  # that are timed together, as they end in a wait
SMALL = bool(os.environ.get("BLOBNET_SMALL"))
PEER = "cpu" if SMALL else "cuda"


def say(step: str, **values) -> None:
    """Print a row and append it to the file of the step."""
    line = json.dumps(values)
    print(line, flush=True)
    with open(pathlib.Path(os.environ["BLOBNET_OUT"], f"{step}.jsonl"), "a") as file:
        file.write(line + "\n")


def timed(call, wait, least: float = 0.3) -> float:
    """The median of the milliseconds of `call` and of waiting for it."""
    for _ in range(4):  # warms up: kernels are compiled, a graph is captured
        call()
    wait()
    found: list[float] = []
    until = time.perf_counter() + (0.01 if SMALL else least)
    while len(found) < 3 or time.perf_counter() < until:
        begin = time.perf_counter()
        call()
        wait()
        found.append(1e3 * (time.perf_counter() - begin))
    return round(sorted(found)[len(found) // 2], 3)


def solver_of(name: str, device: str, **options):
    """An SGD solver of the net with random data."""
    import numpy as np

    import blobnet
    from blobnet.proto.messages import new

    batch = 2 if SMALL else BATCHES[name]
    given = definition(name, blobnet.TRAIN, {})
    shapes = {top: (batch, *shape.dim[1:]) for layer in given.layer if layer.type == "Input"
              for top, shape in zip(layer.top, layer.input_param.shape)}
    settings = new("SolverParameter", net_param=definition(name, blobnet.TRAIN, shapes), momentum=0.9,
                   base_lr=1e-3 if name in ("dsh", "lenet") else 1e-6, weight_decay=4e-3, lr_policy="fixed",
                   random_seed=1, snapshot_after_train=False)
    solver, rng = blobnet.get_solver(settings, device=device, **options), np.random.default_rng(0)
    for blob, shape in shapes.items():
        values = rng.integers(0, 10, shape) if blob == "label" else rng.uniform(-1, 1, shape)
        solver.net.blobs[blob].data[...] = solver.net.xp.asarray(values.astype("float32"))
    return solver


def synchronize() -> None:
    """Wait for the GPU."""
    import cupy

    cupy.cuda.get_current_stream().synchronize()
    cupy.cuda.Device().synchronize()


def tests() -> None:
    """The tests marked gpu."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", "--tb=line",
                           "-o", "filterwarnings=", "tests"], cwd=ROOT, capture_output=True, text=True)
    pathlib.Path(os.environ["BLOBNET_OUT"], "tests.txt").write_text(done.stdout + done.stderr)
    say("tests", code=done.returncode, last=done.stdout.strip().splitlines()[-15:])


def train() -> None:
    """Losses and parameters after some iterations of DSH, on the CPU and twice on the GPU."""
    import numpy as np

    found = {}
    for run, device in (("cpu", "cpu"), ("gpu", "gpu"), ("gpu again", "gpu")):
        solver, losses = solver_of("dsh", device), []
        for _ in range(3 if SMALL else 60):
            solver.step(1)
            losses.append(float(solver.loss))
        parameters = [parameter.blob.data for parameter in solver.net.parameters]
        found[run] = losses, [np.asarray(values if device == "cpu" else values.get()) for values in parameters]
    (cpu, _), (gpu, first), (_, second) = found.values()
    say("train", cpu=cpu[::10], gpu=gpu[::10], worst=max(abs(a - b) / abs(a) for a, b in zip(cpu, gpu)),
        two_runs_equal=all(map(np.array_equal, first, second)))


def torch_iteration(name: str, tf32: bool):
    """A training iteration of the same net in PyTorch."""
    import torch
    from _torch_net import TorchNet

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    net = solver_of(name, "cpu").net
    net.forward()
    model = TorchNet(net).to(PEER)
    data = torch.from_numpy(net.blobs["data"].data.copy()).to(PEER)
    label = torch.from_numpy(net.blobs["label"].data).long().to(PEER) if "label" in net.blobs else None
    optimizer = torch.optim.SGD(model.parameters(), 1e-6, 0.9, weight_decay=4e-3)

    def iteration() -> None:
        optimizer.zero_grad(set_to_none=True)
        model(data, label).backward()
        optimizer.step()
    return iteration


def speed() -> None:
    """Iterations of every net: blobnet's as they are, without a graph, with TF32; PyTorch's without and with TF32."""
    import cupy
    import torch

    wait = torch.cuda.synchronize if PEER == "cuda" else (lambda: None)
    pool = cupy.get_default_memory_pool()
    for name in list(BATCHES)[:2] if SMALL else BATCHES:
        row = {"net": name, "batch": BATCHES[name]}
        for mode, options in (("blobnet", {}), ("no graph", {"graph": False}), ("tf32", {"allow_tf32": True})):
            solver = solver_of(name, "gpu", **options)
            row[mode] = round(timed(partial(solver.step, STEPS), synchronize) / STEPS, 3)
            if mode == "no graph":
                parts = solver.net.forward, solver.net.backward, solver.apply_update
                row["forward, backward, update"] = [timed(part, synchronize, 0.1) for part in parts]
                row["GiB"] = round(pool.total_bytes() / 2 ** 30, 2)
            del solver
            pool.free_all_blocks()
        for mode in (False, True):
            row[f"torch{' tf32' * mode}"] = timed(torch_iteration(name, mode), wait)
        say("speed", **row, ratio=round(row["blobnet"] / row["torch"], 2),
            ratio_tf32=round(row["tf32"] / row["torch tf32"], 2))


def convolutions() -> None:
    """Forward and both gradients of single convolutions, beside PyTorch's."""
    import cupy
    import torch
    from torch.nn.functional import conv2d

    from blobnet.ops.convolution import Convolution

    wait = torch.cuda.synchronize if PEER == "cuda" else (lambda: None)
    for n, c, size, k, r, stride, pad in CONVOLUTIONS[:2] if SMALL else CONVOLUTIONS:
        plan = Convolution(cupy, "float32", (n, c, size, size), k, (r, r), (stride, stride), (pad, pad), (1, 1))
        x, weight = cupy.ones((n, c, size, size), "f"), cupy.ones((k, c, r, r), "f")
        y, dx, dweight = cupy.ones((n, k, *plan.out_shape), "f"), cupy.empty_like(x), cupy.zeros_like(weight)
        row = {"convolution": (n, c, size, k, r, stride),
               "forward": timed(partial(plan.forward, x, weight, None, y), synchronize, 0.1),
               "both": timed(partial(plan.backward, x, y, weight, dweight, dx), synchronize, 0.1)}
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False
        a, b = (torch.ones(array.shape, device=PEER, requires_grad=True) for array in (x, weight))
        out = conv2d(a, b, None, stride, pad)
        ones = torch.ones_like(out)
        row["torch forward"] = timed(partial(conv2d, a, b, None, stride, pad), wait, 0.1)
        row["torch both"] = timed(partial(out.backward, ones, retain_graph=True), wait, 0.1)
        say("convolutions", **row)


def ceilings() -> None:
    """What the device copies and multiplies, and what a call costs the host."""
    import cupy

    count, side = (1 << 16, 64) if SMALL else (1 << 29, 8192)
    a, b = cupy.ones(count, "f"), cupy.empty(count, "f")
    say("ceilings", copy_TB_s=round(2e-9 * a.nbytes / timed(lambda: cupy.copyto(b, a), synchronize), 3))
    x, y = cupy.ones((side, side), "f"), cupy.ones((side, side), "f")
    product = cupy.empty((side, side), "f")
    say("ceilings", product_TFLOP_s=round(2e-9 * side ** 3 / timed(lambda: cupy.matmul(x, y, out=product), synchronize),
                                          1))
    from blobnet.ops.elementwise import relu_backward

    small = cupy.ones((8, 8), "f")
    for name, call in {"add": lambda: cupy.add(small, small, out=small), "matmul": lambda: cupy.matmul(small, small),
                       "kernel": lambda: relu_backward(small, small, 0.0, small)}.items():
        call()
        synchronize()
        begin = time.perf_counter()
        for _ in range(1000):
            call()
        say("ceilings", call=name, host_us=round(1e3 * (time.perf_counter() - begin), 2))
        synchronize()


def main() -> None:
    """Run the steps, and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(LIMITS)}")
    parser.add_argument("--out", default="gpu_measured", help="folder for the rows and logs (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="try it without a GPU")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        if SMALL:
            sys.path.insert(0, str(ROOT / "tests/gpu"))
            import fakecupy

            fakecupy.install()
        globals()[args.steps[0]]()
        return
    os.makedirs(args.out, exist_ok=True)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tools"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "BLOBNET_OUT": args.out, "PYTHONPATH": paths, "BLOBNET_SMALL": "1" * args.small}
    begin = time.time()
    for step in args.steps or LIMITS:
        start, left = time.time(), WHOLE - (time.time() - begin)
        try:
            done = subprocess.run([sys.executable, __file__, "--one", step], env=environment, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=min(LIMITS[step], left))
            code, text = done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            code, text = "out of time", (error.stdout or b"").decode()
        print(f"== {step}: {code}, {time.time() - start:.0f} s\n{text[-6000:]}", flush=True)


if __name__ == "__main__":
    main()
