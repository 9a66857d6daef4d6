"""Every figure measured on Caffe 1.0 and on its forks, against what the same prototxt gives here."""

from pathlib import Path

import numpy as np
import pytest

from blobnet.check.golden import TOLERANCE, compare
from blobnet.errors import ShapeError

CASES = [path for folder in ("caffe", "forks") for path in sorted(Path(__file__).with_name(folder).glob("*.npz"))]


def read(path):
    with np.load(path) as file:
        return dict(file)


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_same_figures_as_caffe(path):
    errors = compare(read(path))
    assert errors or path.stem == "silence"  # of which nothing is left to measure
    assert {name: error for name, error in errors.items() if not error <= TOLERANCE} == {}


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_same_figures_on_a_gpu(path, gpu):
    errors = compare(read(path), device="gpu")
    assert {name: error for name, error in errors.items() if not error <= 1e-4} == {}  # other sums, fast functions


def test_figures_are_there():
    assert len(CASES) >= 198


@pytest.mark.parametrize(("name", "key"), [("ip_0", "out/y"), ("ip_0", "paramdiff/1"), ("ip_0", "bottomdiff/x"),
                                           ("solver_sgd", "param/0"), ("solver_sgd", "loss")])
def test_notices_a_wrong_figure(name, key):
    case = read(Path(__file__).with_name("caffe") / f"{name}.npz")
    case[key] = case[key] * 1.0001
    assert compare(case)[key] > TOLERANCE


def test_another_shape_is_an_error():
    case = read(Path(__file__).with_name("caffe") / "ip_0.npz")
    case["out/y"] = case["out/y"].reshape(-1)
    with pytest.raises(ShapeError, match="expected"):
        compare(case)
