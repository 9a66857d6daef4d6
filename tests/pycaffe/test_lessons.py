"""The lessons written for `import caffe` run, and show what they say they show."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

for library in ("sklearn", "matplotlib"):
    pytest.importorskip(library)

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def lesson(tmp_path, monkeypatch, capsys):
    """Run a lesson with a number of iterations; return what it prints and the folder it writes to."""
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "caffe"}

    def run(name, iterations):
        words = [f"{name}.py", "--out", str(tmp_path), "--iterations", str(iterations)]
        monkeypatch.setattr(sys, "argv", words)
        runpy.run_path(str(EXAMPLES / words[0]), run_name="__main__")
        return capsys.readouterr().out, tmp_path

    yield run
    for name in [name for name in sys.modules if name.split(".")[0] == "caffe"]:
        del sys.modules[name]
    sys.modules.update(before)


def numbers(text, words):
    """The first number after each place where `words` stand."""
    return [float(value) for value in re.findall(words + r"[^\d\n]*?(-?\d+(?:\.\d*)?(?:e[-+]\d+)?)", text)]


def test_classify_image(lesson):
    text, out = lesson("04_classify_image", 40)
    assert "param conv1  (16, 3, 5, 5) (16,)" in text
    assert numbers(text, "central crop")[0] > 30  # guessing: 10
    assert {path.name for path in out.glob("*.png")} == {"classify.png", "digit.png"}


def test_learn_lenet(lesson):
    text, out = lesson("05_learn_lenet", 10)
    assert 2 < numbers(text, "untrained net")[0] < 2.7
    assert len(list(out.glob("*.png"))) == 3
    assert numbers(text, "LeNet .*accuracy")[0] > 0.2


def test_fine_tune(lesson):
    text, out = lesson("06_fine_tune", 30)
    assert "bit for bit: yes" in text
    assert len(numbers(text, "pretrained  accuracy")) == 2
    assert (out / "losses.png").exists()


def test_logistic_regression(lesson):
    text, _ = lesson("07_logistic_regression", 1000)
    theirs, ours = (np.array(re.search(rf"weights, {name}\s+(.*)", text).group(1).split(), float)
                    for name in ("scikit-learn", "one layer"))
    np.testing.assert_allclose(ours, theirs, atol=0.05)
    theirs, ours = (numbers(text, words)[0] for words in ("scikit-learn +accuracy", "one layer +accuracy"))
    assert abs(ours - theirs) < 0.01


def test_net_surgery(lesson):
    text, out = lesson("08_net_surgery", 30)
    assert numbers(text, "give the same, to")[0] < 1e-5
    assert "fc1 (64, 512) -> fc1-conv (64, 32, 4, 4)" in text
    assert (out / "surgery.png").exists() and (out / "fully_convolutional.caffemodel").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name, iterations, words, least", [
    ("04_classify_image", 400, "central crop", 90),
    ("05_learn_lenet", 100, "LeNet .*accuracy", 0.95),
    ("06_fine_tune", 200, "pretrained  accuracy", 0.8),
    ("07_logistic_regression", 3000, "hidden units +accuracy", 0.81),
])
def test_lessons_reach_their_end(lesson, name, iterations, words, least):
    text, _ = lesson(name, iterations)
    assert numbers(text, words)[0] > least


@pytest.mark.slow
def test_dense_prediction_finds_the_digits(lesson):
    text, _ = lesson("08_net_surgery", 600)
    rows = [line.split() for line in text.splitlines() if re.fullmatch(r"   ([-\d] ){12}[-\d]", line)]
    written = re.findall(r"(\d) in row (\d+), column (\d+)", text)
    found = sum(kind in sum((line[max(int(x) - 1, 0):int(x) + 2] for line in rows[max(int(y) - 1, 0):int(y) + 2]), [])
                for kind, y, x in written)
    assert len(rows) == 13 and found >= 4
