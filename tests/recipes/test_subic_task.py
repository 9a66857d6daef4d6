"""The task of structured binary codes on real digits."""

import json

import numpy as np
import pytest

from blobnet.errors import DataError
from blobnet.hashing import Codes, evaluate, get_protocol
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.tasks.subic import usage

RECIPE = """
paper: SuBiC on digits
task: subic
data: [digits]
columns: [mAP symmetric, mAP asymmetric, largest, usage]
settings: {{solver: {folder}/digits_solver.prototxt, blob: code, bits: 64, block_size: 16, threshold: 0.5, max_iter: 40,
           queries: digits_test_lmdb, base: digits_train_lmdb, num_queries: 60, num_base: 300}}
methods:
  mean: {{overrides: {{mean_entropy: "loss_weight: 0.1", batch_entropy: "loss_weight: 0"}}}}
  batch: {{overrides: {{mean_entropy: "loss_weight: 0", batch_entropy: "loss_weight: 0.5"}}}}
"""


def test_the_measures_are_those_of_the_codes_and_the_terms_do_what_they_should(digits, tmp_path, request):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.format(folder=request.config.rootpath / "prototxt/subic"))
    text = run_recipe(read_recipe(path), tmp_path / "out", digits, note=[].append)
    assert "Hamming distance" in text and "real values with the codes" in text
    trials = {trial["method"]: trial["measures"]
              for trial in json.loads((tmp_path / "out" / "results.json").read_text())["trials"]}
    for method, measures in trials.items():
        folder = tmp_path / "out" / method / "seed_1"
        queries, base = Codes.load(folder / "queries.npz"), Codes.load(folder / "base.npz")
        assert (len(queries), len(base), base.block_size, base.capacity) == (60, 300, 16, 16)
        for name, metric in (("symmetric", "hamming"), ("asymmetric", "asymmetric")):
            score = evaluate(queries, base, get_protocol("standard", metric=metric))
            assert measures[f"mAP {name}"] == score.mean_average_precision
        assert measures["largest"] == pytest.approx(np.mean([row.reshape(4, 16).max(axis=1) for row in base.values]))
    assert trials["mean"]["largest"] > trials["batch"]["largest"] + 0.05
    assert trials["batch"]["usage"] > trials["mean"]["usage"] + 0.1


def test_queries_may_be_the_base(digits, tmp_path, request):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.format(folder=request.config.rootpath / "prototxt/subic").replace(
        "max_iter: 40", "max_iter: 2, protocol: dsh-authors"))
    text = run_recipe(read_recipe(path), tmp_path / "out", digits, only=["mean"], note=[].append)
    queries = Codes.load(tmp_path / "out/mean/seed_1/queries.npz")
    score = evaluate(queries, protocol=get_protocol("dsh-authors", metric="asymmetric"))
    assert f"| {score.mean_average_precision:.4f} | " in text and queries.block_size == 16
    assert not (tmp_path / "out/mean/seed_1/base.npz").exists()


@pytest.mark.parametrize("size, message", [
    (7, "method 'mean': option 'block_size', expected a divisor of 64 bits above 1, got 7"),
    (1, "option 'block_size', expected a whole number of at least 2, got 1"),
    (0, "option 'block_size', expected a whole number of at least 2, got 0")])
def test_blocks_that_do_not_fit_are_refused_before_the_training(size, message, digits, tmp_path, request):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.format(folder=request.config.rootpath / "prototxt/subic").replace("16", str(size)))
    with pytest.raises(DataError, match=message):
        run_recipe(read_recipe(path), tmp_path / "out", digits, note=[].append)
    assert not (tmp_path / "out/mean").exists()


@pytest.mark.parametrize("values, expected", [
    (np.eye(4), 1), (np.tile([1, 0, 0, 0], (5, 1)), 0), (np.eye(4)[[0, 1]], 0.5),
    (np.hstack([np.eye(4), np.tile([0, 1, 0, 0], (4, 1))]), 0.5)])
def test_usage_is_the_entropy_of_the_places_of_the_ones(values, expected):
    assert usage(Codes.from_values(values, block_size=4)) == pytest.approx(expected)
