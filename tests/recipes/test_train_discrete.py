"""ADSH and DSDH on digits with hardly any rounds: what they leave, what the codes of the base are, what cannot run."""

import json
from pathlib import Path

import numpy as np
import pytest

from blobnet.errors import DataError, NetError
from blobnet.hashing import Codes, evaluate
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.trial import trial_folder

PROTOTXT = Path(__file__).parent.parent.parent / "prototxt"
TINY = "reduced: {rounds: 3, num_queries: 60, num_base: 500}"


@pytest.fixture(params=["adsh", "dsdh"])
def recipe(request, tmp_path):
    """The published recipe on digits, small, in a folder with its nets."""
    for file in (PROTOTXT / request.param).glob("*digits*"):
        text = file.read_text()
        if file.suffix == ".yaml":
            lines = [TINY if line.startswith("reduced:") else line for line in text.splitlines()]
            text = "\n".join(lines).replace("sample: 500", "sample: 200")
        (tmp_path / file.name).write_text(text)
    return tmp_path / "recipe_digits.yaml"


def edit(recipe, old, new):
    text = recipe.read_text()
    assert old in text
    recipe.write_text(text.replace(old, new))


def run(recipe, data, out, **more):
    return run_recipe(read_recipe(recipe), out, data, seeds=[1], note=[].append, **more)


def test_every_method(recipe, digits, tmp_path):
    text = run(recipe, digits, tmp_path / "out")
    for trial in json.loads((tmp_path / "out/results.json").read_text())["trials"]:
        name = trial["method"]
        folder = trial_folder(tmp_path / "out", name, 1)
        queries, base = Codes.load(folder / "queries.npz"), Codes.load(folder / "base.npz")
        assert (len(queries), len(base), base.bits) == (60, 500, 32)
        assert len({*base.ids}) == 500
        assert trial["measures"]["mAP"] == evaluate(queries, base).mean_average_precision
        learned = set(np.unique(base.values)) == {-1, 1}
        assert learned == (name == "ADSH")
        history = json.loads((folder / "objective.json").read_text())
        assert len(history) == 3 and all(after <= before * (1 + 1e-9) for before, after in history)
    assert "learned from" in text


@pytest.mark.parametrize("recipe", ["adsh"], indirect=True)
def test_images_beyond_the_learned_ones_have_codes_of_the_net(recipe, digits, tmp_path):
    edit(recipe, "  bits: 32", "  bits: 32\n  num_train: 300")
    run(recipe, digits, tmp_path / "out", only=["ADSH"])
    base = Codes.load(tmp_path / "out/adsh/seed_1/base.npz")
    assert set(np.unique(base.values[:300])) == {-1, 1}
    assert len(np.unique(base.values[300:])) > 1000
    same = base.labels[:300, None] == base.labels[:300]
    products = base.values[:300] @ base.values[:300].T
    assert products[same].mean() > products[~same].mean() + 5


@pytest.mark.parametrize(("old", "new", "words"), [
    ("learner: ", "learner: x", "unknown learner 'x(adsh|dsdh)'; did you mean '(adsh|dsdh)'"),
    ("  bits: 32", "  bits: 16", "blob 'code', expected 16 bits, got 32"),
    ("  bits: 32", "  bits: 32\n  nu: 0", "option 'nu', expected a number above 0, got 0"),
    ("  bits: 32", "  bits: 32\n  num_train: 501", "option 'num_train', expected at most 500, all there are, got 501"),
    ("queries: digits_test", "queries: digits_tst", "no such folder; did you mean 'digits_test_lmdb'"),
], ids=str)
def test_what_cannot_run_is_said(old, new, words, recipe, digits, tmp_path):
    edit(recipe, old, new)
    with pytest.raises(DataError, match=words):
        run(recipe, digits, tmp_path / "out")
    assert not [*(tmp_path / "out").glob("*/seed_*")]


def test_a_sample_that_is_too_large(recipe, digits, tmp_path):
    edit(recipe, "  bits: 32", "  bits: 32\n  num_train: 199")
    if "sample:" not in recipe.read_text():
        edit(recipe, "  bits: 32", "  bits: 32\n  sample: 200")
    with pytest.raises(DataError, match="option 'sample', expected at most 199, all there are, got 200"):
        run(recipe, digits, tmp_path / "out")


@pytest.mark.parametrize(("name", "words"), [("binary", "no input 'binary'"), ("quantization", "no layer 'quanti")])
def test_names_that_are_missing(name, words, recipe, digits, tmp_path):
    edit(recipe.parent / "digits_train_test.prototxt", f'"{name}"', f'"{name}s"')
    with pytest.raises(NetError, match=f"{words}.*did you mean '{name}s'"):
        run(recipe, digits, tmp_path / "out")
