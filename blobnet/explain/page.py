"""A net explained on a page: `explain`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from blobnet.core.weights import none_copied
from blobnet.errors import NetError
from blobnet.explain.arrays import arrays_for
from blobnet.explain.batch import Question, small_net
from blobnet.explain.broken import Broken, break_layer
from blobnet.explain.diagnosis import broken_row, mark_rows, pairs_row
from blobnet.explain.fault import Fault
from blobnet.explain.film import Film
from blobnet.explain.header import layer_row, value_rows
from blobnet.explain.html import page_html
from blobnet.explain.payload import finite
from blobnet.explain.stage import Stage
from blobnet.proto.storage import atomic_write
from blobnet.view import mathematics
from blobnet.view.draw import page_svg

Files = Sequence[str | os.PathLike]


class Lesson(NamedTuple):
    """What is shown beside one pass: a training by the file `solver` over `steps` iterations, and a fault laid over a
    layer's backward."""

    solver: str | os.PathLike | None = None
    steps: int = 100
    fault: Fault | None = None


def explain(question: Question, out: str | os.PathLike, weights: Files = (), lesson: Lesson | None = None,
            command: str = "") -> list[str]:
    """Write the page of a net at a batch into the file `out`, atomically; return what a reader should know of it.

    weights: whose parameters are copied by layer name, and from which trainings begin; command: the line that the page
    shows as its own. Raises what Net and Solver raise.
    """
    lesson = lesson or Lesson()
    net, notes = small_net(question)
    for given in weights:
        if not net.copy_from(given) and net.params:
            raise NetError(question.origin or f"net {net.name!r}", **none_copied(given, net.name))
    stage, film = Stage(net), None
    start = {"random_seed": question.seed, "python_layers": question.python_layers,
             "weights": ",".join(os.fspath(file) for file in weights) or None}
    if lesson.solver is None:
        stage.run()
    else:
        film = Film(stage, lesson.solver, lesson.steps, **start)
    header, binary = describe(stage, film, lesson, start)
    cut = header["left_out"]
    header |= {"source": question.origin, "command": command, "left_out": [*notes, *cut]}
    styles = mathematics.style() + page_svg.style()
    with atomic_write(out) as file:
        file.write(page_html(finite(header), binary, page_svg.page_svg(net).svg, styles).encode())
    said = f"{len(cut)} arrays are too large for the page, which has a corner of each and lists them"
    return notes + [said] * bool(cut)


def describe(stage: Stage, film: Film | None, lesson: Lesson, start: Mapping[str, Any]) -> tuple[dict, bytes]:
    """What the page says of a stage that has run: a header and the arrays in it; `start`: how trainings begin."""
    net, arrays = stage.net, arrays_for(stage, film is not None)
    rows = max((value.data.shape[0] for value in stage.values if value.data.shape), default=0)
    marks = mark_rows(stage)
    pairs = pairs_row(stage, film, arrays.pack)  # of what the net holds now, before a fault is checked in it
    broken = lesson.fault and broken_row(_break(stage, lesson.fault, lesson, start))
    if broken:
        marks.setdefault(broken["layer"], []).append({"kind": "broken", "text": broken["text"]})
    header = {"title": net.name or "net", "phase": ("TRAIN", "TEST")[net.phase],
              "batch": rows, "loss": float(net.loss), "values": value_rows(stage, arrays),
              "pairs": pairs, "training": film and film.row(arrays.pack), "broken": broken}
    header["layers"] = [layer_row(stage, index, arrays, film.updates if film else {}) | {"marks": marks.get(index, [])}
                        for index in stage.scenes]
    return header | {"left_out": arrays.left_out}, arrays.pack.binary


def _break(stage: Stage, fault: Fault, lesson: Lesson, start: Mapping[str, Any]) -> Broken:
    scene = stage.scenes[stage.net.position(fault.layer, "--break")]
    return break_layer(stage.net, *fault, lesson.solver, lesson.steps,
                       [stage.values[value].data for value in scene.bottoms], **start)
