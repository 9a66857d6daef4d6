"""Rules of the contract for what layer types declare: each holds for a layer that is built, as the class says it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from blobnet.backend import to_host
from blobnet.check.case import Case
from blobnet.check.rules.registry import rule
from blobnet.check.rules.run import MARK
from blobnet.check.standalone import Standalone, read_layer
from blobnet.core.layer_type import IDENTITY, LayerType
from blobnet.core.without_data import without_data
from blobnet.errors import BlobnetError, NetError
from blobnet.proto.messages import message_class, new

JUMP = 100.0  # added to one number of a bottom, to see which places of the tops change
FAR = 1e4     # bottoms are multiplied with, to come to the bounds of the tops


@rule
def passes_labels(case: Case) -> Iterator[str]:
    """A type that passes labels makes no numbers: those of its tops are numbers of its bottoms."""
    if case.type.passes_labels:
        alone = case.build()
        given = np.concatenate([np.ravel(value) for value in alone.values])
        for i, top in enumerate(alone.forward()):
            if not np.isin(top, given).all():
                yield f"top {i} has numbers that no bottom has, so labels do not pass"


@rule
def is_split(case: Case) -> Iterator[str]:
    """Every top of a split is its bottom, and the gradients of the tops are added up."""
    if case.type.is_split:
        alone = case.build()
        tops = alone.forward()
        if not all(np.array_equal(top, alone.values[0]) for top in tops):
            yield "a top is not the bottom"
        dx = alone.backward([np.full(top.shape, i + 1.0) for i, top in enumerate(tops)], [True])[0]
        if not np.all(dx == sum(range(1, len(tops) + 1))):
            yield "the diff of the bottom is not the sum of those of the tops"


@rule
def size_bottoms(case: Case) -> Iterator[str]:
    """Other numbers in a bottom of which only the sizes count give the same tops."""
    if not case.type.size_bottoms:
        return
    alone = case.build()
    before = alone.forward()
    for i in [i for i in case.type.size_bottoms if i < len(alone.values)]:  # the last one may be left out
        alone.values[i] = alone.values[i] + 1
        if not all(map(np.array_equal, alone.forward(), before)):
            yield f"the tops change with the numbers of bottom {i}"


@rule
def coordinates(case: Case) -> Iterator[str]:
    """What a place of the bottom reaches in the top lies round the place that the type's map of coordinates tells."""
    found = case.type.coordinates(read_layer(case.source))
    if found is None:
        return
    alone = case.build()
    top, x = alone.forward()[0], alone.values[0]
    first = (1 if found[0] is None else range(x.ndim)[found[0]]) + 1
    if top.ndim != x.ndim or found[0] is None and top.shape != x.shape:
        yield f"a bottom {x.shape} becomes a top {top.shape}"
        return
    for k in range(first, x.ndim):
        scale, shift = (np.broadcast_to(value, x.ndim - first)[k - first] for value in found[1:])
        for place in range(x.shape[k]):
            low, high = _reached(alone, k, place)
            told = scale * place + shift
            if low == 0 or high == top.shape[k] - 1:  # the edge may have cut a part off
                wrong = found == IDENTITY and not low <= told <= high
            else:
                wrong = low <= high and abs((low + high) / 2 - told) > 0.5
            if wrong:
                yield f"place {place} of axis {k} reaches {low} to {high} of the top, not the places round {told:g}"


def _reached(alone: Standalone, axis: int, place: int) -> tuple[int, int]:
    """The first and the last place along `axis` of the top that change with a place of the bottom; (1, 0): none."""
    x = alone.values[0]
    before = alone.forward()[0]
    index = tuple(place if k == axis else size // 2 for k, size in enumerate(x.shape))
    changed = np.zeros(before.shape, bool)
    for jump in (JUMP, -JUMP):
        alone.values[0] = x.copy()
        alone.values[0][index] += jump
        changed |= alone.forward()[0] != before
    alone.values[0] = x
    places = np.flatnonzero(changed.any(axis=tuple(k for k in range(changed.ndim) if k != axis)))
    return (int(places[0]), int(places[-1])) if places.size else (1, 0)


@rule
def rectifies(case: Case) -> Iterator[str]:
    """Where a top of a type that rectifies is 0, no gradient goes through."""
    if case.type.rectifies:
        alone = case.build()
        tops = alone.forward()
        if np.any(alone.backward([np.ones(top.shape) for top in tops], [True])[0][tops[0] == 0]):
            yield "a gradient goes through where the top is 0"


@rule
def bounds(case: Case) -> Iterator[str]:
    """Bottoms far from 0 come to the bounds that a type tells, and have no gradient there."""
    found = case.type.bounds(read_layer(case.source))
    if found is None:
        return
    alone = case.build()
    alone.values[0] = alone.values[0] * FAR
    top, *more = alone.forward()
    dx = alone.backward([np.ones(one.shape) for one in (top, *more)], [True])[0]
    if np.any((top < found[0]) | (top > found[1])):
        yield f"the top has numbers beyond {found}"
    for bound in filter(np.isfinite, found):
        there = np.isclose(top, bound, rtol=0, atol=1e-6)
        if not there.any() or abs(dx[there]).max() > 1e-3:
            yield f"no number comes to {bound:g} and has no gradient there"


@rule
def keeps_statistics(case: Case) -> Iterator[str]:
    """Parameters that are statistics have lr_mult 0."""
    if case.type.keeps_statistics:
        layer = case.build().layer
        if [spec.lr_mult for spec in layer.param.param] != [0] * len(layer.blobs):
            yield "not all of its parameters have lr_mult 0"


@rule
def code_pairs(case: Case) -> Iterator[str]:
    """Pairs have the squared distances of the rows of the first bottom, and forces that pull those alike together."""
    if case.type.code_pairs is LayerType.code_pairs:
        return
    alone = case.build()
    alone.forward()
    found, rows = alone.layer.code_pairs(alone.bottom), alone.values[0].reshape(len(alone.values[0]), -1)
    if found is None:
        return
    if not np.allclose(found.distances, np.square(rows[:, None] - rows).sum(axis=2)):
        yield "the distances are not those of the rows"
    force, similar = to_host(found.force), to_host(found.similar)
    if not np.allclose(force, force.T, atol=0) or np.any(similar != similar.T) or np.any(np.diag(force)):
        yield "the forces of i on j and of j on i differ, or a row has one on itself"
    if np.any(force[similar] < 0) or np.any(force[~similar] > 0) or not force.any():
        yield "not all similar pairs are pulled together and all others pushed apart"


@rule
def is_input(case: Case) -> Iterator[str]:
    """What a user wrote into the tops of an input is still there after a forward."""
    if case.type.is_input:
        alone = case.build()
        for blob in alone.top:
            blob.data.fill(MARK)
        if not all(np.all(top == MARK) for top in alone.forward()):
            yield "forward changes what the user wrote"


@rule
def shapes_without_data(case: Case) -> Iterator[str]:
    """The tops have the shapes that the type tells of the layer before it is built, by its options and its source."""
    param, cls = read_layer(case.source), case.type
    if param.bottom:
        return
    built = [blob.shape for blob in case.build().top]
    rows = getattr(param, cls.batch_field).batch_size if cls.batch_field else 0
    told = {"declared_shapes": [*cls.declared_shapes(param, rows)],
            "read_shape": [cls.read_shape(param, i, rows) for i in range(len(built))]}
    for name, shapes in told.items():
        for i, (shape, real) in enumerate(zip(shapes, built)):
            if shape is not None and not _agree(shape, real):
                yield f"{name} tells {tuple(shape)} of top {i}, which is {real}"
    if cls.batch_field:
        more = [*cls.declared_shapes(param, rows + 1), *(cls.read_shape(param, i, rows + 1) for i in range(len(built)))]
        if any(shape is not None and shape[0] != rows + 1 for shape in more):
            yield f"a batch of {rows + 1} rows has other rows in declared_shapes or read_shape"
    if cls.needs_data(param):
        try:
            without_data(new("NetParameter", layer=[param]))
        except NetError as error:
            yield f"neither options nor source tell the shapes: {error}"


def _agree(told: Sequence[int], real: Sequence[int]) -> bool:
    """Whether the shape that is told, with 0 for an unknown number, may be the real one."""
    return len(told) == len(real) and all(known in (0, size) for known, size in zip(told, real))


@rule
def source(case: Case) -> Iterator[str]:
    """Where a type says that its batch size and its source are, they are; it counts the records that the layer has."""
    param, cls = read_layer(case.source), case.type
    for name, field, wanted in (("batch_field", cls.batch_field, "batch_size"),
                                ("source_field", cls.source_field, "source")):
        if field and wanted not in _options(field):
            yield f"{name} {field!r} has no {wanted}"
            return
    if not cls.source_field:
        return
    records, count = getattr(case.build().layer, "records", None), cls.count_records(param)
    if count < 1 or records not in (None, count):
        yield f"count_records tells {count}, the layer has {records}"
    getattr(param, cls.source_field).source += " is not there"
    try:
        cls.count_records(param)
    except BlobnetError:
        return
    yield "count_records finds records where there is no source"


@rule
def label_tops(case: Case) -> Iterator[str]:
    """Tops with labels have as many rows as the first top, of whole numbers."""
    tops = case.build().forward() if case.type.label_tops else []
    for i in case.type.label_tops:
        if 0 <= i < len(tops) and (tops[i].shape[:1] != tops[0].shape[:1] or np.any(tops[i] != np.round(tops[i]))):
            yield f"top {i} has no row of whole numbers for every row of top 0"


@rule
def facts(case: Case) -> Iterator[str]:
    """The key options are fields of the options, and what pictures say of a layer are lines of text."""
    param, cls = read_layer(case.source), case.type
    for field in cls.key_options:
        if field not in _options(cls.options_field):
            yield f"key_options names {field!r}, which is no option"
            return
    lines = cls.facts(param)
    if not isinstance(lines, list) or not all(isinstance(line, str) and line for line in lines):
        yield f"facts gives {lines!r}, not a list of lines"


@rule
def window_field(case: Case) -> Iterator[str]:
    """The options of a window are where the type says, and say how it slides."""
    field = case.type.window_field
    if field and not {"kernel_size", "stride", "pad"} <= _options(field):
        yield f"window_field {field!r} has no kernel_size, stride and pad"


@rule
def shows_rates(case: Case) -> Iterator[str]:
    """A type whose rates are shown has weights, perhaps a bias of one axis, and num_output in its options."""
    if case.type.shows_rates:
        axes = [blob.num_axes for blob in case.build().layer.blobs]
        if not 1 <= len(axes) <= 2 or axes[1:] not in ([], [1]):
            yield f"its parameters are no weights with a bias: {axes} axes"
        if "num_output" not in _options(case.type.options_field):
            yield "its options have no num_output"


def _options(field: str) -> set[str]:
    """The names in the message that a field of LayerParameter holds; none if there is no such field."""
    found = message_class("LayerParameter").DESCRIPTOR.fields_by_name.get(field)
    return set(found.message_type.fields_by_name) if found is not None and found.message_type else set()
