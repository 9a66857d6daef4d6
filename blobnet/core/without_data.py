"""A net without its data: its data layers made into Input layers, so that it can be built where no data lies."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.message import Message

from blobnet.core.registry import declarations
from blobnet.errors import NetError, close_matches
from blobnet.netdef.fields import layer_where, without

Shape = tuple[int, ...]


def without_data(net: Message, shapes: Mapping[str, Shape] | None = None) -> Message:
    """A copy of `net` (upgraded and filtered) in which layers that read data, or draw it at random, are Input layers.

    `shapes` gives shapes by top name; it may also change those of Input layers. The type of a data layer tells the
    shapes of other tops: from the first record of its source if that is there, else from its options. NetError for a
    top whose shape stays unknown, and for a name in `shapes` that no layer without bottoms makes.

    >>> from blobnet.proto.messages import new
    >>> net = new("NetParameter", layer=[{"type": "DummyData", "top": ["x", "y"], "dummy_data_param": {
    ...     "shape": [{"dim": [4, 3]}, {"dim": [4]}], "data_filler": [{"type": "gaussian"}]}}])
    >>> without_data(net, {"x": (4, 5)}).layer[0].input_param.shape[0].dim
    [4, 5]
    """
    shapes = shapes or {}
    tops = [name for layer in net.layer if not layer.bottom for name in layer.top]
    for name in shapes:
        if name not in tops:
            raise NetError(f"shape of {name!r}", "no data layer has this top", hint=close_matches(name, tops))
    result = without(net, "layer")
    for layer in net.layer:
        result.layer.add().CopyFrom(_as_input(layer, shapes) if _becomes_input(layer, shapes) else layer)
    return result


def _becomes_input(layer: Message, shapes: Mapping[str, Shape]) -> bool:
    if layer.bottom or not layer.top:
        return False
    return any(name in shapes for name in layer.top) or declarations(layer).needs_data(layer)


def _as_input(layer: Message, shapes: Mapping[str, Shape]) -> Message:
    result = type(layer)(name=layer.name, type="Input", top=layer.top, include=layer.include, exclude=layer.exclude)
    if layer.HasField("phase"):
        result.phase = layer.phase
    for name, shape in zip(layer.top, _shapes(layer, shapes)):
        if shape is None:
            raise NetError(layer_where(layer.name, layer.type), f"no shape of top {name!r} without its data",
                           hint=f"give it: --shape {name}=N,C,H,W")
        result.input_param.shape.add().dim.extend(shape)
    return result


def _shapes(layer: Message, given: Mapping[str, Shape]) -> list[Shape | None]:
    """The shape of each top: the one given, or read from the source, or told by the options. The first top decides how
    many rows the others have, and the shape of those that the options leave open."""
    cls = declarations(layer)
    rows = getattr(layer, cls.batch_field).batch_size if cls.batch_field else 0
    first = given.get(layer.top[0]) or cls.read_shape(layer, 0, rows)
    if first:
        rows = first[0]
    told = cls.declared_shapes(layer, rows)
    told = [first if shape is None else shape for shape in told] + [None] * (len(layer.top) - len(told))
    others = [given.get(name) or cls.read_shape(layer, i, rows) or shape
              for i, (name, shape) in enumerate(zip(layer.top, told)) if i > 0]
    return [first or told[0], *others]
