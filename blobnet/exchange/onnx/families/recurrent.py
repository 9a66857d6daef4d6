"""Layers that carry a state along a sequence: the products with x for all steps at once, then a Scan over the steps.

A model has no memory: where the layer would go on from the forward before, it begins at 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Part
from blobnet.exchange.onnx.registry import exports


@exports("LSTM")
def lstm(layer: Any, part: Part, x: str, cont: str, *others: str) -> list[str]:
    z, cont, states = inputs(layer, part, x, cont, others)
    weight = part.changed(layer.hidden, layer.param_data(layer.hidden).T)
    h, c, all_h = lstm_steps(part, states, z, cont, weight)
    return [all_h, part.add("Unsqueeze", h, [0]), part.add("Unsqueeze", c, [0])][:len(part.top_shapes)]


@exports("RNN")
def rnn(layer: Any, part: Part, x: str, cont: str, *others: str) -> list[str]:
    z, cont, states = inputs(layer, part, x, cont, others)
    weight = part.changed(layer.hidden, layer.param_data(layer.hidden).T)

    def step(h: str, z: str, cont: str) -> Sequence[str]:
        product = part.add("MatMul", part.add("Mul", h, cont), weight)
        h = part.add("Tanh", part.add("Add", z, product))
        return h, part.add("Identity", h)

    last, all_h = part.add("Scan", states[0], z, cont, outputs=2, num_scan_inputs=2,
                           body=part.body([2, 2, 2], step, [2, 2]))
    o = part.add("MatMul", all_h, part.changed(layer.output, layer.param_data(layer.output).T))
    o = part.add("Tanh", part.add("Add", o, part.parameter(layer.output + 1)))
    return [o, part.add("Unsqueeze", last, [0])][:len(part.top_shapes)]


@exports("Lstm")
def lstm_of_one_length(layer: Any, part: Part, x: str, clip: str = "") -> str:
    steps, num, _ = layer.shape
    W, U = (part.changed(i, layer.param_data(i).T) for i in range(2))
    x = part.reshape(x, (steps, num, layer.param_data(0).shape[1]))
    z = part.add("Add", part.add("MatMul", x, W), part.parameter(2))
    if clip:
        cont = part.add("Cast", part.add("Cast", part.reshape(clip, (steps, num, 1)), to=9), to=1)
    else:
        cont = part.constant(np.broadcast_to(np.arange(steps).reshape(-1, 1, 1) > 0, (steps, num, 1)), np.float32)
    h = lstm_steps(part, [zeros(part, z, layer.shape[2])] * 2, z, cont, U)[2]
    return h if part.top_shapes[0] == layer.shape else part.reshape(h, part.top_shapes[0])


@exports("LSTMNode")
def lstm_node(layer: Any, part: Part, x: str, c: str, cont: str = "") -> list[str]:
    parameters = part.all_parameters()
    z = part.add("Gemm", flat(part, 0, x, layer.param_data(0).shape[1]), *parameters, transB=1)
    cont = part.reshape(cont, (layer.rows, 1)) if cont else ""
    return list(cell(part, z, flat(part, 1, c, layer.cells), cont, 1))


@exports("LSTMUnit")
def lstm_unit(layer: Any, part: Part, c: str, x: str, cont: str) -> list[str]:
    h, c = cell(part, x, c, part.add("Unsqueeze", cont, [2]), 2)
    return [c, h]


def inputs(layer: Any, part: Part, x: str, cont: str, others: Sequence[str]) -> tuple[str, str, list[str]]:
    """The part of the gates that needs no state (T, N, rows), cont (T, N, 1), and the first states (N, H)."""
    rows, width = layer.param_data(0).shape
    shape = part.bottom_shapes[0]
    x = x if len(shape) == 3 else part.reshape(x, (*shape[:2], width))
    z = part.add("Add", part.add("MatMul", x, part.changed(0, layer.param_data(0).T)),
                 part.parameter(1))
    if layer.static:
        static = flat(part, 2, others[0], layer.param_data(2).shape[1])
        z = part.add("Add", z, part.add("Gemm", static, part.parameter(2), transB=1))
    given = others[layer.static:]
    size = layer.options.num_output
    states = ([part.add("Squeeze", state, [0]) for state in given]
              or [zeros(part, z, size)] * layer.num_states)
    return z, part.add("Unsqueeze", cont, [2]), states


def zeros(part: Part, z: str, size: int) -> str:
    """The first state (N, size) for gates z (T, N, rows)."""
    num = part.add("Shape", z, start=1, end=2)
    return part.add("ConstantOfShape", part.add("Concat", num, [size], axis=0))


def lstm_steps(part: Part, states: Sequence[str], z: str, cont: str, weight: str) -> Any:
    """The last h and c (N, H), and h of all steps (T, N, H), for gates z (T, N, 4H) but for what the state adds."""
    def step(h: str, c: str, z: str, cont: str) -> Sequence[str]:
        product = part.add("MatMul", part.add("Mul", h, cont), weight)
        h, c = cell(part, part.add("Add", z, product), c, cont, 1)
        return h, c, part.add("Identity", h)

    return part.add("Scan", *states, z, cont, outputs=3, num_scan_inputs=2,
                    body=part.body([2, 2, 2, 2], step, [2, 2, 2]))


def cell(part: Part, z: str, c: str, cont: str, axis: int) -> tuple[str, str]:
    """h and c after a step, from the inputs z of the gates i, f, o, g along an axis, and c before it."""
    i, f, o, g = part.add("Split", z, outputs=4, axis=axis)
    i, f, o = (part.add("Sigmoid", gate) for gate in (i, f, o))
    f = part.add("Mul", cont, f) if cont else f
    c = part.add("Add", part.add("Mul", f, c), part.add("Mul", i, part.add("Tanh", g)))
    return part.add("Mul", o, part.add("Tanh", c)), c


def flat(part: Part, index: int, x: str, width: int) -> str:
    """Bottom x as rows of `width` numbers."""
    rows = part.bottom_shapes[index][0]
    return x if part.bottom_shapes[index] == (rows, width) else part.reshape(x, (rows, width))
