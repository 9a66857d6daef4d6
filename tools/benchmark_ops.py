#!/usr/bin/env python3
"""Time the layers of a CIFAR-10 net (DSH's, batch 200) one by one, beside OpenCV and PyTorch where they are installed.

Prints milliseconds of forward and of backward (to data and parameters; conv1: parameters only), the smallest of several
runs, and how many times faster than the peer that is (above 1: blobnet wins). All run as many threads as blobnet.

    python tools/benchmark_ops.py [--batch 200] [--runs 9] [-k conv]
"""

from __future__ import annotations

import argparse
import pathlib
import tempfile
import time

import numpy as np

from blobnet import TRAIN, Net
from blobnet.backend import num_threads, single_threaded_blas
from blobnet.proto.text import parse

MAX_POOL = 'type: "Pooling" pooling_param { pool: MAX kernel_size: 3 stride: 2 }'
AVE_POOL = 'type: "Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 }'
WITHIN = 'type: "LRN" lrn_param { local_size: 3 alpha: 5e-5 beta: 0.75 norm_region: WITHIN_CHANNEL }'
ACROSS = 'type: "LRN" lrn_param { local_size: 5 alpha: 1e-4 beta: 0.75 }'
AVE_TORCH = "AvgPool2d(3, 2, ceil_mode=True)"


def conv(options: str) -> str:
    return f'type: "Convolution" convolution_param {{ {options} weight_filler {{ type: "gaussian" std: 0.01 }} }}'


LAYERS = {  # name: ((C, H), type and options, the same in torch.nn)
    "conv1": ((3, 32), conv("num_output: 32 kernel_size: 5 pad: 2"), "Conv2d(3, 32, 5, padding=2)"),
    "pool1": ((32, 32), MAX_POOL, "MaxPool2d(3, 2, ceil_mode=True)"),
    "relu1": ((32, 16), 'type: "ReLU"', "ReLU()"),
    "norm1": ((32, 16), WITHIN, None),
    "norm1 across": ((32, 16), ACROSS, "LocalResponseNorm(5)"),
    "conv2": ((32, 16), conv("num_output: 32 kernel_size: 5 pad: 2"), "Conv2d(32, 32, 5, padding=2)"),
    "pool2": ((32, 16), AVE_POOL, AVE_TORCH),
    "norm2": ((32, 8), WITHIN, None),
    "conv3": ((32, 8), conv("num_output: 64 kernel_size: 5 pad: 2"), "Conv2d(32, 64, 5, padding=2)"),
    "pool3": ((64, 8), AVE_POOL, AVE_TORCH),
    "1x1 conv": ((64, 16), conv("num_output: 64 kernel_size: 1"), "Conv2d(64, 64, 1)"),
    "3x3 s2 conv": ((64, 16), conv("num_output: 64 kernel_size: 3 stride: 2 pad: 1"), "Conv2d(64, 64, 3, 2, 1)"),
}


def milliseconds(function, runs: int) -> float:
    function()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def prototxt(layer: str, shape) -> str:
    dims = " ".join(f"dim: {size}" for size in shape)
    return f'layer {{ name: "x" type: "Input" top: "x" input_param {{ shape {{ {dims} }} }} }}\n' \
           f'layer {{ name: "l" bottom: "x" top: "y" {layer} }}\n'


def time_blobnet(layer: str, x, needs_data_gradient: bool, runs: int) -> tuple[float, float, Net]:
    definition = parse("force_backward: true\n" + prototxt(layer, x.shape), "NetParameter", origin="benchmark")
    net = Net(definition, TRAIN, random_seed=1)
    net.blobs["x"].data[...] = x
    net.blobs["y"].diff[...] = np.random.default_rng(2).standard_normal(net.blobs["y"].shape)
    body, bottom, top = net.layers[1], [net.blobs["x"]], [net.blobs["y"]]
    with single_threaded_blas(), net.context.workspace.in_use():
        forward = milliseconds(lambda: body.forward(bottom, top), runs)
        backward = milliseconds(lambda: body.backward(top, [needs_data_gradient], bottom), runs)
    return forward, backward, net


def time_opencv(layer: str, x, net: Net, runs: int) -> float | None:
    """Forward of the same prototxt and weights in cv2.dnn; None without it."""
    try:
        import cv2
    except ImportError:
        return None
    cv2.setNumThreads(num_threads())
    try:
        with tempfile.TemporaryDirectory() as folder:
            definition, model = pathlib.Path(folder, "net.prototxt"), pathlib.Path(folder, "net.caffemodel")
            definition.write_text(prototxt(layer, x.shape))
            net.save(model)
            peer = cv2.dnn.readNetFromCaffe(str(definition), str(model))
        peer.setInput(x, "x")
        return milliseconds(peer.forward, runs)
    except cv2.error:
        return None


def time_torch(expression: str | None, x, needs_data_gradient: bool, runs: int) -> tuple[float | None, float | None]:
    try:
        import torch
    except ImportError:
        return None, None
    if expression is None:
        return None, None
    torch.set_num_threads(num_threads())
    module = eval("torch.nn." + expression)
    data = torch.from_numpy(x).requires_grad_(needs_data_gradient)
    forward = milliseconds(lambda: module(data), runs)
    gradient = torch.randn_like(module(data))
    both = milliseconds(lambda: module(data).backward(gradient), runs)
    return forward, both - forward


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("-k", default="", help="only layers whose name contains this")
    args = parser.parse_args()
    print(f"batch {args.batch}, {num_threads()} threads; milliseconds, and blobnet's speed relative to the peer's")
    print(f"{'layer':14}{'forward':>9}{'backward':>10}{'opencv fwd':>18}{'torch fwd':>18}{'torch bwd':>18}")
    total = [0.0, 0.0]
    for name, (shape, layer, expression) in LAYERS.items():
        if args.k not in name:
            continue
        x = np.random.default_rng(1).standard_normal((args.batch, shape[0], shape[1], shape[1]), dtype=np.float32)
        x = np.maximum(x, 0)
        forward, backward, net = time_blobnet(layer, x, name != "conv1", args.runs)
        peers = [(time_opencv(layer, x, net, args.runs), forward)]
        peers += zip(time_torch(expression, x, name != "conv1", args.runs), (forward, backward))
        total[0] += forward
        total[1] += backward
        cells = "".join(f"{'-':>18}" if peer is None else f"{peer:10.1f} ({peer / own:4.1f}x)" for peer, own in peers)
        print(f"{name:14}{forward:9.1f}{backward:10.1f}{cells}", flush=True)
    print(f"{'sum':14}{total[0]:9.1f}{total[1]:10.1f}")


if __name__ == "__main__":
    main()
