"""The parts before backward: setup, the shapes, what forward writes, and its numbers."""

from __future__ import annotations

import numpy as np

from blobnet.check.grading.draws import look_at_draws
from blobnet.check.grading.evidence import Evidence
from blobnet.check.grading.explain import explain
from blobnet.check.grading.findings import Finding, State
from blobnet.check.grading.marks import look_at_marks
from blobnet.check.grading.passes import Spot, forward, parameters_of, same
from blobnet.check.grading.slips import Slip
from blobnet.check.grading.subject import Subject
from blobnet.check.rules.run import MARK


def look_at_setup(subject: Subject) -> list[Finding]:
    """The parameters and the shapes of the tops."""
    mine, right = subject.mine, subject.scene.alone
    got, expected = ([blob.shape for blob in alone.layer.blobs] for alone in (mine, right))
    needed = [shape for shape, learns in zip(expected, subject.scene.learning, strict=True) if learns]
    if got not in (expected, needed):
        return [Finding("setup", State.WRONG, f"the layer makes {_count(got)}, and needs {_count(needed)}. Which "
                        "letters of the docstring are learnt, and what are their shapes?", Slip.SHAPE)]
    got, expected = ([blob.shape for blob in alone.top] for alone in (mine, right))
    for i, (shape, want) in enumerate(zip(got, expected)):
        if shape != want:
            slip = Slip.TRANSPOSED if len(shape) > 1 and shape == want[::-1] else Slip.SHAPE
            return [Finding("reshape", State.WRONG, f"top[{i}] has the shape {shape}, expected {want}. Which letters "
                            "does the docstring give it?", slip, f"top[{i}]")]
    return []


def _count(shapes: list[tuple[int, ...]]) -> str:
    if not shapes:
        return "no parameters"
    return f"{len(shapes)} parameter{'s' * (len(shapes) > 1)} of shape {' and '.join(map(str, shapes))}"


def look_at_forward(subject: Subject) -> list[Finding]:
    """What forward writes, and its numbers against those of the right layer."""
    mine = subject.mine
    clean, state, again, marked = forward(mine), parameters_of(mine), forward(mine), forward(mine, MARK)
    findings = [Finding("forward", State.WRONG, f"{breach}. Forward reads these and writes the data of the tops only.",
                        Slip.WRITES) for breach in subject.breaches("forward_writes_tops")]
    if findings:
        return findings
    if not all(same(a, b) for a, b in zip(clean, again, strict=True)):
        return [Finding("forward", State.WRONG, "two forwards of one step give two results, so no gradient can be "
                        "checked. Draw random numbers with self.random(), and keep nothing from one forward to the "
                        "next.", Slip.RANDOM)]
    for i, (top, full) in enumerate(zip(clean, marked, strict=True)):
        findings += filter(None, [look_at_marks(Spot("top", i), top, full)])
    return findings or [*_numbers(subject, clean), *_state(subject, state)]


def _numbers(subject: Subject, tops: list[np.ndarray]) -> list[Finding]:
    findings = []
    for i, (top, answer) in enumerate(zip(tops, subject.scene.answers[0].top)):
        spot = Spot("top", i)
        if same(top, answer):
            findings.append(Finding("forward", State.RIGHT, f"{spot} is right, as {subject.scene.param.type} computes "
                                    f"it ({top.size} number{'s' * (top.size != 1)}).", place=str(spot)))
        elif subject.scene.draws:
            findings.append(look_at_draws(subject, spot, top))
        else:
            findings.append(explain(Evidence(spot, top, answer, subject.clues, subject.scene.answers[0])))
    return findings


def _state(subject: Subject, state: list[np.ndarray]) -> list[Finding]:
    """Parameters that forward changes, as running sums."""
    answer, findings = subject.scene.answers[0], []
    for i, (got, right, before) in enumerate(zip(state, answer.state, subject.parameters)):
        spot, changes = Spot("state", i), not same(right, before)
        if same(got, right):
            if changes:
                findings.append(Finding("forward", State.RIGHT, f"{spot} is right after forward.", place=str(spot)))
        elif same(got, before):
            findings.append(Finding("forward", State.WRONG, f"{spot} stays as it was, and every forward should change "
                                    f"it. Which running sum is {subject.clues.letter(spot)}?", Slip.UNWRITTEN,
                                    str(spot)))
        else:
            findings.append(explain(Evidence(spot, got, right, subject.clues, answer)))
    return findings
