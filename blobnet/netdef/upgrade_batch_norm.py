"""BatchNorm layers as forks write them, made into those of Caffe: BatchNorm, and Scale behind it.

In NVIDIA's fork a BatchNorm layer with scale_bias does the work of both. In Intel's, a BatchNorm layer takes over the
Scale layer that follows it, and its own filler says what the factors start from.
"""

from __future__ import annotations

from google.protobuf.message import Message

STATISTICS = 3  # parameters of a BatchNorm: mean, variance, factor
# fields of Intel's fork, beside which bias_filler is not NVIDIA's
OF_INTEL = ("filler", "use_weight_bias", "bias_term")
# options of BatchNorm for a Scale layer, and their names there
FILLERS = (("filler", "filler"), ("scale_filler", "filler"), ("bias_filler", "bias_filler"))


def is_stale_batch_norm(layer: Message) -> bool:
    """Whether a layer is a BatchNorm that `upgrade_batch_norm` changes."""
    return layer.type == "BatchNorm" and (_learns_statistics(layer) or _starts_scale(layer) or _scales(layer))


def upgrade_batch_norm(net: Message, index: int) -> None:
    """Bring the layer `index` of `net`, for which `is_stale_batch_norm` holds, up to date.

    A layer that lists its three statistics as learnable gets rates 0 for them. Fillers go to the Scale layer that
    reads its top next, in Intel's fork; where there is none, and in NVIDIA's, a Scale layer is inserted behind it.
    """
    layer = net.layer[index]
    if _starts_scale(layer):
        scale = _scale_behind(net, index)
        if scale is None:
            layer.batch_norm_param.scale_bias = True
        else:
            _move_fillers(layer, scale)
    if _scales(layer):
        net.layer.insert(index + 1, _split_scale(layer))
        layer = net.layer[index]
    if _learns_statistics(layer):
        for spec in layer.param:
            spec.lr_mult = spec.decay_mult = 0


def share_stats_batch_size(net: Message) -> None:
    """Give the bn_stats_batch_size of `net` to its BatchNorm layers, in Intel's fork."""
    for layer in net.layer:
        if layer.type == "BatchNorm":
            layer.batch_norm_param.stats_batch_size = net.bn_stats_batch_size
    net.ClearField("bn_stats_batch_size")


def _learns_statistics(layer: Message) -> bool:
    """Whether a BatchNorm layer has rates for its three blobs (mean, variance, factor), which are not learned."""
    return len(layer.param) == STATISTICS and any(spec.lr_mult != 0 or spec.decay_mult != 0 for spec in layer.param)


def _starts_scale(layer: Message) -> bool:
    """Whether a BatchNorm layer has fillers for a Scale layer, as in Intel's fork."""
    options = layer.batch_norm_param
    return options.HasField("filler") or options.HasField("bias_filler") and any(map(options.HasField, OF_INTEL))


def _scales(layer: Message) -> bool:
    """Whether a BatchNorm layer scales and shifts what it normalised, as in NVIDIA's fork."""
    options = layer.batch_norm_param
    return options.scale_bias or any(options.HasField(field) for field, _ in FILLERS)


def _scale_behind(net: Message, index: int) -> Message | None:
    """The Scale layer that is the next to read the top of the BatchNorm layer `index`; None if it is another layer."""
    top = net.layer[index].top[0] if net.layer[index].top else None
    reader = next((layer for layer in net.layer[index + 1:] if top in layer.bottom), None)
    return reader if reader is not None and reader.type == "Scale" and len(reader.bottom) == 1 else None


def _split_scale(layer: Message) -> Message:
    """The Scale layer, in place on the top of the BatchNorm `layer`, that takes over its scale and bias.

    What belongs to them goes there: the fillers, and parameters and their rules from the fourth on.
    """
    scale = type(layer)(name=layer.name + "_scale", type="Scale", bottom=layer.top, top=layer.top,
                        include=layer.include, exclude=layer.exclude)
    if layer.HasField("phase"):
        scale.phase = layer.phase
    scale.scale_param.bias_term = True
    _move_fillers(layer, scale)
    for field in ("param", "blobs"):
        items = getattr(layer, field)
        getattr(scale, field).extend(items[STATISTICS:])
        del items[STATISTICS:]
    layer.batch_norm_param.ClearField("scale_bias")
    return scale


def _move_fillers(layer: Message, scale: Message) -> None:
    options = layer.batch_norm_param
    for old, new in FILLERS:
        if options.HasField(old):
            getattr(scale.scale_param, new).CopyFrom(getattr(options, old))
            options.ClearField(old)
