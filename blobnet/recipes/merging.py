"""SegNet's normalisation for use: the statistics of the training set, merged into scales and shifts."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import declarations
from blobnet.layers.normalization.segnet_bn import EPS, SegNetBN
from blobnet.netdef.load import load
from blobnet.recipes.trial import Trial


def merge_statistics(trial: Trial, net: Message, weights: str, batches: int) -> str:
    """The path of weights that are those in the file `weights`, for the net with bn_mode: INFERENCE in the place of
    LEARN, which `net` has afterwards; `weights` itself if it has no such layer.

    With m and v, means over so many batches of the training net of the means and, times n / (n - 1), variances of a
    channel, a becomes a / sqrt(v + 1e-9), and b becomes b - m a / sqrt(v + 1e-9).
    Source: Badrinarayanan et al., SegNet, PAMI 2017, and its program.
    """
    definition = load(net, TRAIN)
    layers = [layer for layer in definition.layer if learns(layer)]
    if not layers:
        return weights
    for layer in layers:
        del layer.top[1:]
        layer.top.extend(f"{layer.name}_{what}" for what in ("mean", "variance"))
    built = Net(definition, TRAIN, weights, device=trial.device, python_layers=trial.python_layers,
                random_seed=trial.seed)
    sums = {top: np.zeros(built.blobs[top].shape) for layer in layers for top in layer.top[1:]}
    for _ in range(batches):
        built.forward()
        for name in sums:
            sums[name] += to_host(built.blobs[name].data)
    for layer in layers:
        count = built.blobs[layer.top[0]].count / sums[layer.top[1]].size
        m, v = sums[layer.top[1]] / batches, sums[layer.top[2]] / batches * count / max(count - 1, 1)
        a, b = (blob.data for blob in built.params[layer.name])
        a /= built.xp.asarray(np.sqrt(v + EPS), a.dtype).reshape(a.shape)
        b -= built.xp.asarray(m, a.dtype).reshape(a.shape) * a
    for layer in net.layer:
        if learns(layer):
            layer.bn_param.bn_mode = layer.bn_param.INFERENCE
    path = str(trial.out / "merged.caffemodel")
    built.save(path)
    return path


def learns(layer: Message) -> bool:
    """Whether the layer is a BN of SegNet, that takes the statistics of the batch."""
    return declarations(layer) is SegNetBN and layer.bn_param.bn_mode == layer.bn_param.LEARN
