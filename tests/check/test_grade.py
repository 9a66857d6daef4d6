"""Grading: right solutions are right, slips are named, and the solution is never told."""

import json
import re

import pytest
from grade_samples import SAMPLES, SIGMOID, sample
from grade_slips import SLIPS

from blobnet.check.grading import Slip, State, grade
from blobnet.check.grading.blanks import find_blanks, needed_for_forward
from blobnet.cli import main
from blobnet.core.registry import LAYERS
from blobnet.errors import BlobnetError
from blobnet.plugins import load_plugin

FORWARD = "1 / (1 + np.exp(-bottom[0].data))"
BACKWARD = "top[0].diff * y * (1 - y)"


@pytest.fixture
def graded(tmp_path):
    """Write a file and grade it."""
    def run(text):
        path = tmp_path / "exercise.py"
        path.write_text(text, "utf-8")
        return grade(path)
    return run


def spoil(name, right, wrong):
    """A sample with a slip in it."""
    assert right in SAMPLES[name]
    return SAMPLES[name].replace(right, wrong)


@pytest.mark.parametrize("name", SAMPLES)
def test_right_solutions_are_right(graded, name):
    result = graded(SAMPLES[name])
    assert result.passed, result.findings
    assert {finding.part for finding in result.findings} == {"forward", "backward", "contract"}
    assert all(finding.state is State.RIGHT for finding in result.findings)


@pytest.mark.parametrize("name, right, wrong, slips", SLIPS, ids=[f"{row[0]}: {row[2].strip()}" for row in SLIPS])
def test_slips_are_named(graded, name, right, wrong, slips):
    text = spoil(name, right, wrong)
    result = graded(text)
    assert result.slips == slips, result.findings
    said = " ".join(finding.words for finding in result.findings)
    for line in map(str.strip, SAMPLES[name].splitlines()):
        code = line.rpartition("= ")[2]  # the formula of an assignment
        for secret in (line, code) if len(code) > 8 and re.search(r"[-+*/@(]", code) else ():
            assert secret in text or squeezed(secret) not in squeezed(said)


def squeezed(text):
    return re.sub(r"\s", "", text)


def test_first_wrong_element(graded):
    finding = graded(spoil("inner product", "weight.T + bias", "weight.T")).findings[0]
    assert finding.place == "top[0].data[0, 0]"
    assert f"{finding.place} is {finding.got:.8g}, expected {finding.expected:.8g}." in finding.words
    (finding,) = [found for found in graded(spoil("relu", "* (bottom[0].data > 0)", "")).findings
                  if found.state is State.WRONG]
    assert finding.place == "bottom[0].diff[0, 1]" and finding.expected == 0
    assert "exactly where bottom[0].data is below 0" in finding.words


@pytest.mark.parametrize("name, right, wrong, words", [
    ("euclidean", "top[0].diff * self.difference / N", "top[0].diff * self.difference", "exactly 4 times too large; "
     "4 is here N."),
    ("inner product", "dy.sum(axis=0)", "dy.mean(axis=0)", "exactly 1/4 of what it should be; 1/4 is here 1 / N."),
    ("dropout", " / (1 - ratio)", "", "0.75 is here 1 less the option dropout_ratio."),
    ("max pooling", "window[r, s]", "window.mean()", "as if the option pool were AVE and not MAX"),
    ("softmax loss", "        dx[rows, labels] -= 1\n", "        dx[rows, labels] -= 2\n",
     "exactly at the class that bottom[1].data names: these are all off by the same number"),
    ("sigmoid", "1 / (1 +", "1 / (2 +", "Read the formula of top[0].data in the docstring again"),
])
def test_pointers(graded, name, right, wrong, words):
    assert words in " ".join(finding.words for finding in graded(spoil(name, right, wrong)).findings)


def test_large_numbers_are_advice(graded):
    result = graded(spoil("softmax", "np.exp(x - x.max(axis=1, keepdims=True))", "np.exp(x)"))
    assert result.passed and result.slips == []
    advice = result.findings[-1]
    assert advice.state is State.ADVICE and advice.slip is Slip.NOT_FINITE and "near 1000" in advice.words


def test_corners_are_advice(graded):
    result = graded(spoil("relu", "bottom[0].data > 0", "bottom[0].data >= 0"))
    assert result.passed and result.findings[-1].slip is Slip.KINK


@pytest.mark.parametrize("methods", ["pass", """
def setup(self, bottom, top):
    self.options.gradient = self.options.EXACT
"""], ids=["published", "derivative"])
def test_published_gradients_and_derivatives_are_both_right(graded, methods):
    """HashingLoss trains with half the derivative of its pairs."""
    base = 'blobnet.core.registry.LAYERS["HashingLoss"]'
    result = graded(sample("MyHashingLoss", "HashingLoss", "(6, 4), np.arange(6) % 2", methods, base=base,
                           options="hashing_loss_param { bi_margin: 8 }", inputs="u labels"))
    assert result.passed, result.findings


# Files.

@pytest.mark.parametrize("change, slip, words, line", [
    (lambda text: text.replace("top[0].data[...] = ", "top[0].data[...] = ("), Slip.SYNTAX, "is no Python", 18),
    (lambda text: text + "\0", Slip.SYNTAX, "no Python", None),
    (lambda text: text.split("EXERCISE =")[0], Slip.NO_EXERCISE, "no EXERCISE", None),
    (lambda text: text.split("EXERCISE =")[0] + "EXERCISE = 1\n", Slip.NO_EXERCISE, "no EXERCISE", None),
    (lambda text: text.replace("@blobnet.register\n", ""), Slip.NOT_REGISTERED, "@blobnet.register", None),
    (lambda text: text.replace("class MySigmoid", "class MySigmiod"), Slip.NOT_REGISTERED, "'MySigmiod'", None),
    (lambda text: text.replace('type: "MySigmoid"', 'type: "Sigmoid"'), Slip.NOT_REGISTERED, "class Sigmoid", None),
    (lambda text: "import sys\nsys.exit(3)\n" + text, Slip.ERROR, "`sys.exit(3)`, raises SystemExit", 2),
    (lambda text: text + "\nprint(unknown)\n", Slip.NAME, "name 'unknown' is not defined", 32),
    (lambda text: text.replace("np.exp(", "np.epx("), Slip.NAME, "raises AttributeError", 18),
])
def test_files_that_do_not_run(graded, change, slip, words, line):
    result = graded(change(SIGMOID))
    assert not result.passed and result.slips == [slip]
    assert words in result.findings[0].words
    if line:
        assert result.findings[0].line == line and f"line {line}" in result.findings[0].words


def test_blanks_are_listed(graded):
    result = graded(SIGMOID.replace(FORWARD, "...").replace(BACKWARD, "..."))
    assert [(finding.part, finding.state, finding.line) for finding in result.findings] == [
        ("forward", State.BLANK, 18), ("backward", State.BLANK, 23)]
    assert "line 18." in result.findings[0].words


def test_forward_is_graded_while_backward_is_blank(graded):
    result = graded(SIGMOID.replace(BACKWARD, "..."))
    assert [(finding.part, finding.state) for finding in result.findings] == [
        ("forward", State.RIGHT), ("backward", State.BLANK)]
    result = graded(SIGMOID.replace(BACKWARD, "...").replace("1 / (1", "2 / (1"))
    assert result.slips == [Slip.FACTOR]


def test_what_is_a_blank():
    import ast
    tree = ast.parse("""
def helper(x):
    return ...

class A:
    def forward(self, bottom: tuple[int, ...], top):
        self.y = helper(bottom[..., 0])
        top[...] = (1, ...)
        top[0] += ...
        f(..., x=...)

    def only_backward(self):
        return ...

    def backward(self):
        self.only_backward()
""")
    assert [tuple(blank) for blank in find_blanks(tree)] == [
        (3, "helper"), (8, "forward"), (9, "forward"), (10, "forward"), (10, "forward"), (13, "only_backward")]
    assert needed_for_forward(tree) == {"", "setup", "reshape", "forward", "helper"}


def test_a_wrong_part_leaves_the_next_for_later(graded):
    result = graded(SIGMOID.replace("1 / (1", "2 / (1"))
    assert [(finding.part, finding.state) for finding in result.findings] == [
        ("forward", State.WRONG), ("backward", State.LATER)]


def test_a_file_is_run_anew_and_its_types_are_forgotten(graded, tmp_path):
    before = dict(LAYERS)
    assert graded(SIGMOID).passed
    assert not graded(SIGMOID.replace("1 / (1", "2 / (1")).passed
    assert LAYERS == before
    try:
        load_plugin(tmp_path / "exercise.py")
        assert LAYERS.keys() - before == {"MySigmoid"}
        graded(SIGMOID)
        assert LAYERS.keys() - before == {"MySigmoid"}
    finally:
        LAYERS.pop("MySigmoid")


@pytest.mark.parametrize("old, new, words", [
    ('same_as="Sigmoid"', 'same_as="Sigmiod"', "did you mean 'Sigmoid'"),
    ("bottoms=[(4, 3)]", "bottoms=['x']", "expected arrays of numbers, or shapes"),
    ("bottoms=[(4, 3)]", "bottoms=[]", "expected 1 bottom"),
    ("bottoms=[(4, 3)]", "bottoms=[np.full((4, 3), np.nan)]", "at which same_as is finite"),
    ("layer='layer {", "layer='layer { no", "EXERCISE"),
])
def test_exercises_that_cannot_be_done(graded, old, new, words):
    with pytest.raises(BlobnetError, match=re.escape(words)):
        graded(SIGMOID.replace(old, new))


# The command.

@pytest.fixture
def command(tmp_path, capsys):
    def run(text, *options):
        path = tmp_path / "exercise.py"
        path.write_text(text, "utf-8")
        status = main(["grade", str(path), *options])
        return status, *capsys.readouterr()
    return run


def test_command(command):
    status, out, err = command(SIGMOID + "\nprint('hello')\n")
    assert (status, err) == (0, "hello\n")
    assert "MySigmoid, held against Sigmoid" in out and out.endswith("All right.\n") and "hello" not in out
    status, out, _ = command(SIGMOID.replace("* (1 - y)", ""))
    assert status == 1 and out.endswith("\n1 right, 1 wrong.\n")
    assert max(map(len, out.splitlines()[1:])) <= 120
    assert command(SIGMOID.replace("Sigmoid\")", "Sigmiod\")"))[0] == 2
    assert main(["grade", "no_such_file.py"]) == 2


def test_json(command):
    status, out, _ = command(SIGMOID.replace("* y * (1 - y)", "* np.nan"), "--json")
    answer = json.loads(out)
    assert status == 1 and not answer["passed"] and answer["type"] == "MySigmoid"
    assert answer["findings"][-1] | {"words": ""} == {
        "part": "backward", "state": "wrong", "words": "", "slip": "NOT_FINITE", "place": "bottom[0].diff[0, 0]",
        "got": "nan", "expected": pytest.approx(0.000125, abs=1e-6), "line": None}


def test_help_says_that_files_are_run(capsys):
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    assert "it can do whatever you can" in capsys.readouterr().out
