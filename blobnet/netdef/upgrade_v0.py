"""The first generation of nets, `layers { layer { … } bottom top }`, made into the second.

A layer of the first generation keeps the options of all types in one flat message. Here two tables say where they
live in the second: what each type is called, and which types know a field under which name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from google.protobuf.message import Message

from blobnet.errors import NetError, close_matches
from blobnet.netdef.fields import copy_field, layer_where, without

log = logging.getLogger(__name__)

# type of the first generation: its name in the second, and the message that holds its options there
TYPES = {
    "accuracy": ("ACCURACY", "accuracy_param"),
    "bnll": ("BNLL", ""),
    "concat": ("CONCAT", "concat_param"),
    "conv": ("CONVOLUTION", "convolution_param"),
    "data": ("DATA", "data_param"),
    "dropout": ("DROPOUT", "dropout_param"),
    "euclidean_loss": ("EUCLIDEAN_LOSS", ""),
    "flatten": ("FLATTEN", ""),
    "hdf5_data": ("HDF5_DATA", "hdf5_data_param"),
    "hdf5_output": ("HDF5_OUTPUT", "hdf5_output_param"),
    "im2col": ("IM2COL", ""),
    "images": ("IMAGE_DATA", "image_data_param"),
    "infogain_loss": ("INFOGAIN_LOSS", "infogain_loss_param"),
    "innerproduct": ("INNER_PRODUCT", "inner_product_param"),
    "lrn": ("LRN", "lrn_param"),
    "multinomial_logistic_loss": ("MULTINOMIAL_LOGISTIC_LOSS", ""),
    "pool": ("POOLING", "pooling_param"),
    "relu": ("RELU", "relu_param"),
    "sigmoid": ("SIGMOID", "sigmoid_param"),
    "softmax": ("SOFTMAX", "softmax_param"),
    "softmax_loss": ("SOFTMAX_LOSS", "softmax_param"),
    "split": ("SPLIT", ""),
    "tanh": ("TANH", "tanh_param"),
    "window_data": ("WINDOW_DATA", "window_data_param"),
}
PADDING = "padding"  # a layer of its own in the first generation only

# field of the first generation: its name in the options message of the second, and the types that know it
OPTIONS = {
    "num_output": ("num_output", "conv innerproduct"),
    "biasterm": ("bias_term", "conv innerproduct"),
    "weight_filler": ("weight_filler", "conv innerproduct"),
    "bias_filler": ("bias_filler", "conv innerproduct"),
    "pad": ("pad", "conv pool"),
    "kernelsize": ("kernel_size", "conv pool"),
    "group": ("group", "conv"),
    "stride": ("stride", "conv pool"),
    "pool": ("pool", "pool"),
    "dropout_ratio": ("dropout_ratio", "dropout"),
    "local_size": ("local_size", "lrn"),
    "alpha": ("alpha", "lrn"),
    "beta": ("beta", "lrn"),
    "k": ("k", "lrn"),
    "source": ("source", "data hdf5_data images window_data infogain_loss"),
    "batchsize": ("batch_size", "data hdf5_data images window_data"),
    "rand_skip": ("rand_skip", "data images"),
    "shuffle_images": ("shuffle", "images"),
    "new_height": ("new_height", "images"),
    "new_width": ("new_width", "images"),
    "concat_dim": ("concat_dim", "concat"),
    "det_fg_threshold": ("fg_threshold", "window_data"),
    "det_bg_threshold": ("bg_threshold", "window_data"),
    "det_fg_fraction": ("fg_fraction", "window_data"),
    "det_context_pad": ("context_pad", "window_data"),
    "det_crop_mode": ("crop_mode", "window_data"),
}
SAID = {"shuffle_images": "shuffle"}  # field: what Caffe's log calls it
# fields that any type may have: name in the layer itself, or in its transform_param
LAYER_FIELDS = {"name": "name", "blobs": "blobs", "blobs_lr": "blobs_lr", "weight_decay": "weight_decay"}
TRANSFORM_FIELDS = {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror"}


def upgrade_v0(message: Message, origin: str = "") -> Message:
    """`message` with first-generation layers made into `layers { type: CONVOLUTION … }`; itself if it has none.

    A padding layer disappears into the convolutions and poolings that read it: they get its `pad` and its bottom.
    NetError for what has no place in the second generation: unknown types, padding read by another type, bottoms that
    no earlier layer makes.
    Quirks: a field that the layer's type does not know is left out, with a warning; new_num and new_channels, which no
    type knows, without one.
    """
    if not any(layer.HasField("layer") for layer in message.layers):
        return message
    net = without(message, "layers")
    fits = True
    padding: dict[str, Message | None] = dict.fromkeys(message.input)  # blob: the padding layer it comes from
    for old in message.layers:
        where = partial(layer_where, old.name or old.layer.name, old.layer.type, origin)
        _check_generation(old, where)
        for blob in old.bottom:
            if blob not in padding:
                raise NetError(where(), f"unknown bottom {blob!r}", hint=close_matches(blob, padding))
        source = next((padding[blob] for blob in old.bottom if padding[blob] is not None), None)
        if source is not None:
            _check_padding(old, source, where)
        if old.layer.type != PADDING:
            fits &= _upgrade_layer(old, source, net.layers.add(), where)
        padding.update(dict.fromkeys(old.top, old if old.layer.type == PADDING else None))
    if not fits:
        log.warning("Warning: had one or more problems upgrading V0NetParameter to NetParameter (see above); "
                    "continuing anyway.")
    return net


def knows(kind: str, field: str) -> bool:
    """Whether the `field` of a layer of the first generation counts in layers of the type `kind`."""
    return field in OPTIONS and kind in OPTIONS[field][1].split()


def left_out(layer: Message) -> list[str]:
    """The fields of a V0LayerParameter that its type does not know, which are left out in the second generation."""
    return [field.name for field, _ in layer.ListFields()
            if field.name not in {"type", *LAYER_FIELDS, *TRANSFORM_FIELDS} and not knows(layer.type, field.name)
            and field.name != layer.type + "_param" and not (layer.type == PADDING and field.name == "pad")]


def _check_generation(old: Message, where: Callable[[], str]) -> None:
    if not old.HasField("layer"):
        raise NetError(where(), "a layer of the second generation among those of the first",
                       hint="write all layers in one generation")
    extra = [field.name for field, _ in old.ListFields() if field.name not in ("bottom", "top", "layer")]
    if extra:
        raise NetError(where(), f"fields of the second generation ({', '.join(extra)}) beside a layer of the first",
                       hint="write the whole layer in one generation")


def _check_padding(old: Message, source: Message, where: Callable[[], str]) -> None:
    if old.layer.type not in ("conv", "pool"):
        raise NetError(where(), f"reads the padding layer {source.layer.name!r}", expected="a conv or pool layer there")
    if len(old.bottom) != 1:
        raise NetError(where(), expected="1 bottom, as it reads a padding layer", got=len(old.bottom))
    if len(source.bottom) != 1 or len(source.top) != 1:
        raise NetError(where(), f"padding layer {source.layer.name!r}", expected="1 bottom and 1 top",
                       got=f"{len(source.bottom)} and {len(source.top)}")


def _upgrade_layer(old: Message, source: Message | None, new: Message, where: Callable[[], str]) -> bool:
    """Fill the second-generation layer `new` from `old`, whose bottom the padding layer `source` made, if any.

    Returns whether the type knows every field.
    """
    fits = True
    new.bottom.extend(source.bottom if source is not None else old.bottom)
    new.top.extend(old.top)
    kind = old.layer.type
    if old.layer.HasField("type") and kind not in TYPES:
        raise NetError(where(), f"unknown type {kind!r}", hint=close_matches(kind, [*TYPES, PADDING]))
    for field, value in old.layer.ListFields():
        if field.name == "type":
            new.type = new.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_name[TYPES[kind][0]].number
        elif field.name in LAYER_FIELDS:
            copy_field(value, new, LAYER_FIELDS[field.name])
        elif field.name in TRANSFORM_FIELDS:
            copy_field(value, new.transform_param, TRANSFORM_FIELDS[field.name])
        elif field.name == "hdf5_output_param" and kind == "hdf5_output":
            new.hdf5_output_param.CopyFrom(value)
        elif knows(kind, field.name):
            _set(getattr(new, TYPES[kind][1]), OPTIONS[field.name][0], value)
        elif field.name in OPTIONS or field.name == "hdf5_output_param":
            fits = False
            log.warning("Unknown parameter %s for layer type %s", SAID.get(field.name, field.name), kind)
    if source is not None:
        options = getattr(new, TYPES[kind][1])
        options.ClearField("pad")
        _set(options, "pad", source.layer.pad)
    return fits


def _set(options: Message, name: str, value: object) -> None:
    """Set a field that is a single value in the first generation and may be a list in the second."""
    copy_field([value] if hasattr(getattr(options, name), "extend") else value, options, name)
