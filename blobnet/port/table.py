"""The reports as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from blobnet.log.table import table
from blobnet.port.report import FileReport, Obstacle, StateReport
from blobnet.view.summary import shape_text, size_text

HEADER = ("net", "generation", "beside Caffe 1.0", "parses", "builds", "forward", "backward", "memory", "obstacles")
PLACES = 3  # of an obstacle that are listed
_KINDS = {"solver": "solver files", "other": "other files"}


def overview(reports: Sequence[FileReport]) -> str:
    """A line for each net, the shares of all, and what stops most of them."""
    nets = [report for report in reports if report.is_net]
    others = Counter(report.kind for report in reports if not report.is_net)
    parts = [table([HEADER, *map(overview_row, nets)], left=range(7)), shares(nets)] if nets else []
    if len(reports) > 1 and stops(reports):
        parts.append(table([("files", "obstacle"), *((str(count), text) for text, count in stops(reports))], left=(1,)))
    if others:
        parts.append("no nets: " + ", ".join(f"{count} {_KINDS[kind]}" for kind, count in others.items()))
    return "\n\n".join(parts)


def details(report: FileReport) -> str:
    """What there is to say of one file: how it is built in each state, what is ignored, every obstacle."""
    lines = [report.path]
    if report.kind == "solver":
        nets = ", ".join(report.nets) or ("in the file" if report.states else "none")
        lines.append(f"  a solver; its nets: {nets}")
    elif report.kind == "other":
        lines.append("  no net and no solver")
    for state in report.states:
        lines += [f"  {line}" for line in _state(state)]
    modules = dict.fromkeys(f"{module}.{name}" for module, name, _ in report.modules)
    if modules:
        lines.append("  layers in Python: " + ", ".join(modules) + " (--python-layers lets them run)")
    for field in report.ignored:
        lines.append(f"  without an effect here: {field}")
    for obstacle in report.obstacles:
        lines += [f"  {line}" for line in _obstacle(obstacle)]
    return "\n".join(lines)


def overview_row(report: FileReport) -> tuple[str, ...]:
    """What stands under HEADER."""
    memory = max((state.memory for state in report.states if state.memory is not None), default=None)
    results = map(yes, (report.parsed, report.built, report.ran("forward"), report.ran("backward")))
    return (report.path, report.generation, ", ".join(report.origins[:2]), *results,
            "" if memory is None else size_text(memory), str(len(report.obstacles) or ""))


def shares(nets: Sequence[FileReport]) -> str:
    """How many of the nets are read, built and run."""
    built = [net for net in nets if net.built]
    text = f"{len(nets)} nets, {sum(net.parsed for net in nets)} parse, {len(built)} build"
    for direction in ("forward", "backward"):
        ran = [result for net in built if (result := net.ran(direction)) is not None]
        text += f", {sum(ran)} of {len(ran)} run {direction}" if ran else ""
    return text


def stops(reports: Sequence[FileReport]) -> list[tuple[str, int]]:
    """The obstacles, and how many files have each, the most frequent first."""
    return Counter(obstacle.text for report in reports for obstacle in report.obstacles).most_common()


def yes(value: bool | None) -> str:
    """A word for a result; "-" where nothing was tried."""
    return "-" if value is None else "yes" if value else "no"


def _state(state: StateReport) -> list[str]:
    stages = f", {' and '.join(state.stages)}" if state.stages else ""
    text = f"{state.phase}{stages}: {state.layers} layers, {'built' if state.built else 'not built'}"
    for word, ran in (("forward", state.forward), ("backward", state.backward)):
        text += "" if ran is None else f", {word} {'ran' if ran else 'failed'}"
    if state.rows:
        text += f" with {state.rows} row{'s' * (state.rows > 1)} of data"
    if state.memory is not None:
        text += f", {size_text(state.memory)}, {state.multiply_adds:,} multiply-adds"
    lines = [text]
    if state.note:
        lines.append(f"    {state.note}")
    if state.assumed:
        lines.append("    shapes that nothing tells, assumed: " + ", ".join(
            f"{name} {shape_text(shape)}" for name, shape in state.assumed.items()) + " (--shape says others)")
    return lines


def _obstacle(obstacle: Obstacle) -> list[str]:
    lines = [f"{obstacle.kind}: {obstacle.text}"]
    lines += [f"    {place}" for place in obstacle.places[:PLACES]]
    if len(obstacle.places) > PLACES:
        lines.append(f"    and {len(obstacle.places) - PLACES} other places")
    return lines
