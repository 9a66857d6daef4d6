"""A net of Caffe's layers in PyTorch, built from the definition that blobnet runs, for benchmarks beside it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from blobnet.core.net import Net


class TorchNet(nn.Module):
    """The layers of a built blobnet net in PyTorch, with its parameters; forward(data, label) gives the sum of losses.

    Types: those of the nets that benchmark_nets.py runs. KeyError for any other.
    """

    def __init__(self, net: Net):
        super().__init__()
        self.steps = []  # (function of the bottoms, names of the bottoms and of the tops)
        self.weights = nn.ParameterList()
        self.losses = [name for layer in net.layers for name, weight in zip(layer.param.top, layer.loss_weights)
                       if weight]
        for node in net.nodes:
            layer = node.layer
            if layer.is_input:
                continue
            blobs = [nn.Parameter(torch.from_numpy(blob.data.copy())) for blob in layer.blobs]
            if layer.type != "BatchNorm":
                self.weights.extend(blobs)
            self.steps.append((MAKERS[layer.type](layer, blobs, node), list(layer.param.bottom), list(layer.param.top)))

    def forward(self, data, label=None):
        blobs = {"data": data, "label": label}
        for step, bottoms, tops in self.steps:
            out = step(*(blobs[name] for name in bottoms))
            blobs.update(zip(tops, out if isinstance(out, tuple) else (out,) * len(tops)))
        return sum(blobs[name] for name in self.losses) if self.losses else blobs[self.steps[-1][2][0]]


def _convolution(layer, blobs, node):
    (stride, pad, dilation), group = layer.sliding[1:], layer.group
    bias = blobs[1] if len(blobs) > 1 else None
    return lambda x: F.conv2d(x, blobs[0], bias, stride, pad, dilation, group)


def _deconvolution(layer, blobs, node):
    (stride, pad, dilation), group = layer.sliding[1:], layer.group
    bias = blobs[1] if len(blobs) > 1 else None
    return lambda x: F.conv_transpose2d(x, blobs[0], bias, stride, pad, 0, group, dilation)


def _inner_product(layer, blobs, node):
    axis = layer.axis
    bias = blobs[1] if len(blobs) > 1 else None
    return lambda x: F.linear(x.flatten(axis), blobs[0], bias)


def _pooling(layer, blobs, node):
    kernel = layer.kernel or node.bottoms[0].shape[2:]
    if layer.method == "MAX":
        return lambda x: F.max_pool2d(x, kernel, layer.stride, layer.pad, ceil_mode=True)
    return lambda x: F.avg_pool2d(x, kernel, layer.stride, layer.pad, ceil_mode=True)


def _lrn(layer, blobs, node):
    options = layer.options
    if options.norm_region == options.WITHIN_CHANNEL:
        return lambda x: x * (1 + options.alpha * F.avg_pool2d(
            x * x, options.local_size, 1, options.local_size // 2)) ** -options.beta
    return lambda x: F.local_response_norm(x, options.local_size, options.alpha, options.beta, options.k)


def _batch_norm(layer, blobs, node):
    return lambda x: F.batch_norm(x, None, None, training=True, eps=1e-5)


def _scale(layer, blobs, node):
    shape = (1, -1, 1, 1)
    return lambda x: x * blobs[0].view(shape) + blobs[1].view(shape)


def _dropout(layer, blobs, node):
    return lambda x: F.dropout(x, layer.ratio)


def _slice(layer, blobs, node):
    axis, sizes = layer.options.axis, [top.shape[layer.options.axis] for top in node.tops]
    return lambda x: torch.split(x, sizes, axis)


def _threshold(layer, blobs, node):
    def step(x):
        return torch.where(x < layer.low, 0 * x.detach(), torch.where(x > layer.high, torch.ones_like(x), x))
    return step


def _hashing_loss(layer, blobs, node):
    margin, tradeoff = layer.options.bi_margin, layer.options.tradeoff

    def step(u, label):
        u, n = u.flatten(1), len(u)
        alike = label.view(-1, 1) == label.view(1, -1)
        distances = (u[:, None] - u[None, :]).square().sum(2)
        pairs = torch.where(alike, distances, F.relu(margin - distances)).triu(1)
        return pairs.sum() / (n * (n - 1)) + tradeoff * (u.abs() - 1).abs().sum() / n
    return step


def _ranking_loss(layer, blobs, node):
    return lambda near, far, *rest: F.relu(layer.options.margin - near + far).mean()


MAKERS = {
    "Convolution": _convolution, "Deconvolution": _deconvolution, "InnerProduct": _inner_product,
    "Pooling": _pooling, "LRN": _lrn,
    "BatchNorm": _batch_norm, "Scale": _scale, "Dropout": _dropout, "Slice": _slice,
    "PiecewiseThreshold": _threshold, "HashingLoss": _hashing_loss, "PairwiseRankingLoss": _ranking_loss,
    "ReLU": lambda layer, blobs, node: F.relu_ if node.tops[0] is node.bottoms[0] else F.relu,
    "Sigmoid": lambda layer, blobs, node: torch.sigmoid,
    "Eltwise": lambda layer, blobs, node: torch.add,
    "Concat": lambda layer, blobs, node: lambda *x: torch.cat(x, layer.options.axis),
    "Flatten": lambda layer, blobs, node: lambda x: x.flatten(1),
    "Split": lambda layer, blobs, node: lambda x: x,
    "EuclideanSimilarity": lambda layer, blobs, node: lambda a, b: (a - b).square().sum(1) / -2,
    "SoftmaxWithLoss": lambda layer, blobs, node: lambda x, label: F.cross_entropy(x.flatten(1), label),
    "Accuracy": lambda layer, blobs, node: lambda *x: x[0],
}
