"""The task of detection on drawn shapes: its measures are those of what it leaves, and SSD's recipe runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from blobnet.data.sets import shape_sets
from blobnet.data.sets.shapes import draw_shapes
from blobnet.errors import BlobnetError
from blobnet.recipes import read_recipe, run_recipe

PROTOTXT = Path(__file__).parent.parent.parent / "prototxt"
NET = """
name: "all"
layer { name: "data" type: "AnnotatedData" top: "data" top: "label"
  data_param { source: "data/shapes_test_lmdb" backend: LMDB batch_size: 10 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" include { phase: TRAIN }
  inner_product_param { num_output: 1 } }
layer { name: "loss" type: "EuclideanLoss" bottom: "ip" bottom: "ip" top: "loss" include { phase: TRAIN } }
layer { name: "cut" type: "Slice" bottom: "label" top: "detection_out" top: "difficult" include { phase: TEST }
  slice_param { axis: 3 slice_point: 7 } }
layer { name: "eval" type: "DetectionEvaluate" bottom: "detection_out" bottom: "label" top: "detection_eval"
  include { phase: TEST } detection_evaluate_param { num_classes: 4 } }
"""
RECIPE = """
paper: made up
task: detection
data: [shapes]
columns: [mAP, AP 1, AP 2, AP 3]
settings: {solver: solver.prototxt, classes: disc rectangle triangle, least: -1}
methods:
  all: {}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A recipe whose net finds exactly what is there, and few images."""
    monkeypatch.setattr(shape_sets, "COUNTS", {"train": 32, "test": 20})
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text('net: "net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 1')
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def run(folder, text=RECIPE, **more):
    (folder / "recipe.yaml").write_text(text)
    said = []
    run_recipe(read_recipe(folder / "recipe.yaml"), folder / "out", folder / "data", note=said.append, **more)
    (trial,) = json.loads((folder / "out/results.json").read_text())["trials"]
    return trial["measures"], said


def test_a_net_that_finds_everything(folder):
    measures, said = run(folder)
    assert measures == {"mAP": 1, "AP 1": 1, "AP 2": 1, "AP 3": 1}
    assert any("imports the data set shapes into" in line for line in said)
    with np.load(folder / "out/all/seed_1/detections.npz") as kept:
        drawn, boxes = draw_shapes(20, 96, shape_sets.SEEDS["test"])
        rows = [[n, box.label, *(side / 96 for side in box[1:])] for n, found in enumerate(boxes) for box in found]
        truth = kept["truth"][:, [0, 1, 3, 4, 5, 6]]
        np.testing.assert_allclose(truth[np.lexsort(truth.T)], np.array(rows)[np.lexsort(np.array(rows).T)], atol=1e-6)
        np.testing.assert_array_equal(kept["found"], kept["truth"][:, :7])
        np.testing.assert_array_equal(kept["images"], drawn[:12, ..., ::-1].transpose(0, 3, 1, 2))
    assert (folder / "out/all/seed_1/boxes.png").stat().st_size > 10000


def test_boxes_of_another_class_are_no_hits(folder):
    measures, _ = run(folder, RECIPE.replace("all: {}", """all: {overrides: {eval: "detection_evaluate_param {
        overlap_threshold: 1.5 }"}}"""))
    assert measures == {"mAP": 0, "AP 1": 0, "AP 2": 0, "AP 3": 0}


@pytest.mark.parametrize("old, new, message", [
    ("classes:", "version: 12point, classes:", "unknown version '12point' of average precision; did you mean '11point"),
    ("classes:", "truth: labels, classes:", "no blob 'labels' to score; did you mean 'label'"),
    ("all: {}", 'all: {overrides: {data: "data_param { batch_size: 7 }"}}',
     "batch_size in TEST, expected a divisor of 20, the images of .*shapes_test_lmdb, got 7")])
def test_what_is_refused_before_the_training(old, new, message, folder):
    with pytest.raises(BlobnetError, match=message):
        run(folder, RECIPE.replace(old, new))
    assert not (folder / "out/all").exists()


def test_the_recipe_of_ssd(folder):
    recipe = read_recipe(PROTOTXT / "ssd/recipe_shapes.yaml")
    recipe = dataclasses.replace(recipe, reduced={"max_iter": 2, "least": 1})  # no boxes in the pictures
    text = run_recipe(recipe, folder / "out", folder / "data", seeds=[1], note=[].append)
    trials = json.loads((folder / "out/results.json").read_text())["trials"]
    assert [trial["method"] for trial in trials] == list(recipe.methods)
    for trial in trials:
        assert all(0 <= value <= 1 for value in trial["measures"].values())
    assert "Average precision (11point)" in text and "3 triangle" in text
