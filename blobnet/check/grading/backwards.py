"""Backward: what it writes, and its numbers against differences and against the right layer."""

from __future__ import annotations

import numpy as np

from blobnet.check.grading.evidence import Evidence
from blobnet.check.grading.explain import explain
from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.marks import look_at_marks
from blobnet.check.grading.own_slopes import agrees_with_slopes, own_slopes
from blobnet.check.grading.passes import Pass, Spot, run, same
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.subject import Subject
from blobnet.check.rules.run import MARK
from blobnet.core.layer import Layer

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
        if mark and mark.slip is Slip.UNWRITTEN and spot.kind == "param" and numbers.state is State.RIGHT:
            mark = None  # nothing is to be added
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
    for answer, why in zip(scene.answers, (f"as {scene.param.type} computes it", "as the derivative of the loss; "
                                           f"{scene.param.type} trains with another, which was published")):
        if same(got, answer.at(spot)):
            return _right(spot, got, why)
    if agrees_with_slopes(subject, spot, got):
        return _right(spot, got, "as the differences of your forward say")
    if scene.draws:
        return _by_slopes(subject, spot, got, scene.answers[0], ROUGH)
    for answer in scene.answers:
        finding = explain(Evidence(spot, got, answer.at(spot), subject.clues, answer))
        if finding.slip is not Slip.UNKNOWN:
            break
    if finding.slip is Slip.UNKNOWN and got.size <= FEW:
        by_slopes = _by_slopes(subject, spot, got, answer, ROUGHEST)
        finding = finding if by_slopes.slip is Slip.UNKNOWN else by_slopes
    return finding


def _by_slopes(subject: Subject, spot: Spot, got: np.ndarray, answer: Pass, most: float) -> Finding:
    """One diff against the slopes of own forward, up to what these differ from the right layer's, but for `most`."""
    slopes = own_slopes(subject, spot, got)
    size = abs(slopes).max(initial=0.0)
    near = abs(slopes - answer.at(spot)).max(initial=0.0) / size if size else 0.0
    rtol = min(max(ROUGH, 2 * near), most)
    if same(got, slopes, rtol):
        return _right(spot, got, "as the differences of your forward say")
    return explain(Evidence(spot, got, slopes, subject.clues, answer, rtol))


def _right(spot: Spot, got: np.ndarray, why: str) -> Finding:
    return Finding("backward", State.RIGHT, f"{spot} is right, {why} ({got.size} number{'s' * (got.size != 1)}).",
                   place=str(spot))
