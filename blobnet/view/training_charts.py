"""Charts of training logs: the eight of Caffe's plot_training_log.py."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from blobnet.errors import DataError, close_matches
from blobnet.view.figure import LINES, PALETTE, new_figure, plain_axes, save
from blobnet.view.training_log import NUMBER, OUTPUTS, RATE, Line, log_name, read_log

FIELDS = ("Test accuracy", "Test loss", "Train learning rate", "Train loss")
CHARTS = tuple((field, axis) for field in FIELDS for axis in ("Iters", "Seconds"))
TEST = re.compile(r"Testing net \(#(\d+)\)")
LOSS = re.compile("Iteration .*, loss = " + NUMBER)
Curve = list[tuple[float, float, float]]  # iteration, seconds, value


def chart_title(chart: int) -> str:
    """What chart type 0 … 7 shows.

    >>> chart_title(6)
    'Train loss vs. Iters'
    """
    return " vs. ".join(CHARTS[chart])


def plot_training_log(chart: int, path: str | os.PathLike, logs: Sequence[str | os.PathLike],
                      output: str | None = None) -> None:
    """Draw chart type `chart`, 0 … 7, of the training `logs` into the file `path`, one curve a log and test net.

    Test accuracy and test loss are the output of the test net with "accuracy" or "loss" in its name, the first if there
    are several; without such a name the first and the second output. `output` names another one. Train loss is the mean
    of the last average_loss iterations. Times are those at which a test begins.
    Raises DataError for a chart type that is not there and for a log that has nothing to draw.
    """
    if not 0 <= chart < len(CHARTS):
        raise DataError("plot_training_log", expected=f"a chart type from 0 to {len(CHARTS) - 1}", got=chart)
    field, axis = CHARTS[chart]
    names = [log_name(log) for log in logs]
    curves = {}
    for log, name in zip(logs, names):
        name = name if names.count(name) == 1 else os.fspath(log)
        for part, curve in _curves(log, field, output).items():
            curves[name + part] = curve
    figure = new_figure(8, 4.8)
    axes = plain_axes(figure, axis, output or field)
    axes.set_title(chart_title(chart) if output is None else f"{output} vs. {axis}", fontsize=11)
    for i, (name, curve) in enumerate(curves.items()):
        axes.plot([point[axis == "Seconds"] for point in curve], [value for *_, value in curve], label=name,
                  color=PALETTE[i % len(PALETTE)], linestyle=LINES[i // len(PALETTE) % len(LINES)], linewidth=1.3,
                  marker="o" if len(curve) <= 60 else None, markersize=3)
    axes.legend(frameon=False, fontsize=9, loc="best" if sum(map(len, curves.values())) < 5000 else "upper right")
    save(figure, path)


def _curves(log: str | os.PathLike, field: str, output: str | None) -> dict[str, Curve]:
    """The curves of one log by what they add to its name; DataError if there are none."""
    lines = read_log(log)
    if field.startswith("Train"):
        pattern = RATE if field == "Train learning rate" else LOSS
        points = [(line, pattern.search(line.text)) for line in lines]
        curves = {"": [(line.iteration, line.seconds, float(found[1])) for line, found in points if found]}
        curves = {name: curve for name, curve in curves.items() if curve}
    else:
        curves = _test_curves(log, lines, field.split()[1], output)
    if not curves:
        setting = "display" if field.startswith("Train") else "test_interval"
        raise DataError(os.fspath(log), f"no {field.lower()} in this log", hint=f"set {setting} in the solver")
    return curves


def _test_curves(log: str | os.PathLike, lines: list[Line], kind: str, output: str | None) -> dict[str, Curve]:
    tests: dict[int, list[tuple[Line, dict[str, float]]]] = {}  # by test net: the begin of a test, its outputs
    results: dict[str, float] = {}
    for line in lines:
        begin, found = TEST.search(line.text), OUTPUTS["Test"].search(line.text)
        if begin:
            results = {}
            tests.setdefault(int(begin[1]), []).append((line, results))
        elif found:
            results[found[2]] = float(found[3])
    curves = {}
    for number, runs in tests.items():
        names = list(dict.fromkeys(name for _, outputs in runs for name in outputs))
        if names:
            name = _output(log, names, kind, output)
            part = f", test net {number}" if len(tests) > 1 else ""
            curves[part] = [(line.iteration, line.seconds, outputs[name]) for line, outputs in runs if name in outputs]
    return curves


def _output(log: str | os.PathLike, names: list[str], kind: str, wanted: str | None) -> str:
    """The output to draw as `kind`, accuracy or loss."""
    if wanted is not None:
        if wanted not in names:
            raise DataError(os.fspath(log), f"the test net has no output {wanted!r}", hint=close_matches(wanted, names))
        return wanted
    place = ("accuracy", "loss").index(kind)
    named = [name for name in names if kind in name.lower()]
    if not named and (len(names) <= place or "loss" in names[place].lower()):
        raise DataError(os.fspath(log), f"no output of the test net looks like its {kind}", got=", ".join(names),
                        hint="choose one: --output NAME")
    return named[0] if named else names[place]
