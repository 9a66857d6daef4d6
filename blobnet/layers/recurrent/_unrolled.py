"""debug_info of recurrent layers: Caffe's net of single steps, which runs beside the layer and logs its lines.

Caffe's layers are such nets. Ours are not: this one is built only where the option debug_info asks for its lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from blobnet.backend import to_host
from blobnet.core.blob import Blob
from blobnet.core.layer import Layer
from blobnet.core.net import Net
from blobnet.proto.messages import new

Add = Callable[..., None]


class Unrolled:
    """The net of `steps` steps for an LSTM or RNN, on the CPU, whatever device the layer itself is on.

    inputs: the shape of each of its inputs by Caffe's name: x, cont, perhaps x_static, perhaps c_0, and h_0.
    """

    def __init__(self, layer: Layer, inputs: dict[str, tuple[int, ...]]):
        self.layer, self.output = layer, OUTPUTS[layer.param.type]
        self.net = Net(definition(layer, inputs), layer.phase, dtype=str(layer.dtype), random_seed=0)
        self.last = len(self.net.layers) - 2  # the last layer is there so that all others run backward; it never runs

    def forward(self, inputs: dict[str, Blob]) -> None:
        """Log the forward lines, of these inputs and the parameters of the layer."""
        self._take("data")
        values: dict[str, Any] = {name: to_host(blob.data) for name, blob in inputs.items()}
        self.net.forward(end=self.last, **values)

    def backward(self, diff) -> None:
        """Log the backward lines; `diff` is that of the first top. Gradients add to those that the layer has."""
        self._take("diff")
        self.net.blobs[self.output].diff[...] = to_host(diff)
        self.net.backward(start=self.last)

    def _take(self, which: str) -> None:
        for i, parameter in enumerate(self.net.parameters):
            theirs = self.layer.param_data(i) if which == "data" else self.layer.param_diff(i)
            getattr(parameter.blob, which)[...] = to_host(theirs)


def definition(layer: Layer, inputs: dict[str, tuple[int, ...]]) -> Message:
    """The net as Caffe writes it, with its names: W_xc, W_hc, b_c in an LSTM; W_xh, W_hh, b_h in an RNN."""
    net, size, steps = new("NetParameter", debug_info=True), layer.options.num_output, inputs["x"][0]
    letter, rows = ("c", 4 * size) if layer.param.type == "LSTM" else ("h", size)
    output, step = OUTPUTS[layer.param.type], STEPS[layer.param.type]

    def add(name: str, kind: str, bottoms: str, tops: str, **options) -> None:
        name = f"{layer.name}_{name}" if layer.name else name
        net.layer.add(name=name, type=kind, bottom=bottoms.split(), top=tops.split(), **options)

    def product(name: str, bottom: str, top: str, params: str, axis: int = 2, **options) -> None:
        add(name, "InnerProduct", bottom, top, param=[dict(name=param) for param in params.split()], **options,
            inner_product_param=dict(num_output=rows, axis=axis, bias_term=" " in params))

    def numbered(name: str) -> str:
        return " ".join(f"{name}_{t}" for t in range(1, steps + 1))

    states = [name for name in inputs if name.endswith("_0")]
    for names in [name for name in inputs if name not in states], states:
        add("", "Input", "", " ".join(names), input_param=dict(shape=[dict(dim=inputs[name]) for name in names]))
    add("cont_slice", "Slice", "cont", numbered("cont"), slice_param=dict(axis=0))
    x, static = f"W_x{letter}_x", f"W_x{letter}_x_static" if "x_static" in inputs else ""
    product("x_transform", "x", x, f"W_x{letter} b_{letter}", propagate_down=[True])
    if static:
        product(static, "x_static", f"{static}_preshape", f"W_x{letter}_static", axis=1, propagate_down=[True])
        add(f"{static}_reshape", "Reshape", f"{static}_preshape", static,
            reshape_param=dict(shape=dict(dim=[1, -1, rows])))
    add(f"{x}_slice", "Slice", x, numbered(x), slice_param=dict(axis=0))
    for t in range(1, steps + 1):
        add(f"h_conted_{t - 1}", "Scale", f"h_{t - 1} cont_{t}", f"h_conted_{t - 1}", scale_param=dict(axis=0))
        step(add, product, t, f"{x}_{t} {static}")
    if letter == "c":
        add("", "Split", f"c_{steps}", "c_T")
    add(f"{output}_concat", "Concat", numbered(output), output, concat_param=dict(axis=0))
    net.layer.add(name=f"{output}_pseudoloss", type="Reduction", bottom=[output], top=[f"{output}_pseudoloss"],
                  loss_weight=[1])
    return net


def lstm_step(add: Add, product: Add, t: int, inputs: str) -> None:
    """Step t of an LSTM, with the parts of its gates that come from x."""
    product(f"transform_{t}", f"h_conted_{t - 1}", f"W_hc_h_{t - 1}", "W_hc")
    add(f"gate_input_{t}", "Eltwise", f"W_hc_h_{t - 1} {inputs}", f"gate_input_{t}")
    add(f"unit_{t}", "LSTMUnit", f"c_{t - 1} gate_input_{t} cont_{t}", f"c_{t} h_{t}")


def rnn_step(add: Add, product: Add, t: int, inputs: str) -> None:
    """Step t of an RNN, likewise."""
    product(f"W_hh_h_{t - 1}", f"h_conted_{t - 1}", f"W_hh_h_{t - 1}", "W_hh")
    add(f"h_input_sum_{t}", "Eltwise", f"W_hh_h_{t - 1} {inputs}", f"h_neuron_input_{t}")
    add(f"h_neuron_{t}", "TanH", f"h_neuron_input_{t}", f"h_{t}")
    product(f"W_ho_h_{t}", f"h_{t}", f"W_ho_h_{t}", "W_ho b_o")
    add(f"o_neuron_{t}", "TanH", f"W_ho_h_{t}", f"o_{t}")


STEPS, OUTPUTS = {"LSTM": lstm_step, "RNN": rnn_step}, {"LSTM": "h", "RNN": "o"}
