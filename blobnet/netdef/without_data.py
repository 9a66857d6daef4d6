"""A net without its data: its data layers made into Input layers, so that it can be built where no data lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from google.protobuf.message import Message

from blobnet.errors import NetError, close_matches
from blobnet.netdef.fields import layer_where, without

Shape = tuple[int, ...]
OPTIONS = {"Data": "data_param", "ImageData": "image_data_param", "HashingImageData": "image_data_param",
           "HDF5Data": "hdf5_data_param", "MemoryData": "memory_data_param", "PairData": "data_param",
           "TripletData": "data_param", "TripletListData": "data_param", "WindowData": "window_data_param"}
LISTS = ("ImageData", "HashingImageData")  # read lists of image files


def without_data(net: Message, shapes: Mapping[str, Shape] | None = None,
                 infer: Callable[[Message], Shape | None] | None = None) -> Message:
    """A copy of `net` (upgraded and filtered) in which layers that read data, or draw it at random, are Input layers.

    `shapes` gives shapes by top name; it may also change those of Input layers. The first top of other data layers
    takes the shape that `infer(layer)` finds, or that its options tell, and there is one label a row; the tops of
    HDF5Data are inferred one by one. NetError for a top whose shape stays unknown, and for a name in `shapes` that no
    layer without bottoms makes.

    >>> from blobnet.proto.messages import new
    >>> net = without_data(new("NetParameter", layer=[{"type": "Data", "top": ["x", "y"]}]), {"x": (4, 1, 28, 28)})
    >>> net.layer[0].type, list(net.layer[0].input_param.shape[1].dim)
    ('Input', [4])
    """
    shapes = shapes or {}
    tops = [name for layer in net.layer if not layer.bottom for name in layer.top]
    for name in shapes:
        if name not in tops:
            raise NetError(f"shape of {name!r}", "no data layer has this top", hint=close_matches(name, tops))
    result = without(net, "layer")
    for layer in net.layer:
        result.layer.add().CopyFrom(_as_input(layer, shapes, infer) if _reads_data(layer, shapes) else layer)
    return result


def _reads_data(layer: Message, shapes: Mapping[str, Shape]) -> bool:
    if layer.bottom:
        return False
    return (layer.type in OPTIONS or any(name in shapes for name in layer.top)
            or layer.type == "DummyData" and any(f.type != "constant" for f in layer.dummy_data_param.data_filler))


def _as_input(layer: Message, shapes: Mapping[str, Shape], infer: Callable[[Message], Shape | None] | None) -> Message:
    first = shapes.get(layer.top[0]) or (infer(layer) if infer else None)
    known = _known_shapes(layer, first[0] if first else None)
    if first:
        known = [first if shape is None else shape for shape in known]
        known[:1] = [first]
    if infer and layer.type == "HDF5Data":  # each top is a dataset of its own
        known[1:] = [infer(_only_top(layer, name)) or shape for name, shape in zip(layer.top[1:], known[1:])]
    result = type(layer)(name=layer.name, type="Input", top=layer.top, include=layer.include, exclude=layer.exclude)
    if layer.HasField("phase"):
        result.phase = layer.phase
    for i, name in enumerate(layer.top):
        shape = shapes.get(name) or (known[i] if i < len(known) else None)
        if shape is None:
            raise NetError(layer_where(layer.name, layer.type), f"no shape of top {name!r} without its data",
                           hint=f"give it: --shape {name}=N,C,H,W")
        result.input_param.shape.add().dim.extend(shape)
    return result


def _only_top(layer: Message, name: str) -> Message:
    """`layer` with `name` as its only top."""
    copy = without(layer, "top")
    copy.top.append(name)
    return copy


def _known_shapes(layer: Message, batch: int | None) -> list[Shape | None]:
    """The shapes of the tops as far as the options tell, trailing ones left out; `batch` replaces the batch size."""
    count = len(layer.top)
    if layer.type == "Input":
        shapes = [tuple(shape.dim) for shape in layer.input_param.shape]
        return shapes * count if len(shapes) == 1 else shapes
    if layer.type == "DummyData":
        options = layer.dummy_data_param
        legacy = [options.num, options.channels, options.height, options.width]
        shapes = [tuple(shape.dim) for shape in options.shape] or list(zip(*(
            [*values] * count if len(values) == 1 else values for values in legacy)))
        return shapes * count if len(shapes) == 1 else shapes
    if layer.type not in OPTIONS:
        return []
    options = getattr(layer, OPTIONS[layer.type])
    batch = batch or options.batch_size
    if layer.type == "MemoryData":
        return [(batch, options.channels, options.height, options.width), (batch,)]
    if layer.type == "HDF5Data":
        return [None, *[(batch,)] * (count - 1)]
    image, labels = _image_shape(layer, options), (batch,)
    if layer.type in LISTS and options.label_num > 1:
        labels = (batch, options.label_num)
    if layer.type == "TripletListData":
        labels = (batch, layer.triplet_list_param.attributes)
    images = [(batch, *image) if all(image) else None] * (2 if layer.type == "PairData" else 1)
    return [*images, labels]


def _image_shape(layer: Message, options: Message) -> Shape:
    """(C, H, W) of an image, 0 for what the options do not tell."""
    side, resized = layer.transform_param.crop_size, layer.transform_param.resize_param
    height, width = side or resized.height, side or resized.width
    if layer.type in LISTS:
        return 3 if options.is_color else 1, height or options.new_height, width or options.new_width
    means = len(layer.transform_param.mean_value)  # one for each channel, but a single one may serve all
    return 3 if layer.type == "WindowData" else means if means > 1 else 0, height, width
