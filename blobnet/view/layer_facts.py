"""What the options of a layer say, in a few words: windows, outputs, rates. The layer is not built."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from google.protobuf.message import Message

LEARNING = ("Convolution", "Deconvolution", "InnerProduct")


def facts(layer: Message) -> list[str]:
    """The key options of a LayerParameter, a line each; none for types without any.

    >>> from blobnet.proto.messages import new
    >>> facts(new("LayerParameter", type="Pooling", pooling_param={"kernel_h": 2, "kernel_w": 3, "stride": 2}))
    ['MAX', 'kernel 2x3, stride 2, pad 0']
    """
    return FACTS[layer.type](layer) if layer.type in FACTS else []


def window(options: Message) -> dict[str, str]:
    """Kernel, stride and pad of convolution_param or pooling_param: "3", or "3x5" of height and width."""
    return {"kernel": _sizes(options, "kernel", "kernel_size", ""), "stride": _sizes(options, "stride", "stride", "1"),
            "pad": _sizes(options, "pad", "pad", "0")}


def rates(layer: Message) -> str:
    """The learning rate multipliers of weights and biases, "lr mult: 1.0, 2.0", as Caffe's draw_net shows them.

    "" for types other than Convolution, Deconvolution and InnerProduct, and where all are 0.
    """
    if layer.type not in LEARNING:
        return ""
    values = [spec.lr_mult for spec in layer.param]
    values += [1.0] * (2 - len(values))
    return "lr mult: " + ", ".join(f"{value:.1f}" for value in values) if any(values) else ""


def decimal(value: float) -> str:
    """A float field with the digits that tell it from other floats of 32 bits.

    >>> decimal(0.10000000149011612), decimal(2)
    ('0.1', '2.0')
    """
    return str(np.float32(value))


def _sizes(options: Message, stem: str, field: str, default: str) -> str:
    if options.HasField(stem + "_h") or options.HasField(stem + "_w"):
        sizes = [getattr(options, stem + "_h"), getattr(options, stem + "_w")]
    else:
        value = getattr(options, field)
        sizes = [value] if isinstance(value, int) else list(value)
    return "x".join(map(str, sizes if len(set(sizes)) > 1 else sizes[:1])) or default


def _window(options: Message) -> str:
    return ", ".join(f"{name} {size}" for name, size in window(options).items() if size)


def _convolution(layer: Message) -> list[str]:
    options = layer.convolution_param
    lines = [f"{options.num_output} output{'s' * (options.num_output != 1)}", _window(options)]
    extra = [f"dilation {'x'.join(map(str, options.dilation))}"] if any(size != 1 for size in options.dilation) else []
    extra += [f"group {options.group}"] if options.group != 1 else []
    return lines + [", ".join(extra)] * bool(extra)


def _pooling(layer: Message) -> list[str]:
    options = layer.pooling_param
    kind = type(options).PoolMethod.Name(options.pool)
    return [f"{kind}, global"] if options.global_pooling else [kind, _window(options)]


def _lrn(layer: Message) -> list[str]:
    options = layer.lrn_param
    return [type(options).NormRegion.Name(options.norm_region), f"size {options.local_size}"]


def _field(options: str, field: str, word: str = "") -> Callable[[Message], list[str]]:
    """A function to the line "word value" of one field."""
    def line(layer: Message) -> list[str]:
        message = getattr(layer, options)
        value, enum = getattr(message, field), message.DESCRIPTOR.fields_by_name[field].enum_type
        text = enum.values_by_number[value].name if enum else f"{value:g}" if isinstance(value, float) else str(value)
        return [f"{text} output{'s' * (value != 1)}" if field == "num_output" else f"{word} {text}".strip()]
    return line


def _python(layer: Message) -> list[str]:
    return [f"{layer.python_param.module}.{layer.python_param.layer}"]


FACTS: dict[str, Callable[[Message], list[str]]] = {
    "Convolution": _convolution, "Deconvolution": _convolution,
    "Im2col": lambda layer: [_window(layer.convolution_param)], "Pooling": _pooling, "LRN": _lrn, "Python": _python,
    "InnerProduct": _field("inner_product_param", "num_output"), "Embed": _field("embed_param", "num_output"),
    "LSTM": _field("recurrent_param", "num_output"), "RNN": _field("recurrent_param", "num_output"),
    **dict.fromkeys(("Data", "PairData", "TripletData", "TripletListData"),
                    _field("data_param", "batch_size", "batch")),
    **dict.fromkeys(("ImageData", "HashingImageData"), _field("image_data_param", "batch_size", "batch")),
    "HDF5Data": _field("hdf5_data_param", "batch_size", "batch"),
    "MemoryData": _field("memory_data_param", "batch_size", "batch"),
    "WindowData": _field("window_data_param", "batch_size", "batch"),
    "Concat": _field("concat_param", "axis", "axis"), "Slice": _field("slice_param", "axis", "axis"),
    "Eltwise": _field("eltwise_param", "operation"), "Dropout": _field("dropout_param", "dropout_ratio", "ratio"),
    "Reduction": _field("reduction_param", "operation"),
}
