"""The batch that a page shows: a few rows of a net's data, or made-up numbers where the data does not lie here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from google.protobuf.message import Message

from blobnet.check.net import fill_inputs, label_names, with_small_batches
from blobnet.core.layer_type import LayerType
from blobnet.core.net import Net
from blobnet.core.registry import declarations
from blobnet.core.without_data import Shape, without_data
from blobnet.errors import BlobnetError, NetError, ShapeError, within
from blobnet.netdef.load import load

ROWS = 4        # of the batch, by default: few, so that every number of it has room on the page
PAIRED_ROWS = 12  # where a loss compares rows with each other
MADE_UP = "the inputs are made up and may not suit the net: give its data, or --inputs FILE.npz, arrays by blob name"
MORE_ROWS = (6, 12, 1 << 30)  # where the net cannot be built on those: two triplets, then all rows


class Question(NamedTuple):
    """Which net is explained, and on what.

    source: a file or a NetParameter; inputs: arrays by blob name, whole batches; shapes: those of tops of data layers;
    rows: how many rows of the data are taken, 0 for as many as usual; the rest as for Net.
    """

    source: str | os.PathLike | Message
    phase: int = 0
    inputs: Mapping[str, np.ndarray] = {}
    shapes: Mapping[str, Shape] = {}
    rows: int = 0
    level: int = 0
    stages: Sequence[str] = ()
    seed: int = 1
    python_layers: bool = False

    @property
    def origin(self) -> str:
        """The file of the net, "" if it is a NetParameter."""
        return "" if isinstance(self.source, Message) else os.fspath(self.source)


class Batch(NamedTuple):
    """A net that reads from Input layers, in float64, with their values; notes: what a reader should know of them."""

    net: Net
    notes: list[str]


def small_net(question: Question) -> Batch:
    """The net of `question` on a few rows, and its inputs filled.

    Rows come from the data layers, as far apart in their batch as they go, or are made up where these cannot be read.
    The whole batch is taken where the net cannot be built on fewer rows. Gradients reach the inputs where the layers
    allow it. NetError and its kin for a net that cannot be built.
    """
    given = load(question.source, question.phase, question.level, question.stages)
    known = {name: np.asarray(value, float) for name, value in question.inputs.items()}
    shapes = dict(question.shapes) | {name: value.shape for name, value in known.items()}
    read, notes = ({}, []) if shapes else _read(given, question)
    assumed: dict[str, Shape] = {}
    for rows in _rows(given, question):
        values = _few_rows(read, rows) if read else known
        definition = without_data(given, shapes | {name: value.shape for name, value in values.items()}, assumed)
        if not values and not shapes:
            definition = with_small_batches(definition, rows)
        try:
            net = _filled(definition, question, values, label_names(given))
            break
        except (NetError, ShapeError):  # a layer may cut the batch, or want as many rows as are written somewhere
            if rows in (question.rows, MORE_ROWS[-1]):
                raise
    notes += [f"{name} is taken to be {' x '.join(map(str, shape))}, as nothing tells its shape"
              for name, shape in assumed.items()]
    made_up = [name for name in net.inputs if name not in values]
    if made_up:
        notes.append(f"{', '.join(made_up)}: made-up numbers, normal ones and 0 or 1 for labels")
    return Batch(net, notes)


def _rows(given: Message, question: Question) -> Sequence[int]:
    """The numbers of rows to try."""
    if question.rows:
        return [question.rows]
    pairs = any(declarations(layer).code_pairs is not LayerType.code_pairs for layer in given.layer)
    return [PAIRED_ROWS if pairs else ROWS, *MORE_ROWS]


def _filled(definition: Message, question: Question, values: Mapping[str, np.ndarray], labels: set[str]) -> Net:
    """The net, with values in its inputs, which it ran forward on."""
    try:
        net = _build(definition, question, force_backward=True)
    except (NetError, ShapeError):  # a layer that has no backward may stand above the inputs
        net = _build(definition, question, force_backward=False)
    fill_inputs(net, values, labels, np.random.default_rng(question.seed))
    with within("", "" if values else MADE_UP):
        net.forward()
    net.seek(0)
    return net


def _build(definition: Message, question: Question, force_backward: bool) -> Net:
    definition.force_backward = force_backward
    return Net(definition, question.phase, level=question.level, stages=question.stages, dtype="float64",
               random_seed=question.seed, origin=question.origin, python_layers=question.python_layers)


def _read(given: Message, question: Question) -> tuple[dict[str, np.ndarray], list[str]]:
    """The first batch of the data layers, by top; nothing, and why, if it cannot be read."""
    only = type(given)(name=given.name, layer=[layer for layer in given.layer
                                               if not layer.bottom and declarations(layer).needs_data(layer)])
    try:
        net = Net(only, question.phase, level=question.level, stages=question.stages, random_seed=question.seed,
                  python_layers=question.python_layers)
        net.forward()
    except BlobnetError as error:
        return {}, [f"no data: {error}"]
    return {name: np.array(blob.data, float) for name, blob in net.blobs.items()}, []


def _few_rows(values: Mapping[str, np.ndarray], rows: int) -> dict[str, np.ndarray]:
    """Some rows of arrays that have one number of rows, as far apart as they go; else the arrays."""
    counts = {value.shape[:1] for value in values.values()}
    if len(counts) != 1 or () in counts:
        return dict(values)
    (count,), = counts
    rows = min(rows, count)
    return {name: value[np.arange(rows) * count // rows] for name, value in values.items()}
