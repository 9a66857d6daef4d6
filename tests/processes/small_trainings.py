"""A program for `mpiexec -n N`: trains small nets in N processes and in one, and prints how far they lie apart.

Its arguments are names of CASES; "gpu" before them lets the nets run on the stand-in for CuPy. Process 0 prints a line
of JSON: for each case the greatest difference of a parameter, divided by the greatest parameter, that of the losses,
and whether all processes have the same parameters bit for bit.
"""

import json
import sys

import numpy as np

import blobnet
from blobnet.backend import ALONE, to_host
from blobnet.proto.messages import new
from blobnet.proto.text import parse

BATCH, STEPS = 12, 6
CONVOLUTION = """layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }"""
SCORES = """layer { name: "ip" type: "InnerProduct" bottom: "BOTTOM" top: "ip"
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }"""
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" EXTRA }'
NORM = """layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { across_processes: true } }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }"""
HASHING = """layer { name: "loss" type: "HashingLoss" bottom: "ip" bottom: "label" top: "loss" EXTRA
  hashing_loss_param { bi_margin: 8 tradeoff: 0.01 } }"""
LENET = CONVOLUTION + SCORES.replace("BOTTOM", "conv") + LOSS
PLAIN = SCORES.replace("BOTTOM", "data")
SGD = {"type": "SGD", "base_lr": 0.01, "momentum": 0.9}
CASES = {  # the layers after the data, and settings of the solver
    "SGD": (LENET, SGD), "Nesterov": (LENET, SGD | {"type": "Nesterov"}),
    "AdaGrad": (LENET, {"type": "AdaGrad", "base_lr": 0.01}),
    "RMSProp": (LENET, {"type": "RMSProp", "base_lr": 0.01, "rms_decay": 0.9}),
    "AdaDelta": (LENET, {"type": "AdaDelta", "base_lr": 0.1, "momentum": 0.9, "delta": 1e-4}),
    "Adam": (LENET, {"type": "Adam", "base_lr": 0.01, "momentum": 0.9}),
    "iter_size": (LENET, SGD | {"iter_size": 2}), "clip_gradients": (LENET, SGD | {"clip_gradients": 0.1}),
    "BatchNorm": (CONVOLUTION + NORM + SCORES.replace("BOTTOM", "conv") + LOSS, SGD),
    "ignore_label": (PLAIN + LOSS.replace("EXTRA", "loss_param { ignore_label: 1 }"), SGD),
    "DSH": (PLAIN + HASHING.replace("EXTRA", "across_processes: true"), SGD),
    "DSH of its own part": (PLAIN + HASHING, SGD),  # which is another loss
}


def train(case, processes, device):
    """The parameters after some iterations, and the losses."""
    layers, settings = CASES[case]
    net = parse(f"""layer {{ name: "data" type: "MemoryData" top: "data" top: "label"
      memory_data_param {{ batch_size: {BATCH // processes.size} channels: 2 height: 6 width: 6 }} }}
      {layers.replace('EXTRA', '')}""", "NetParameter")
    solver = blobnet.get_solver(new("SolverParameter", net_param=net, lr_policy="fixed", weight_decay=0.004,
                                    random_seed=1, snapshot_after_train=False, **settings),
                                processes=processes, device=device)
    rng = np.random.default_rng(0)
    images, labels = rng.normal(0, 1, (5 * BATCH, 2, 6, 6)), rng.integers(0, 4, 5 * BATCH)
    solver.net.layer_dict["data"].reset(images.astype(np.float32), labels.astype(np.float32))
    losses = []
    for _ in range(STEPS):
        solver.step(1)
        losses.append(solver.loss)
    return np.concatenate([to_host(parameter.blob.data).reshape(-1) for parameter in solver.net.parameters]), losses


def main(device, cases):
    together = blobnet.processes()
    found = {}
    for case in cases:
        values, losses = train(case, together, device)
        rows = np.empty((together.size, values.size), values.dtype)
        together.gather(values[None], rows)
        if together.rank == 0:
            expected, means = train(case, ALONE, device)
            found[case] = (float(np.abs(values - expected).max() / np.abs(expected).max()),
                           float(np.abs(np.subtract(losses, means)).max()), bool((rows == values).all()))
    if together.rank == 0:
        print(json.dumps(found))


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["gpu"]:
        import fakecupy

        fakecupy.install()
        main("gpu", words[1:])
    else:
        main("cpu", words)
