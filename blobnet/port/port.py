"""`port`: everything that is said of a file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from google.protobuf.message import Message

from blobnet.check.net import label_names
from blobnet.core.context import Context
from blobnet.core.net import Net
from blobnet.core.registry import declarations, known_class
from blobnet.core.without_data import likely_shape, without_data
from blobnet.errors import BlobnetError, MissingFile
from blobnet.netdef.ignored import grouped, ignored_fields
from blobnet.netdef.solver_nets import find_net, inner_nets, named_nets
from blobnet.netdef.splits import insert_splits
from blobnet.netdef.upgrade import upgrade_net
from blobnet.port.files import Reading, read_file
from blobnet.port.origin import generation, programs
from blobnet.port.report import FileReport, Shape, StateReport
from blobnet.port.sieve import Note, sieve
from blobnet.port.states import states
from blobnet.port.survey import Survey
from blobnet.port.trial import try_passes


def port(path: str | os.PathLike, *, shapes: Mapping[str, Shape] | None = None, level: int = 0,
         stages: Sequence[str] = (), run: bool = True, python_layers: bool = False) -> FileReport:
    """What stands between the net in a file and a run of it here: all obstacles, not the first.

    The net is read, upgraded, built in every phase and stage that it has, and run forward and backward on noise, unless
    `run` is False. No data is needed: see `without_data`, of which `shapes` and the likely ones are written down. A
    layer of the type Python without bottoms is taken for one that reads data. `level`, `stages` and `python_layers` are
    those of Net. MissingFile if there is no such file.
    """
    reading, path = read_file(path), os.fspath(path)
    report = FileReport(path, reading.kind)
    for fault in reading.faults:
        report.add("field", fault.error)
    if reading.end is not None:
        report.add("syntax", reading.end)
    report.parsed = not report.obstacles and reading.message is not None
    look = partial(_look_at_net, report, shapes=dict(shapes or {}), level=level, stages=stages, run=run,
                   python_layers=python_layers)
    if reading.kind == "net":
        look(reading.message, faulty=_faulty(reading))
    elif reading.kind == "solver":
        _look_for_nets(report, reading.message)
        for net in inner_nets(reading.message):
            look(net, faulty=set())
    return report


def _look_for_nets(report: FileReport, solver: Message) -> None:
    for name in named_nets(solver):
        try:
            report.nets.append(find_net(name, report.path))
        except MissingFile as error:
            report.add("file", error)


def _look_at_net(report: FileReport, message: Message, *, faulty: set[str], shapes: dict[str, Shape], level: int,
                 stages: Sequence[str], run: bool, python_layers: bool) -> None:
    """Add what there is to say of a net; `faulty` are the names of layers in whose text there are faults."""
    report.generation = generation(message)
    try:
        net = upgrade_net(message, report.path)
    except BlobnetError as error:
        report.add("net", error)
        return
    report.ignored += [": ".join(filter(None, row)) for row in grouped(ignored_fields(message))]
    report.modules += [(layer.python_param.module, layer.python_param.layer, layer.python_param.param_str)
                       for layer in net.layer if layer.type == "Python"]
    report.types, report.origins = dict(Counter(layer.type for layer in net.layer)), programs(net)
    for phase, chosen, filtered in states(net, level, stages):
        state = StateReport("TEST" if phase else "TRAIN", chosen, len(filtered.layer))
        report.states.append(state)
        mine = {name: shape for name, shape in shapes.items() if any(name in layer.top for layer in filtered.layer)}
        known = sieve(filtered, report.path, faulty, report.add)
        made = _build(known, phase, mine, report.path, python_layers, state, report.add)
        state.built = made is not None and len(known.layer) == len(filtered.layer) and not _unknown_sources(known)
        if state.built and run:
            try_passes(made, label_names(filtered), state, report.add)


def _faulty(reading: Reading) -> set[str]:
    """The names of layers with a value that is not known, without one that they need, or in which the reading ended."""
    layers = [layer.name or layer.layer.name for layer in reading.message.layers] or [
        layer.name for layer in reading.message.layer]
    places = [fault.token.path[0] for fault in reading.faults if fault.token.kind != "name" and fault.token.path]
    faulty = {layers[place.number] for place in places if place.field in ("layer", "layers")
              and place.number < len(layers)}
    return faulty | set(layers[-1:] if reading.end else [])


def _build(net: Message, phase: int, shapes: dict[str, Shape], origin: str, python_layers: bool, state: StateReport,
           note: Note) -> Net | None:
    """The filtered `net` without its data, or None, and every error that there is told to `note`."""
    state.assumed = {}
    try:
        definition = without_data(net, _constants(net) | shapes | _sources(net, shapes, state.assumed), state.assumed)
    except BlobnetError as error:
        note("net", error)
        return None
    try:
        return _net(definition, phase, origin, python_layers)
    except Exception:  # which one, and whether there are more, is looked at below
        pass
    survey = Survey(insert_splits(definition, origin), phase, Context(python_layers=python_layers, fillers=False),
                    origin, state.assumed)
    for layer, found in survey.errors:
        note("python" if layer.type == "Python" else "net", found)
    if survey.errors:
        return None
    definition = without_data(definition, state.assumed)
    try:
        return _net(definition, phase, origin, python_layers)
    except Exception as error:
        note("net", error)
        return None


def _net(definition: Message, phase: int, origin: str, python_layers: bool) -> Net:
    if not any(_is_loss(layer) for layer in definition.layer):
        definition.force_backward = True
    return Net(definition, phase, random_seed=0, origin=origin, python_layers=python_layers, fillers=False)


def _is_loss(layer: Message) -> bool:
    return any(layer.loss_weight) or not layer.loss_weight and declarations(layer).default_loss_weight


def _sources(net: Message, shapes: Mapping[str, Shape], assumed: dict[str, Shape]) -> dict[str, Shape]:
    """Likely shapes for the tops of layers without bottoms whose types tell none: unknown ones, and the type Python.
    They are written into `assumed` too."""
    found = {}
    for layer in net.layer:
        if not layer.bottom and (known_class(layer) is None or layer.type == "Python"):
            first = None
            for name in layer.top:
                shape = shapes.get(name) or likely_shape(name, None, first)
                first = first or shape
                if name not in shapes:
                    found[name] = shape
    assumed.update(found)
    return found


def _constants(net: Message) -> dict[str, Shape]:
    """The shapes of tops that are filled with one number, as DummyData does, which need not do for labels."""
    return {name: tuple(shape) for layer in net.layer if not layer.bottom and not declarations(layer).is_input
            for name, shape in zip(layer.top, declarations(layer).declared_shapes(layer, 0))
            if shape is not None and not declarations(layer).needs_data(layer)}


def _unknown_sources(net: Message) -> bool:
    return any(known_class(layer) is None for layer in net.layer)
