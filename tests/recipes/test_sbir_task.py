"""The task of sketch-based image retrieval on made-up pairs: every pair is a bar at a place of its own."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from blobnet.data.images.mean import mean_image
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import BlobnetError
from blobnet.hashing.codes import Codes
from blobnet.hashing.matches import match_ranks
from blobnet.proto.blobs import write_blob
from blobnet.recipes import read_recipe, run_recipe

NET = """
name: "tiny"
layer { name: "triplets" type: "TripletListData" top: "data" top: "attributes" include { phase: TRAIN }
        transform_param { mean_value: 255 scale: -0.004 }
        data_param { source: "data/qmul_chairs_train_lmdb" backend: LMDB batch_size: 36 }
        triplet_list_param { source: "data/qmul_chairs_train.h5" dataset: "pairs" attributes: 3 } }
layer { name: "images" type: "Data" top: "data" top: "label" include { phase: TEST }
        transform_param { mean_value: 255 scale: -0.004 }
        data_param { source: "data/qmul_chairs_test_lmdb" backend: LMDB batch_size: 5 } }
layer { name: "feature" type: "InnerProduct" bottom: "data" top: "feature"
        inner_product_param { num_output: 8 weight_filler { type: "xavier" } } }
layer { name: "scores" type: "InnerProduct" bottom: "feature" top: "scores"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "parts" type: "Slice" bottom: "feature" top: "a" top: "p" top: "n" include { phase: TRAIN }
        slice_param { axis: 0 } }
layer { name: "ranking" type: "TripletLoss" bottom: "a" bottom: "p" bottom: "n" top: "ranking"
        include { phase: TRAIN } triplet_loss_param { margin: 2 } }
layer { name: "prediction" type: "SigmoidCrossEntropyLoss" bottom: "scores" bottom: "attributes" top: "prediction"
        include { phase: TRAIN } }
"""
SOLVER = 'net: "tiny.prototxt" base_lr: 0.01 lr_policy: "fixed" type: "Adam" momentum: 0.9 momentum2: 0.999 max_iter: 2'
RECIPE = """
paper: made up
task: sbir
data: [qmul_chairs]
columns: [acc@1, acc@10, attributes]
settings: {set: qmul_chairs}
methods:
  chance: {features: chance}
  pixels: {features: pixels}
  gradients: {features: gradients}
  before: {solver: solver.prototxt, blob: feature, scores: scores, max_iter: 1,
           overrides: {ranking: "loss_weight: 0", prediction: "loss_weight: 0"}}
  trained: {solver: solver.prototxt, blob: feature, scores: scores, max_iter: 120}
  ranked: {solver: solver.prototxt, blob: feature}
"""
PAIRS = 20


def drawing(place, thick, rng):
    """A bar at `place` in a noisy image of 16 x 24; sketches have thin ones."""
    image = 255 - rng.integers(0, 40, (1, 16, 24))
    image[0, 2:14, place:place + thick] = 0
    return image.astype(np.uint8)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("pairs"), np.random.default_rng(4)
    for split in ("train", "test"):
        drawn = [[drawing(1 + pair, thick, rng) for pair in range(PAIRS)] for thick in (1, 3)]
        with LmdbWriter(folder / f"qmul_chairs_{split}_lmdb") as writer:
            for i, image in enumerate(drawn[0] + drawn[1]):
                writer.put(b"%08d" % i, array_to_datum(image, i % PAIRS).SerializeToString())
        with h5py.File(folder / f"qmul_chairs_{split}.h5", "w") as file:
            file["pairs"] = [(i, PAIRS + i, PAIRS + j) for i in range(PAIRS) for j in range(PAIRS) if i != j]
            file["attributes"] = [[i % PAIRS < 7, i % PAIRS >= 12, 1] for i in range(2 * PAIRS)]
    write_blob(folder / "qmul_chairs_mean.binaryproto", mean_image([np.stack(drawn[0])]))
    return folder


@pytest.fixture
def recipe(tmp_path):
    for name, text in (("tiny.prototxt", NET), ("solver.prototxt", SOLVER), ("recipe.yaml", RECIPE)):
        (tmp_path / name).write_text(text)
    return read_recipe(tmp_path / "recipe.yaml")


def test_methods_and_what_they_leave(recipe, data, tmp_path):
    out = tmp_path / "out"
    text = run_recipe(recipe, out, data, note=[].append)
    found = {trial["method"]: trial["measures"] for trial in json.loads((out / "results.json").read_text())["trials"]}
    assert found["chance"] == {"acc@1": 1 / PAIRS, "acc@10": 10 / PAIRS}
    assert set(found["ranked"]) == {"acc@1", "acc@10"}
    assert found["trained"]["acc@1"] >= 0.5 and found["trained"]["acc@10"] >= 0.9
    assert found["trained"]["attributes"] >= 0.9 > found["before"]["attributes"]
    assert "by Euclidean distance" in text
    for method in ("pixels", "gradients", "trained"):
        codes = Codes.load(out / method / "seed_1" / "codes.npz")
        assert len(codes) == 2 * PAIRS and codes.labels.tolist() == 2 * list(range(PAIRS))
        sketches, photos = np.split(codes.values, 2)
        ranks = match_ranks(sketches, photos, np.arange(PAIRS), np.arange(PAIRS))
        assert found[method]["acc@1"] == (ranks == 1).mean() and found[method]["acc@10"] == (ranks <= 10).mean()


def test_an_interrupted_trial_goes_on(recipe, data, tmp_path):
    whole = run_recipe(recipe, tmp_path / "whole", data, only=["ranked"], note=[].append)
    out = tmp_path / "out" / "ranked" / "seed_1"
    run_recipe(recipe, tmp_path / "out", data, only=["ranked"], note=[].append)
    (tmp_path / "out" / "results.json").unlink()
    said = []
    assert run_recipe(recipe, tmp_path / "out", data, only=["ranked"], note=said.append) == whole
    assert any("goes on from iteration 2" in line for line in said) and list(out.glob("*.caffemodel"))


@pytest.mark.parametrize(("options", "message"), [
    ("", "expected either features or a solver, got neither"),
    ("features: pixels, solver: solver.prototxt", "got both"),
    ("features: pixel", "unknown features 'pixel'; did you mean 'pixels'"),
    ("solver: solver.prototxt, blob: feature, scores: feature", "a score for each attribute, 3, got 8"),
    ("solver: solver.prototxt, blob: featur", "no blob 'featur' to encode; did you mean 'feature'"),
])
def test_wrong_options(recipe, data, tmp_path, options, message):
    (tmp_path / "recipe.yaml").write_text(RECIPE + f"  wrong: {{{options}}}\n")
    with pytest.raises(BlobnetError, match=message):
        run_recipe(read_recipe(tmp_path / "recipe.yaml"), tmp_path / "out", data, only=["wrong"], note=[].append)
