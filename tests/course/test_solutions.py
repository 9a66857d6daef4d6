"""Every exercise of the course has blanks and a solution, which is right: it computes what the type of blobnet does."""

import ast
import sys

import numpy as np
import pytest
from course_lessons import COURSE

from blobnet.check import assert_gradients
from blobnet.check.page import SECTIONS
from blobnet.check.standalone import read_layer, standalone
from blobnet.core.registry import LAYERS
from blobnet.plugins import load_plugin

NAMES = sorted(path.stem for path in COURSE.glob("exercises/*.py"))


@pytest.fixture(autouse=True)
def clean(monkeypatch, extendable):
    """Layer types and modules are afterwards as they were before."""
    monkeypatch.setattr("blobnet.core.registry.LAYERS", dict(LAYERS))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("blobnet_plugin_"):
            del sys.modules[name]


def load(name):
    """What a solution says of itself, and its bottoms as arrays."""
    exercise = load_plugin(COURSE / "solutions" / f"{name}.py").EXERCISE
    rng = np.random.default_rng(3)
    return exercise, [rng.normal(size=bottom) if isinstance(bottom, tuple) else bottom for bottom in exercise.bottoms]


def is_blank(node):
    return isinstance(node, ast.Constant) and node.value is ...


def compare(exercise, solution, where="file"):
    """The number of blanks of a tree that is the other one but for its blanks; AssertionError if it is not."""
    if is_blank(exercise) and not is_blank(solution):
        assert isinstance(solution, ast.expr)
        return 1
    assert type(exercise) is type(solution), where
    if isinstance(exercise, list):
        assert len(exercise) == len(solution), where
        return sum(map(compare, exercise, solution, [where] * len(exercise)))
    if not isinstance(exercise, ast.AST):
        assert exercise == solution, where
        return 0
    where = f"line {getattr(exercise, 'lineno', '?')} of the exercise"
    return sum(compare(getattr(exercise, field), getattr(solution, field), where) for field in exercise._fields)


def test_exercises_and_solutions_are_pairs():
    assert NAMES == sorted(path.stem for path in COURSE.glob("solutions/*.py"))
    assert {name[:2] for name in NAMES} <= {path.stem[:2] for path in COURSE.glob("*.py")}


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_is_its_solution_with_blanks(name):
    exercise, solution = (ast.parse((COURSE / folder / f"{name}.py").read_text("utf-8")).body
                          for folder in ("exercises", "solutions"))
    assert 2 <= compare(exercise[1:], solution[1:]) <= 5  # but for the docstrings of the files
    assert f"blobnet grade examples/course/exercises/{name}.py" in ast.unparse(exercise[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_is_right(name):
    exercise, bottoms = load(name)
    assert_gradients(exercise.layer, *bottoms)


@pytest.mark.parametrize("dtype, error", [("float64", 1e-12), ("float32", 1e-5)])
@pytest.mark.parametrize("name", NAMES)
def test_a_solution_computes_what_the_type_of_blobnet_does(name, dtype, error):
    """In everything that a pass writes: tops, parameters, all diffs, over two steps."""
    exercise, bottoms = load(name)
    param = read_layer(exercise.layer)
    assert param.type == f"My{exercise.same_as}" or param.type == "MyNeuron"
    mine = standalone(param, *bottoms, seed=4, dtype=dtype)
    param.type = exercise.same_as
    theirs = standalone(param, *bottoms, seed=4, dtype=dtype)
    assert mine.differentiable() == theirs.differentiable()
    for own, other in zip(mine.layer.blobs, theirs.layer.blobs, strict=True):
        assert own.shape == other.shape
        own.diff[...] = other.diff[...] = 1  # gradients of parameters are added
    rng = np.random.default_rng(4)
    for step in range(2):
        for alone in (mine, theirs):
            alone.layer.context.step = step
        tops, expected = mine.forward(), theirs.forward()
        diffs = [rng.normal(size=top.shape) for top in expected]
        found, wanted = (made + alone.backward(diffs, alone.differentiable())
                         + [array for blob in alone.layer.blobs for array in (blob.data, blob.diff)]
                         for made, alone in ((tops, mine), (expected, theirs)))
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=error, atol=error)


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_reads_like_a_page(name):
    exercise, _ = load(name)
    doc = sys.modules[f"blobnet_plugin_{name}"].__dict__[read_layer(exercise.layer).type].__doc__
    places = [doc.find(section) for section in SECTIONS]
    assert -1 not in places and places == sorted(places)
    assert " = " in doc[:places[0]] and doc.partition("\n")[0].endswith(".")
