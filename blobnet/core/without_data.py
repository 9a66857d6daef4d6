"""A net without its data: its data layers made into Input layers, so that it can be built where no data lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from google.protobuf.message import Message

from blobnet.core.registry import declarations
from blobnet.errors import NetError, close_matches
from blobnet.netdef.fields import layer_where, without

Shape = tuple[int, ...]
LIKELY = (1, 3, 224, 224)  # a colour image of the usual size
DATA_SETS = {"mnist": (1, 1, 28, 28), "cifar": (1, 3, 32, 32), "camvid": (1, 3, 360, 480)}  # by a word in the source
LIKELY_TOPS = {"im_info": (1, 3), "gt_boxes": (1, 5), "rois": (2, 5)}  # by what detection calls them


def without_data(net: Message, shapes: Mapping[str, Shape] | None = None,
                 assumed: dict[str, Shape] | None = None) -> Message:
    """A copy of `net` (upgraded and filtered) in which layers that read data, or draw it at random, are Input layers.

    `shapes` gives shapes by top name; it may also change those of Input layers. The type of a data layer tells the
    shapes of other tops: from the first record of its source if that is there, else from its options. A top that is
    not the first, and of which they tell nothing, is taken to be a label, one number a row. NetError for a first top
    whose shape stays unknown, and for a name in `shapes` that no layer without bottoms makes.
    Where a dict `assumed` is given, a top whose shape is known in part or not at all gets a likely one instead: that of
    a well-known data set if the source has its name, else of three channels and 224 x 224 pixels; or as many channels
    as a Slice layer cuts. The shapes of all tops that are not known are written there.

    >>> from blobnet.proto.messages import new
    >>> net = new("NetParameter", layer=[{"type": "DummyData", "top": ["x", "y"], "dummy_data_param": {
    ...     "shape": [{"dim": [4, 3]}, {"dim": [4]}], "data_filler": [{"type": "gaussian"}]}}])
    >>> without_data(net, {"x": (4, 5)}).layer[0].input_param.shape[0].dim
    [4, 5]
    """
    return _replaced(net, shapes or {}, lambda layer: declarations(layer).needs_data(layer), assumed)


def with_inputs(net: Message, shapes: Mapping[str, Shape]) -> Message:
    """A copy of `net` in which the layers without bottoms that have a top in `shapes` are Input layers, and no others.

    The shapes of their other tops are found as `without_data` finds them, and its errors are raised.
    """
    return _replaced(net, shapes, lambda layer: False)


def shapes_in(net: Message, shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    """Those of `shapes` whose names are tops of layers without bottoms in `net`."""
    return {top: shapes[top] for layer in net.layer if not layer.bottom for top in layer.top if top in shapes}


def _replaced(net: Message, shapes: Mapping[str, Shape], needs_data: Callable[[Message], bool],
              assumed: dict[str, Shape] | None = None) -> Message:
    tops = [name for layer in net.layer if not layer.bottom for name in layer.top]
    for name in shapes:
        if name not in tops:
            raise NetError(f"shape of {name!r}", "no data layer has this top", hint=close_matches(name, tops))
    result = without(net, "layer")
    for layer in net.layer:
        becomes_input = not layer.bottom and len(layer.top) and (
            any(name in shapes for name in layer.top) or needs_data(layer))
        result.layer.add().CopyFrom(_as_input(layer, shapes, assumed, net) if becomes_input else layer)
    return result


def _as_input(layer: Message, shapes: Mapping[str, Shape], assumed: dict[str, Shape] | None, net: Message) -> Message:
    result = type(layer)(name=layer.name, type="Input", top=layer.top, include=layer.include, exclude=layer.exclude)
    if layer.HasField("phase"):
        result.phase = layer.phase
    told = _shapes(layer, shapes)
    for i, (name, shape) in enumerate(zip(layer.top, told)):
        if shape is None or not all(shape):
            if assumed is None and (shape is not None or not i):
                raise NetError(layer_where(layer.name, layer.type), f"no shape of top {name!r} without its data",
                               hint=f"give it: --shape {name}=N,C,H,W")
            likely = likely_shape(name, shape, told[0] if i else None, _source(layer), _rows(layer))
            shape = told[i] = likely if shape and all(shape[1:2]) else _sliced(name, likely, net)
            if assumed is not None:
                assumed[name] = shape
        result.input_param.shape.add().dim.extend(shape)
    return result


def likely_shape(name: str, shape: Shape | None, first: Shape | None, source: str = "", rows: int = 0) -> Shape:
    """What the shape of the top `name` may be: as far as known that of `shape`, whose unknown numbers are 0.

    `first`: the shape of the first top of the layer, if this is another one; source: where its data comes from; rows:
    how many a batch has, 0 if that is not known.

    >>> likely_shape("data", (8, 0, 32, 32), None), likely_shape("label", None, (8, 3, 32, 32))
    ((8, 3, 32, 32), (8,))
    """
    usual = next((shape for word, shape in DATA_SETS.items() if word in source.lower()), LIKELY)
    if shape is None:
        return LIKELY_TOPS.get(name) or ((rows or usual[0], *usual[1:]) if first is None else first[:1])
    guesses = usual[:1] + usual[1:][max(0, 4 - len(shape)):] + usual[-1:] * (len(shape) - 4)
    return tuple(known or guess for known, guess in zip(shape, guesses))


def _sliced(name: str, shape: Shape, net: Message) -> Shape:
    """`shape` with as many channels as the Slice layers of `net` need that cut the top `name` by channels."""
    for layer in net.layer:
        if layer.type == "Slice" and layer.bottom[:1] == [name] and layer.slice_param.axis == 1 and len(shape) > 1:
            ends = [0, *layer.slice_param.slice_point]
            if len(ends) > 1 and shape[1] <= ends[-1]:  # the last piece is as long as the one before
                shape = (shape[0], 2 * ends[-1] - ends[-2], *shape[2:])
            elif len(ends) == 1 and shape[1] % len(layer.top):
                shape = (shape[0], len(layer.top) * shape[1], *shape[2:])
    return shape


def _completed(shape: Shape | None, first: Shape | None) -> Shape | None:
    """`shape` with the numbers of the first top where it has unknown ones, which are 0; that shape if it is None."""
    if shape is None or first is None or len(shape) != len(first):
        return first if shape is None else shape
    return tuple(known or size for known, size in zip(shape, first))


def _rows(layer: Message) -> int:
    """The batch size in the options of a data layer, 0 for other layers."""
    field = declarations(layer).batch_field
    return getattr(layer, field).batch_size if field else 0


def _source(layer: Message) -> str:
    """The source in the options of a data layer, whichever message holds them."""
    return next((value.source for field, value in layer.ListFields()
                 if field.message_type and "source" in field.message_type.fields_by_name), "")


def _shapes(layer: Message, given: Mapping[str, Shape]) -> list[Shape | None]:
    """The shape of each top: the one given, or read from the source, or told by the options. The first top decides how
    many rows the others have, and the shape of those that the options leave open. 0 is an unknown number."""
    cls, rows = declarations(layer), _rows(layer)
    first = given.get(layer.top[0]) or cls.read_shape(layer, 0, rows)
    if first:
        rows = first[0]
    told = cls.declared_shapes(layer, rows)
    told = [_completed(shape, first) for shape in told] + [None] * (len(layer.top) - len(told))
    others = [given.get(name) or cls.read_shape(layer, i, rows) or shape
              for i, (name, shape) in enumerate(zip(layer.top, told)) if i > 0]
    return [first or told[0], *others]
