"""The recipes of DHN, HashNet, SSDH, DeepBit and of the metric losses, with hardly any iterations."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.proto.blobs import write_blob
from blobnet.proto.files import read_message
from blobnet.recipes import read_recipe, run_recipe

PROTOTXT = Path(__file__).parent.parent.parent / "prototxt"
TINY = {"max_iter": 2, "num_queries": 20, "num_base": 60}


def rows(text):
    """The first measure by method, of a printed table."""
    cells = [line.split("|") for line in text.splitlines() if line.startswith("| ")]
    return {line[1].strip(): float(line[2].split("+-")[0]) for line in cells[1:]}


@pytest.mark.parametrize("name", ["csq", "dbdh", "deepbit", "dhn", "dpsh", "dtsh", "greedyhash", "hashnet", "idhn",
                                  "ssdh"])
def test_every_method_runs_on_digits(name, digits, tmp_path):
    recipe = read_recipe(PROTOTXT / name / "recipe_digits.yaml")
    methods = {method: options | TINY for method, options in recipe.methods.items()}
    recipe = dataclasses.replace(recipe, methods=methods)
    scores = rows(run_recipe(recipe, tmp_path, digits, seeds=[1], note=lambda text: None))
    assert list(scores) == list(recipe.methods)
    assert all(0.05 < score < 0.95 for score in scores.values())


def test_the_continuation_beats_chance_soon(digits, tmp_path):
    recipe = read_recipe(PROTOTXT / "hashnet/recipe_digits.yaml")
    recipe = dataclasses.replace(recipe, reduced=TINY | {"max_iter": 60, "num_base": 300})
    text = run_recipe(recipe, tmp_path, digits, seeds=[1], only=["HashNet"], note=lambda text: None)
    assert rows(text)["HashNet"] > 0.2


def test_the_first_stage_of_deepbit_learns_without_labels():
    net = Net(without_labels(PROTOTXT / "deepbit/digits_train_test.prototxt"), TRAIN, random_seed=1)
    net.forward()
    net.backward()
    assert net.params["fc_hash"][0].diff.any() and net.params["conv1"][0].diff.any()


def without_labels(path):
    """The net with noise for its images."""
    net = read_message(path, "NetParameter")
    for layer in net.layer:
        if layer.type == "Data" and len(layer.top) == 1:
            layer.type = "DummyData"
            layer.dummy_data_param.shape.add().dim.extend([100, 1, 7, 7])
            layer.dummy_data_param.data_filler.add(type="gaussian")
    return net


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A data folder with noise in the form of MNIST: 8 images a class to train on, 20 images to test on."""
    folder, rng = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    for split, count in (("train", 80), ("test", 20)):
        with LmdbWriter(folder / f"mnist_{split}_lmdb") as writer:
            for i in range(count):
                datum = array_to_datum(rng.integers(0, 256, (1, 28, 28), np.uint8), i % 10)
                writer.put(b"%08d" % i, datum.SerializeToString())
    write_blob(folder / "mnist_mean.binaryproto", np.zeros((1, 1, 28, 28), "float32"))
    return folder


def test_every_metric_loss_runs(noise, tmp_path):
    recipe = dataclasses.replace(read_recipe(PROTOTXT / "metric_losses/recipe.yaml"), reduced=TINY)
    scores = rows(run_recipe(recipe, tmp_path, noise, seeds=[1], note=lambda text: None))
    assert list(scores) == list(recipe.methods)
    assert len(set(scores.values())) > 1  # other losses, other codes
