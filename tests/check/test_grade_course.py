"""Grading the course: its solutions are right, its exercises blank, and what is done to a solution is named."""

from pathlib import Path

import pytest

from blobnet.check.grading import Slip, State, grade

COURSE = Path(__file__).parent.parent.parent / "examples" / "course"
SOLUTIONS, EXERCISES = (sorted((COURSE / folder).glob("*.py")) for folder in ("solutions", "exercises"))
# What is put behind a solution: its class is CLASS, and its methods, as they were, FORWARD and BACKWARD.
SPOILT = """

CLASS = blobnet.core.registry.LAYERS[
    blobnet.check.standalone.read_layer(EXERCISE.layer).type]
FORWARD, BACKWARD = CLASS.forward, CLASS.backward


def forward(self, bottom, top):
    {forward}


def backward(self, top, propagate_down, bottom):
    diffs = [part.diff for part, wanted in zip(bottom, propagate_down) if wanted]
    {backward}


CLASS.forward, CLASS.backward = forward, backward
"""
RIGHT = "FORWARD(self, bottom, top)", "BACKWARD(self, top, propagate_down, bottom)"
BACK = RIGHT[1]
BACKWARDS = {  # what is done to backward: the slip
    f"{BACK}\n    for diff in diffs: diff *= -1": Slip.SIGN,
    f"{BACK}\n    for diff in diffs: diff *= len(bottom[0].data)": Slip.FACTOR,
    f"{BACK}\n    for diff in diffs: diff /= 2": Slip.FACTOR,
    f"old = [diff.copy() for diff in diffs]\n    {BACK}\n    for diff, more in zip(diffs, old): diff += more":
        Slip.ACCUMULATED,
    f"old = [diff.copy() for diff in diffs]\n    {BACK}\n    for diff, more in zip(diffs, old): diff[...] = more":
        Slip.UNWRITTEN,
    f"{BACK}\n    for diff in diffs: diff[...] = np.nan": Slip.NOT_FINITE,
    f"{BACK}\n    bottom[0].data[...] += 1": Slip.WRITES,
    f"dy = top[0].diff.copy()\n    top[0].diff[...] = 1\n    {BACK}\n    top[0].diff[...] = dy": None,
    f"self.forgotten\n    {BACK}": Slip.NAME,
}


def spoilt(path, tmp_path, forward=RIGHT[0], backward=RIGHT[1]):
    """The grade of a solution to which something is done."""
    text = path.read_text("utf-8") + "\n\nimport blobnet, blobnet.check.standalone\nimport numpy as np\n"
    (tmp_path / path.name).write_text(text + SPOILT.format(forward=forward, backward=backward), "utf-8")
    return grade(tmp_path / path.name)


@pytest.fixture(params=SOLUTIONS, ids=lambda path: path.stem)
def solution(request):
    return request.param


def test_solutions_are_right(solution):
    result = grade(solution)
    assert result.passed and not any(finding.state is State.ADVICE for finding in result.findings), result.findings


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_exercises_are_blank(path):
    result = grade(path)
    assert [finding.state for finding in result.findings if finding.part == "forward"] != [State.WRONG], result.findings
    assert {finding.state for finding in result.findings} <= {State.BLANK, State.RIGHT}
    assert State.BLANK in {finding.state for finding in result.findings}


@pytest.mark.parametrize("backward, slip", BACKWARDS.items(), ids=range(len(BACKWARDS)))
def test_what_is_done_to_backward_is_named(solution, tmp_path, backward, slip):
    result = spoilt(solution, tmp_path, backward=backward)
    upstream = Slip.LOSS_WEIGHT if "Loss" in result.same_as else Slip.UPSTREAM
    assert result.slips and set(result.slips) == {slip or upstream}, result.findings


@pytest.mark.parametrize("forward, slip", [
    ("FORWARD(self, bottom, top)\n    top[0].data[...] *= -1", Slip.SIGN),
    ("FORWARD(self, bottom, top)\n    top[0].data[...] *= len(bottom[0].data)", Slip.FACTOR),
    ("old = top[0].data.copy()\n    FORWARD(self, bottom, top)\n    top[0].data[...] += old", Slip.ACCUMULATED),
    ("FORWARD(self, bottom, top)\n    bottom[0].data[...] += 1", Slip.WRITES),
    ("FORWARD(self, bottom, top)\n    top[0].data[...] += np.random.normal()", Slip.RANDOM),
], ids=["sign", "factor", "accumulated", "writes", "random"])
def test_what_is_done_to_forward_is_named(solution, tmp_path, forward, slip):
    assert spoilt(solution, tmp_path, forward=forward).slips == [slip]


def test_unwanted_diffs_are_named(solution, tmp_path):
    result = spoilt(solution, tmp_path, backward="""\
wanted = [i not in self.unforced_bottoms for i in range(len(bottom))]
    BACKWARD(self, top, wanted, bottom)""")
    assert set(result.slips) == {Slip.PROPAGATE_DOWN}


def test_overwritten_parameters_are_named(solution, tmp_path):
    result = spoilt(solution, tmp_path, backward=f"for part in self.blobs: part.diff[...] = 0\n    {BACK}")
    learns = any(finding.place.endswith("].diff") and "blobs" in finding.place for finding in grade(solution).findings)
    assert set(result.slips) == ({Slip.OVERWRITTEN} if learns else set())
