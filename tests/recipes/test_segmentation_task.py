"""The task of segmentation on drawn shapes, with nets whose measures are known, and the recipes of SegNet and FCN."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from blobnet.data.sets import shape_sets
from blobnet.data.sets.shapes import draw_masks
from blobnet.errors import BlobnetError
from blobnet.recipes import read_recipe, run_recipe

PROTOTXT = Path(__file__).parent.parent.parent / "prototxt"
SCORE = """
layer {{ name: "away{0}" type: "Power" bottom: "label" top: "away{0}" include {{ phase: TEST }}
  power_param {{ shift: -{0} power: 2 }} }}
"""
NET = """
name: "all"
layer { name: "data" type: "DenseImageData" top: "data" top: "label"
  dense_image_data_param { source: "data/shapes_masks_test.txt" root_folder: "data/" batch_size: 10 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" include { phase: TRAIN }
  inner_product_param { num_output: 1 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" include { phase: TRAIN } }
""" + "".join(map(SCORE.format, range(4))) + """
layer { name: "join" type: "Concat" bottom: "away0" bottom: "away1" bottom: "away2" bottom: "away3" top: "away"
  include { phase: TEST } }
layer { name: "near" type: "Power" bottom: "away" top: "score" include { phase: TEST } power_param { scale: -1 } }
layer { name: "accuracy" type: "SegAccuracy" bottom: "score" bottom: "label" top: "accuracy" include { phase: TEST } }
"""
RECIPE = """
paper: made up
task: segmentation
data: [shapes_masks]
columns: [pixel accuracy, class accuracy, mean IOU]
settings: {solver: solver.prototxt, classes: ground disc rectangle triangle}
methods:
  all: {}
"""
GROUND = {f"away{k}": f"power_param {{ scale: 0 shift: {k} power: 1 }}" for k in range(4)}  # is nearest everywhere


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A recipe whose net says what the masks say, and few images."""
    monkeypatch.setattr(shape_sets, "COUNTS", {"train": 20, "test": 20})
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text('net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 1')
    return tmp_path


def run(folder, text=RECIPE):
    (folder / "recipe.yaml").write_text(text)
    run_recipe(read_recipe(folder / "recipe.yaml"), folder / "out", folder / "data", note=[].append)
    (trial,) = json.loads((folder / "out/results.json").read_text())["trials"]
    return trial["measures"]


def test_a_net_that_is_right_everywhere(folder):
    assert run(folder) == {"pixel accuracy": 1, "class accuracy": 1, "mean IOU": 1}
    with np.load(folder / "out/all/seed_1/masks.npz") as kept:
        masks = draw_masks(20, 96, shape_sets.SEEDS["test"])
        np.testing.assert_array_equal(kept["truth"], masks[:8])
        np.testing.assert_array_equal(kept["found"], masks[:8])
        assert kept["images"].shape == (8, 3, 96, 96)
    assert (folder / "out/all/seed_1/masks.png").stat().st_size > 10000


def test_a_net_that_sees_the_ground_everywhere_is_measured_over_all_batches(folder):
    share = (draw_masks(20, 96, shape_sets.SEEDS["test"]) == 0).mean()
    measures = run(folder, RECIPE.replace("all: {}", f"all: {{overrides: {json.dumps(GROUND)}}}"))
    assert list(measures.values()) == pytest.approx([share, 1 / 4, share / 4], rel=1e-6)


@pytest.mark.parametrize("old, new, message", [
    ("classes:", "scores: scores, classes:", "no blob 'scores' to score; did you mean 'score'"),
    ("classes:", "accuracy: score, classes:", "expected three numbers in blob 'score', as SegAccuracy gives"),
    ("all: {}", 'all: {overrides: {data: "dense_image_data_param { batch_size: 7 }"}}',
     "batch_size in TEST, expected a divisor of 20, the images of .*shapes_masks_test.txt, got 7")])
def test_what_is_refused_before_the_training(old, new, message, folder):
    with pytest.raises(BlobnetError, match=message):
        run(folder, RECIPE.replace(old, new))
    assert not (folder / "out/all").exists()


@pytest.mark.parametrize("name", ["segnet", "fcn"])
def test_the_recipes_run(name, folder):
    recipe = read_recipe(PROTOTXT / name / "recipe_shapes.yaml")
    recipe = dataclasses.replace(recipe, reduced={"max_iter": 2, "statistics": 2})
    text = run_recipe(recipe, folder / "out", folder / "data", seeds=[1], note=[].append)
    trials = json.loads((folder / "out/results.json").read_text())["trials"]
    assert [trial["method"] for trial in trials] == list(recipe.methods)
    for trial in trials:
        assert all(0 < value < 1 for value in trial["measures"].values())
    assert "ground, disc, rectangle, triangle" in text
    assert bool(list((folder / "out").rglob("merged.caffemodel"))) == (name == "segnet")
