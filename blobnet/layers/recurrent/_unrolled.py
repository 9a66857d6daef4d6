"""debug_info of recurrent layers: the lines of the net that Caffe unrolls, in its order and under its names.

blobnet has no such net, so what its blobs would hold is computed again here from what the layer keeps. Left out are
layers that only copy: Input, Reshape, c_T, and in the forward lines Split. The gradient of a parameter that all steps
share shows once, whole, where Caffe adds the part of the first step.
"""

from __future__ import annotations

import logging

from blobnet.core.debug_info import magnitude
from blobnet.core.layer import Layer
from blobnet.ops.lstm import cell_backward

log = logging.getLogger(__name__)


class Unrolled:
    """The lines of one pass. `kind` is the letter of Caffe's names: W_xc, W_hc, b_c in LSTM; W_xh, W_hh, b_h in RNN.

    A subclass names the layers of a step (`product`, `total`), adds the lines of its units (`unit`, `unit_back`), and
    says by which layer and split h goes on to the next step (`source`, `split`). Steps count from 1.
    """

    kind: str
    product: str  # of W_h h; {t} is the step and {s} the one before it
    total: tuple[str, str]  # the layer and the blob of the inputs of the gates
    output: str
    source: str
    split: int
    tops_before = 0  # tops of `source` before h

    def __init__(self, layer: Layer, bottom, top):
        self.layer, self.bottom, self.top = layer, bottom, top
        self.name, self.steps = layer.name, layer.steps
        self.weight = layer.param_data(layer.recurrent)

    def forward(self) -> None:
        """Log the forward lines."""
        layer, kind, bottom = self.layer, self.kind, self.bottom
        for t, cont in enumerate(bottom[1].data, 1):
            self.data("cont_slice", f"cont_{t}", cont)
        weight = layer.param_data(0)
        x = (bottom[0].data.reshape(-1, weight.shape[1]) @ weight.T + layer.param_data(1)).reshape(layer.gates.shape)
        self.data("x_transform", f"W_x{kind}_x", x)
        self.param_data("x_transform", f"W_x{kind}", 0)
        self.param_data("x_transform", f"b_{kind}", 1)
        static = 0
        if layer.static:
            weight = layer.param_data(2)
            static = bottom[2].data.reshape(-1, weight.shape[1]) @ weight.T
            self.data(f"W_x{kind}_x_static", f"W_x{kind}_x_static_preshape", static)
            self.param_data(f"W_x{kind}_x_static", f"W_x{kind}_static", 2)
        for t in range(1, self.steps + 1):
            self.data(f"W_x{kind}_x_slice", f"W_x{kind}_x_{t}", x[t - 1])
        for t in range(1, self.steps + 1):
            product = layer.held[t - 1] @ self.weight.T
            self.data(f"h_conted_{t - 1}", f"h_conted_{t - 1}", layer.held[t - 1])
            self.data(self.product.format(t=t, s=t - 1), f"W_h{kind}_h_{t - 1}", product)
            self.param_data(self.product.format(t=t, s=t - 1), f"W_h{kind}", layer.recurrent)
            name, blob = self.total
            self.data(f"{name}_{t}", f"{blob}_{t}", product + x[t - 1] + static)
            self.unit(t)
        self.data(f"{self.output}_concat", self.output, self.top[0].data)

    def backward(self, propagate_down) -> None:
        """Log the backward lines."""
        layer, kind, diffs = self.layer, self.kind, self.layer.gate_diffs
        static = f"W_x{kind}_x_static"
        for t in range(1, self.steps + 1):
            self.diff(f"{self.output}_concat", self.output_part(t), self.top[0].diff[t - 1])
        carried = layer.xp.zeros_like(layer.held[0])  # the gradient of h that comes from the step after
        for t in reversed(range(1, self.steps + 1)):
            self.unit_back(t, carried)
            name, _ = self.total
            part = self.part(static, f"{static}_reshape", 0, t - 1) if self.steps > 1 else static
            for blob in (f"W_h{kind}_h_{t - 1}", f"W_x{kind}_x_{t}", *[part] * layer.static):
                self.diff(f"{name}_{t}", blob, diffs[t - 1])
            name, held = self.product.format(t=t, s=t - 1), diffs[t - 1] @ self.weight
            if t > 1:
                self.diff(name, f"h_conted_{t - 1}", held)
                carried = held * self.bottom[1].data[t - 1, :, None]
                self.diff(f"h_conted_{t - 1}", self.h_part(t - 1, self.split), carried)
        self.param_diff(name, 0, layer.recurrent)
        self.diff(f"W_x{kind}_x_slice", f"W_x{kind}_x", diffs)
        if layer.static:
            total = diffs.sum(axis=0)
            if self.steps > 1:
                self.split_diff(static, f"{static}_reshape", 0, total)
            self.diff(f"{static}_reshape", f"{static}_preshape", total)
            if propagate_down[2]:
                self.diff(static, "x_static", self.bottom[2].diff)
            self.param_diff(static, 0, 2)
        if propagate_down[0]:
            self.diff("x_transform", "x", self.bottom[0].diff)
        self.param_diff("x_transform", 0, 0)
        self.param_diff("x_transform", 1, 1)

    def unit(self, t: int) -> None:
        """Log what step t makes of the inputs of its gates."""
        raise NotImplementedError

    def unit_back(self, t: int, carried) -> None:
        """Log the gradients of step t down to the inputs of its gates."""
        raise NotImplementedError

    def output_part(self, t: int) -> str:
        """The blob of step t that goes into the output."""
        raise NotImplementedError

    def part(self, blob: str, source: str, top: int, index: int) -> str:
        """The name of a part of a blob that more than one layer takes: top `top` of the layer `source`."""
        return f"{blob}_{self.name}_{source}_{top}_split_{index}"

    def h_part(self, t: int, index: int) -> str:
        """The name of a part of h_t, which the last step has no need to split."""
        return self.part(f"h_{t}", f"{self.source}_{t}", self.tops_before, index) if t < self.steps else f"h_{t}"

    def data(self, layer: str, blob: str, array) -> None:
        log.info("    [Forward] Layer %s_%s, top blob %s data: %g", self.name, layer, blob, magnitude(array))

    def param_data(self, layer: str, name: str, index: int) -> None:
        log.info("    [Forward] Layer %s_%s, param blob %s data: %g", self.name, layer, name,
                 magnitude(self.layer.param_data(index)))

    def diff(self, layer: str, blob: str, array) -> None:
        log.info("    [Backward] Layer %s_%s, bottom blob %s diff: %g", self.name, layer, blob, magnitude(array))

    def split_diff(self, blob: str, source: str, top: int, array) -> None:
        """The line of the layer that splits a blob: the sum of the gradients of the parts."""
        log.info("    [Backward] Layer %s_%s_%s_%d_split, bottom blob %s diff: %g", blob, self.name, source, top, blob,
                 magnitude(array))

    def param_diff(self, layer: str, number: int, index: int) -> None:
        log.info("    [Backward] Layer %s_%s, param blob %d diff: %g", self.name, layer, number,
                 magnitude(self.layer.param_diff(index)))


class UnrolledLSTM(Unrolled):
    """One step: gate_input_t -> LSTMUnit -> c_t, h_t."""

    kind, product, total, output = "c", "transform_{t}", ("gate_input", "gate_input"), "h"
    source, split, tops_before = "unit", 0, 1

    def unit(self, t):
        self.data(f"unit_{t}", f"c_{t}", self.layer.cells[t])
        self.data(f"unit_{t}", f"h_{t}", self.top[0].data[t - 1])

    def backward(self, propagate_down):
        self.cell_diff, self.slopes = (self.layer.xp.zeros_like(array[0]) for array in (self.layer.cells,
                                                                                        self.layer.gates))
        super().backward(propagate_down)

    def unit_back(self, t, carried):
        layer, out_diff = self.layer, self.top[0].diff[t - 1] + carried
        if t < self.steps:
            self.split_diff(f"h_{t}", f"unit_{t}", 1, out_diff)
        cell_backward(layer.gates[t - 1], layer.squashed[t - 1], out_diff, self.cell_diff, self.slopes)
        if t > 1:
            self.diff(f"unit_{t}", f"c_{t - 1}", self.cell_diff)
        self.diff(f"unit_{t}", f"gate_input_{t}", layer.gate_diffs[t - 1])

    def output_part(self, t):
        return self.h_part(t, 1)


class UnrolledRNN(Unrolled):
    """One step: h_neuron_input_t -> TanH -> h_t -> W_ho_h_t -> TanH -> o_t."""

    kind, product, total, output = "h", "W_hh_h_{s}", ("h_input_sum", "h_neuron_input"), "o"
    source, split = "h_neuron", 1

    def unit(self, t):
        layer, h = self.layer, self.layer.gates[t - 1]
        self.data(f"h_neuron_{t}", f"h_{t}", h)
        product = h @ layer.param_data(layer.output).T + layer.param_data(layer.output + 1)
        self.data(f"W_ho_h_{t}", f"W_ho_h_{t}", product)
        self.param_data(f"W_ho_h_{t}", "W_ho", layer.output)
        self.param_data(f"W_ho_h_{t}", "b_o", layer.output + 1)
        self.data(f"o_neuron_{t}", f"o_{t}", self.top[0].data[t - 1])

    def unit_back(self, t, carried):
        layer = self.layer
        diff = (1 - layer.outputs.reshape(layer.held.shape)[t - 1] ** 2) * self.top[0].diff[t - 1]
        self.diff(f"o_neuron_{t}", f"W_ho_h_{t}", diff)
        through = diff @ layer.param_data(layer.output)
        self.diff(f"W_ho_h_{t}", self.h_part(t, 0), through)
        if t == 1:
            self.param_diff("W_ho_h_1", 0, layer.output)
            self.param_diff("W_ho_h_1", 1, layer.output + 1)
        if t < self.steps:
            self.split_diff(f"h_{t}", f"h_neuron_{t}", 0, through + carried)
        self.diff(f"h_neuron_{t}", f"h_neuron_input_{t}", layer.gate_diffs[t - 1])

    def output_part(self, t):
        return f"o_{t}"


UNROLLED = {"LSTM": UnrolledLSTM, "RNN": UnrolledRNN}
