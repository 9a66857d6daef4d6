"""Backward: what it writes, and its numbers against differences and against the right layer."""

from __future__ import annotations

import numpy as np

from blobnet.backend import single_threaded_blas
from blobnet.check.compare import Rules, compare
from blobnet.check.differences import Slopes
from blobnet.check.grading.draws import draws
from blobnet.check.grading.evidence import Evidence
from blobnet.check.grading.explain import explain
from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.marks import MARK, look_at_marks
from blobnet.check.grading.passes import Pass, Spot, run, same
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.subject import Subject
from blobnet.core.layer import Layer

RULES = Rules(exhaustive=16, directions=3)
ROUGH = 1e-5  # of the largest: how exact differences of one element are
ROUGHEST = 1e-3
FEW = 128     # elements of an array whose slopes are computed one by one if nothing else explains it
NOT_HERE = ("two backwards", "the diff of bottom")  # breaches that the marks tell better


def look_at_backward(subject: Subject) -> list[Finding]:
    """The diffs of the bottoms and of the parameters."""
    scene, mine = subject.scene, subject.mine
    if not scene.has_backward:
        return [Finding("backward", State.RIGHT, "the layer needs none.")]
    if type(mine.layer).backward is Layer.backward:
        return [Finding("backward", State.WRONG, "the class has no backward.", Slip.UNWRITTEN)]
    clean, marked = (run(subject.build(), scene.dy, scene.wanted, mark) for mark in (0.0, MARK))
    findings = _writes(subject)
    if any("changes data" in finding.words for finding in findings):  # what is computed from it is not worth a look
        return findings
    for spot in _spots(subject):
        numbers = _numbers(subject, spot, clean)
        mark = look_at_marks(spot, clean.at(spot), marked.at(spot))
        if mark and (numbers.state is State.RIGHT or mark.slip is Slip.UNWRITTEN):
            numbers = mark
        elif mark:
            findings.append(mark)
        findings.append(numbers)
    return findings


def _spots(subject: Subject) -> list[Spot]:
    scene = subject.scene
    params = [i for i, learns in enumerate(scene.learning) if learns and i < len(subject.mine.layer.blobs)]
    return [*(Spot("param", i) for i in params), *(Spot("bottom", i) for i, want in enumerate(scene.wanted) if want)]


def _writes(subject: Subject) -> list[Finding]:
    """What backward changes and must not."""
    findings = []
    for breach in subject.breaches("backward_writes_diffs"):
        if "nobody asked for" in breach:
            findings.append(Finding("backward", State.WRONG, f"{breach}: propagate_down says for each bottom whether "
                                    "its diff is wanted.", Slip.PROPAGATE_DOWN))
        elif not breach.startswith(NOT_HERE):
            findings.append(Finding("backward", State.WRONG, f"{breach}. Others read that after you; work on a copy.",
                                    Slip.WRITES))
    return list({finding.words: finding for finding in findings}.values())


def _numbers(subject: Subject, spot: Spot, clean: Pass) -> Finding:
    """One diff against the right layer's, the derivative's where that is another, and differences of own forward."""
    scene, got = subject.scene, clean.at(spot)
    if any(same(got, answer.at(spot)) for answer in scene.answers):
        return _right(spot, got, f"as {scene.param.type} computes it")
    if _agrees_with_differences(subject, spot, got):
        return _right(spot, got, "as the differences of your forward say")
    if draws(scene):
        return explain(Evidence(spot, got, _differences(subject, spot, got), subject.clues, scene.answers[0], ROUGH))
    finding = None
    for answer in scene.answers:
        other = explain(Evidence(spot, got, answer.at(spot), subject.clues, answer))
        if finding is None or finding.slip is Slip.UNKNOWN:
            finding = other
    if finding.slip is Slip.UNKNOWN and got.size <= FEW:
        slopes = _differences(subject, spot, got)
        size = abs(slopes).max(initial=0.0)
        near = abs(slopes - answer.at(spot)).max(initial=0.0) / size if size else 0.0  # they need not be equal
        rtol = min(max(ROUGH, 2 * near), ROUGHEST)
        by_differences = explain(Evidence(spot, got, slopes, subject.clues, answer, rtol))
        finding = finding if by_differences.slip is Slip.UNKNOWN else by_differences
    return finding


def _right(spot: Spot, got: np.ndarray, why: str) -> Finding:
    return Finding("backward", State.RIGHT, f"{spot} is right, {why} ({got.size} number{'s' * (got.size != 1)}).",
                   place=str(spot))


def _variable(subject: Subject, spot: Spot):
    """A new layer of the student's, and the array that the diff belongs to."""
    alone = subject.build()
    return alone, (alone.values if spot.kind == "bottom" else alone.parameters)[spot.number]


def _agrees_with_differences(subject: Subject, spot: Spot, got: np.ndarray) -> bool:
    alone, variable = _variable(subject, spot)
    if not np.isfinite(got).all():
        return False
    with single_threaded_blas():
        return compare(alone.forward, subject.scene.dy, [variable], [got], RULES, np.random.default_rng(1)).passed


def _differences(subject: Subject, spot: Spot, got: np.ndarray) -> np.ndarray:
    """The slope of every element of own forward."""
    alone, variable = _variable(subject, spot)
    slopes = Slopes(alone.forward, subject.scene.dy, [variable], [got])
    result = np.empty(variable.shape)
    with single_threaded_blas():
        for index in np.ndindex(variable.shape):
            result[index] = slopes.element(0, index).numeric / slopes.scales[0]
    slopes.restore()
    return result
