"""The lesson of the estimators runs, and shows what it says it shows."""

import re
import runpy
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn", minversion="1.6")

LESSON = Path(__file__).resolve().parents[2] / "examples" / "09_scikit_learn.py"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # of scikit-learn's own net
def test_the_lesson(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [LESSON.name])
    runpy.run_path(str(LESSON), run_name="__main__")
    text = capsys.readouterr().out
    theirs, ours = (float(re.search(rf"{name} +([\d.]+)", text)[1]) for name in ("learn's MLP", "blobnet's"))
    assert ours > 0.95 and abs(theirs - ours) < 0.02
    scores = {(learner, int(bits)): float(score) for learner, bits, score in
              re.findall(r"(lsh|itq|sdh)  +(\d+) bits  ([\d.]+)", text)}
    assert len(scores) == 9 and min(scores["itq", 32], scores["sdh", 32]) > max(scores["lsh", 32], 0.9)
    assert float(re.search(r"16 bits\n +([\d.]+) on", text)[1]) > 0.9
    assert "the same codes: yes" in text
