#!/usr/bin/env python3
"""Time forward and backward of whole nets beside PyTorch, which runs the same definitions in both its layouts.

Each net runs in a process of its own, the three in turns of some passes, so that all see the same machine; the best of
all turns is shown, and the ratio of blobnet to PyTorch's default layout and to the better of its two. The peak memory
of each is that of a process that runs it alone twice. LSTM and batch 1 have rows of their own. --profile sets every
layer beside the time that its multiply-adds alone would take as one large matrix product.

    python tools/benchmark_nets.py [NET …] [--threads 2] [--rounds 7] [--profile]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import time

from _benchmark_nets import ROOT, definition, peak

TIMED = ("lenet", "dsh", "dnnh48", "alexnet", "squeezenet", "resnet50", "mobilenet", "vgg16")
ONE = ("lenet", "resnet50", "mobilenet")  # also run with one image, forward alone
PEERS = ("blobnet", "torch", "channels_last")
TURN = 0.3    # seconds at least that a peer runs before the next one does
PAUSE = 0.05  # seconds after which the threads of the one before do not wait for work any more, which takes a core
LSTM = """
layer { name: "in" type: "Input" top: "data" top: "cont" input_param { shape { dim: 20 dim: 32 dim: 256 }
        shape { dim: 20 dim: 32 } } }
layer { name: "lstm" type: "LSTM" bottom: "data" bottom: "cont" top: "h"
        recurrent_param { num_output: 256 weight_filler { type: "uniform" min: -0.05 max: 0.05 } } }
layer { name: "loss" type: "Reduction" bottom: "h" top: "loss" loss_weight: 1 }
"""


def build(name: str, rows: int | None = None):
    """The net of that name, with values in its inputs; `rows` takes the place of its batch."""
    import numpy as np

    import blobnet
    from blobnet.core.without_data import without_data
    from blobnet.proto.text import parse

    rng = np.random.default_rng(1)
    if name == "lstm":
        net = blobnet.Net(parse("force_backward: true" + LSTM, "NetParameter"), blobnet.TRAIN, random_seed=1)
        net.blobs["cont"].data[1:] = 1
    elif rows is None:
        net = blobnet.Net(definition(name, blobnet.TRAIN, {}), blobnet.TRAIN, random_seed=1)
    else:
        given = definition(name, blobnet.TEST, {})
        shapes = {top: (rows, *shape.dim[1:]) for layer in given.layer if layer.type == "Input"
                  for top, shape in zip(layer.top, layer.input_param.shape)}
        net = blobnet.Net(without_data(given, shapes), blobnet.TEST, random_seed=1)
    for layer in net.layers:
        if layer.keeps_statistics:
            layer.blobs[1].data[...] = layer.blobs[2].data[...] = 1
        elif layer.blobs and not layer.blobs[0].data.any():  # no filler: numbers as of a net that is trained
            weight = layer.blobs[0].data
            weight[...] = rng.normal(0, (2 / weight[0].size) ** 0.5, weight.shape)
    data = net.blobs["data"].data
    data[...] = rng.standard_normal(data.shape, "float32")
    return net


def runners(name: str, threads: int, one: bool, only: str | None = None) -> dict:
    """A function for each peer that runs forward and backward once; with `one`, forward alone for one image."""
    net = build(name, 1 if one else None)

    def blobnet_pass() -> None:
        net.forward()
        if not one:
            net.clear_param_diffs()
            net.backward()

    found = {"blobnet": blobnet_pass}
    if only == "blobnet":
        return found
    try:
        import torch
    except ImportError:
        return found
    torch.set_num_threads(threads)
    for peer in [only] if only else PEERS[1:]:
        found[peer] = _torch_pass(torch, net, name, one, peer == "channels_last")
    return found


def _torch_pass(torch, net, name: str, one: bool, channels_last: bool):
    data = torch.from_numpy(net.blobs["data"].data.copy())
    if name == "lstm":
        layer = torch.nn.LSTM(256, 256)
        return lambda: layer(data)[0].sum().backward()
    from _torch_net import TorchNet

    model = TorchNet(net)
    model.train(not one)
    label = torch.from_numpy(net.blobs["label"].data).long() if "label" in net.blobs else None
    if channels_last and data.ndim == 4:
        model = model.to(memory_format=torch.channels_last)
        data = data.contiguous(memory_format=torch.channels_last)

    def run() -> None:
        if one:
            with torch.inference_mode():
                model(data, label)
            return
        model.zero_grad()
        model(data, label).backward()

    return run


def measure(name: str, threads: int, rounds: int, one: bool) -> dict[str, list[float]]:
    """Milliseconds of the best pass of every turn, by peer."""
    found = runners(name, threads, one)
    times: dict[str, list[float]] = {peer: [] for peer in found}
    for _ in range(rounds):
        for peer, run in found.items():
            time.sleep(PAUSE)
            passes = [_seconds(run), _seconds(run)]
            while sum(passes) < TURN:
                passes.append(_seconds(run))
            times[peer].append(1e3 * min(passes[1:]))  # the first warms up
    return times


def _seconds(call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def peak_of(name: str, threads: int, peer: str) -> float:
    """MB that this process took at most, after two passes of one peer."""
    run = runners(name, threads, False, peer)[peer]
    run()
    run()
    return peak()


def profile(name: str, rounds: int) -> str:
    """Every layer's times beside those of a matrix product with as many multiply-adds, and the shares of the types."""
    from blobnet.core.profile import Profile

    net, watch = build(name), Profile()
    net.forward()
    net.backward()
    with net.watched_by(watch):
        for _ in range(rounds):
            net.forward()
            net.backward()
    kinds: dict[str, float] = {}
    for layer, kind in watch.kinds.items():
        kinds[kind] = kinds.get(kind, 0) + watch.forward[layer].ms + watch.backward[layer].ms
    total = sum(kinds.values())
    shares = "\n".join(f"{kind:32} {ms:8.1f} ms  {ms / total:5.1%}" for kind, ms in
                       sorted(kinds.items(), key=lambda pair: -pair[1]))
    return f"{watch}\n\n{shares}"


def child(*words: str, threads: int):
    """What this program prints with these words in a process of its own."""
    env = {**os.environ, "BLOBNET_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads),
           "OPENBLAS_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tools")])}
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr}")
    return done.stdout


def row(name: str, threads: int, rounds: int, one: bool) -> list[float]:
    """Print a net's row; the ratios to PyTorch and to its best."""
    times = json.loads(child("--child", "times", name, *["--one"] * one, "--rounds", str(rounds),
                             "--threads", str(threads), threads=threads))
    best = {peer: min(values) for peer, values in times.items()}
    ratios = [best["blobnet"] / best["torch"], best["blobnet"] / min(best["torch"], best["channels_last"])] \
        if "torch" in best else []
    spread = max(sorted(values)[len(values) // 2] / min(values) for values in times.values())
    memory = [] if one else [float(child("--child", "peak", name, "--peer", peer, "--threads", str(threads),
                                         threads=threads)) for peer in list(best)[:2]]
    milliseconds = "".join(f"{best.get(peer, math.nan):10.2f}" for peer in PEERS)
    print(f"{name + (' (1)' if one else ''):16}{threads:2}{milliseconds}"
          + "".join(f"{ratio:8.2f}" for ratio in ratios) + f"   spread {spread:.2f}   "
          + " / ".join(f"{size:.0f}" for size in memory) + " MB" * bool(memory), flush=True)
    return ratios


def versions() -> str:
    """Processor, kernels of BLAS, versions."""
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    blas = ", ".join(f"{pool.get('internal_api')} {pool.get('architecture', '')}" for pool in threadpool_info())
    try:
        import torch
        beside = f"PyTorch {torch.__version__}"
    except ImportError:
        beside = "no PyTorch"
    return f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__} ({blas}), {beside}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", metavar="NET", nargs="*", help=f"of {', '.join([*TIMED, 'lstm'])}")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profile", action="store_true", help="the layers, beside products of their size")
    parser.add_argument("--child", choices=("times", "peak", "profile"), help=argparse.SUPPRESS)
    parser.add_argument("--one", action="store_true", help="with one image, forward alone")
    parser.add_argument("--peer", choices=PEERS, default="blobnet", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child == "times":
        print(json.dumps(measure(args.nets[0], args.threads, args.rounds, args.one)))
    elif args.child == "peak":
        print(peak_of(args.nets[0], args.threads, args.peer))
    elif args.child == "profile":
        print(profile(args.nets[0], args.rounds))
    elif args.profile:
        for name in args.nets or TIMED:
            print(f"{name}, {args.threads} threads, ms\n\n" + child("--child", "profile", name, "--rounds",
                                                                    str(args.rounds), threads=args.threads))
    else:
        report(args)


def report(args: argparse.Namespace) -> None:
    """The whole table."""
    print(versions())
    heads = "".join(f"{peer:>10}" for peer in ("blobnet", "PyTorch", "ch. last"))
    print(f"{'ms, best':16}th{heads}      to  to best")
    ratios = [row(name, args.threads, args.rounds, args.one) for name in args.nets or TIMED]
    if ratios[0] and not args.nets:
        means = [math.exp(sum(map(math.log, column)) / len(column)) for column in zip(*ratios)]
        print(f"{'geometric mean':48}" + "".join(f"{mean:8.2f}" for mean in means))
    if not args.nets:
        row("lstm", args.threads, args.rounds, False)
        for name in ONE:
            row(name, args.threads, 3 * args.rounds, True)


if __name__ == "__main__":
    main()
