"""What the options of a layer say, in a few words: windows, outputs, rates. The layer is not built."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.core.registry import declarations


def facts(layer: Message) -> list[str]:
    """The key options of a LayerParameter, a line each; none for types without any.

    >>> from blobnet.proto.messages import new
    >>> facts(new("LayerParameter", type="Pooling", pooling_param={"kernel_h": 2, "kernel_w": 3, "stride": 2}))
    ['MAX', 'kernel 2x3, stride 2, pad 0']
    """
    return declarations(layer).facts(layer)


def rates(layer: Message) -> str:
    """The learning rate multipliers of weights and biases, "lr mult: 1.0, 2.0", as Caffe's draw_net shows them.

    "" for types that do not declare `shows_rates`, and where all are 0.
    """
    if not declarations(layer).shows_rates:
        return ""
    values = [spec.lr_mult for spec in layer.param]
    values += [1.0] * (2 - len(values))
    return "lr mult: " + ", ".join(f"{value:.1f}" for value in values) if any(values) else ""
