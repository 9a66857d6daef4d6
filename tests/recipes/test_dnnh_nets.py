"""The nets of DNNH: what the tool writes, what they compute, and their recipe."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from blobnet.check.net import check_net
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.hashing import Codes
from blobnet.netdef.load import load
from blobnet.recipes import read_recipe, run_recipe

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "prototxt/dnnh"
SIZES = (12, 24, 32, 48)


def net_of(name, phase=TRAIN, batch=6, side=12, **options):
    definition = without_data(load(FOLDER / name, phase), {"data": (batch, 3, side, side), "label": (batch,)}
                              if phase == TEST else {"data": (batch, 3, side, side)})
    return Net(definition, phase, random_seed=1, dtype="float64", **options)


def test_the_files_are_what_the_tool_writes(tmp_path):
    subprocess.run([sys.executable, ROOT / "tools/write_dnnh.py", tmp_path], check=True)
    written = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.prototxt")}


@pytest.mark.parametrize("bits", SIZES)
@pytest.mark.parametrize("kind", ["", "fc_"])
def test_which_features_a_bit_is_made_of(kind, bits):
    net = net_of(f"small_{kind}train_test_{bits}.prototxt", TEST)
    pool, code = net.blobs["pool3"], net.blobs["sigmoid"]
    assert pool.shape == (6, 50 * bits, 1, 1) and code.shape == (6, bits)
    start = "divide" if not kind else "ip"
    pool.data[...] = np.random.default_rng(0).normal(size=pool.shape)
    net.forward(start=start)
    before = code.data.copy()
    for part in (0, 1, bits - 1):
        pool.data[:, 50 * part:50 * part + 50] += 1
        net.forward(start=start)
        changed = np.flatnonzero((code.data != before).all(axis=0))
        assert changed.tolist() == ([part] if not kind else list(range(bits)))
        before = code.data.copy()
    np.testing.assert_array_equal(net.blobs["code"].data >= 0.5, net.blobs["ip"].data >= 0)  # as the README says


@pytest.mark.parametrize("name", ["train_test_24.prototxt", "fc_train_test_24.prototxt"])
def test_maps_of_the_published_net(name, monkeypatch):
    monkeypatch.setattr("blobnet.core.layer.fill", lambda *_: None)  # zeros: its weights take long to draw
    net = net_of(name, TEST, batch=1, side=32)
    sizes = {blob: net.blobs[blob].shape[1:] for blob in net.blobs}
    assert sizes["enlarged"] == (3, 224, 224) and sizes["conv1_1"] == (96, 54, 54)
    assert sizes["conv2_1"] == (256, 27, 27) and sizes["conv3_1"] == (384, 13, 13)
    assert sizes["conv4"] == (1024, 6, 6) and sizes["conv4_1"] == (1200, 6, 6) and sizes["code"] == (24,)


def test_the_loss_is_the_papers():
    net = net_of("small_train_test_12.prototxt", batch=12)
    codes = np.random.default_rng(3).uniform(0, 1, (12, 12))
    net.blobs["code"].data[...] = codes
    net.forward(start="triplet")
    query, positive, negative = np.split(codes, 3)
    hinges = [max(0, 1 + sum((q - p) ** 2) - sum((q - n) ** 2)) for q, p, n in zip(query, positive, negative)]
    assert 0 < sum(hinge > 0 for hinge in hinges) and net.loss == pytest.approx(np.mean(hinges))


@pytest.mark.parametrize("name", ["small_train_test_12.prototxt", "small_fc_train_test_24.prototxt"])
def test_gradients_of_the_whole_net(name):
    results = check_net(FOLDER / name, shapes={"data": (6, 3, 12, 12)}, layers=())
    assert [result for result in results if not result.passed] == []
    assert results[-1].layer == "(whole net)" and results[-1].checked


def on_digits(recipe, **reduced):
    """The MNIST recipe over the digits of scikit-learn, with a narrow piece-wise threshold."""
    settings = json.loads(json.dumps(recipe.settings | {"methods": recipe.methods}).replace("mnist", "digits"))
    settings["overrides"]["threshold"] = "piecewise_threshold_param { epsilon: 0.02 }"
    return dataclasses.replace(recipe, data=["digits"], methods=settings.pop("methods"), settings=settings,
                               reduced=reduced)


def test_the_recipe_on_digits(digits, tmp_path, monkeypatch):
    recipe = on_digits(read_recipe(FOLDER / "recipe_mnist.yaml"), max_iter=5, num_queries=60, num_base=200)
    folders = {"divide and encode, 12 bits": "divide_and_encode_12_bits", "one layer, 12 bits": "one_layer_12_bits",
               "sigmoid alone, 12 bits": "sigmoid_alone_12_bits"}
    monkeypatch.chdir(ROOT)  # paths in solver files start there
    table = run_recipe(recipe, tmp_path, digits, only=list(folders), seeds=[1], note=lambda text: None)
    assert all(f"| {method} | " in table for method in folders)
    for method, folder in folders.items():
        codes = Codes.load(tmp_path / folder / "seed_1/queries.npz")
        assert codes.values.shape == (60, 12) and codes.threshold == 0.5
        decided = np.isin(codes.values, (0, 1))
        if method.startswith("sigmoid alone"):
            assert not decided.any() and 0 < codes.values.min() and codes.values.max() < 1
        else:
            assert decided.any() and (abs(codes.values[~decided] - 0.5) <= 0.02 + 1e-6).all()


@pytest.mark.parametrize("path", ["recipe.yaml", "recipe_mnist.yaml"])
def test_the_methods_are_the_papers(path):
    recipe = read_recipe(FOLDER / path)
    assert {f"{kind}, {bits} bits" for kind in ("divide and encode", "one layer", "sigmoid alone")
            for bits in SIZES} == set(recipe.methods)
    for method in recipe.methods:
        options = recipe.options(method)
        assert options["threshold"] == 0.5 and f"{options['bits']} bits" in method
        assert ("fc_" in options["solver"]) == method.startswith("one layer")
        assert ("threshold" in options["overrides"]) == method.startswith("sigmoid alone")
