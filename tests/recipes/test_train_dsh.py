"""The recipes of deep supervised hashing on digits and on made-up images with several labels."""

import numpy as np
import pytest
from PIL import Image

from blobnet.hashing import Codes, evaluate
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.nets import trial_net
from blobnet.recipes.trial import Trial

FOLDER = "prototxt/dsh"

MULTILABEL = """
paper: rows of labels
task: train_dsh
columns: [mAP]
settings: {solver: solver.prototxt, blob: ip1, bits: 3, max_iter: 2, queries: scenes_test.txt, base: scenes_train.txt}
methods:
  in order: {}
  by label:
    overrides: {scenes: 'type: "HashingImageData" image_data_param { cat_per_iter: 2 }'}
"""

NET = """
layer { name: "scenes" type: "ImageData" top: "data" top: "label"
  image_data_param { source: "data/scenes_train.txt" root_folder: "data/" label_num: 2 batch_size: 4 } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "HashingLoss" bottom: "ip1" bottom: "label" top: "loss"
  hashing_loss_param { bi_margin: 6 } include { phase: TRAIN } }
"""


@pytest.mark.parametrize("path", ["recipe.yaml", "recipe_better.yaml", "recipe_digits.yaml", "recipe_multilabel.yaml"])
def test_a_recipe_names_nets_that_are_there(path, request, monkeypatch, tmp_path):
    root = request.config.rootpath
    monkeypatch.chdir(root)
    recipe = read_recipe(root / FOLDER / path)
    for method in recipe.methods:
        options = recipe.options(method)
        trial = Trial(method, options, 1, root / FOLDER, tmp_path, tmp_path)
        solver = (root / FOLDER / options["solver"]).read_text()
        net = trial_net(trial, solver.split('net: "')[1].split('"')[0])
        outputs = {layer.inner_product_param.num_output for layer in net.layer if options["blob"] in layer.top}
        margins = {layer.hashing_loss_param.bi_margin for layer in net.layer if layer.HasField("hashing_loss_param")}
        assert (outputs, margins) == ({options["bits"]}, {2 * options["bits"]})


def test_digits(digits, tmp_path, request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)
    recipe = read_recipe(request.config.rootpath / FOLDER / "recipe_digits.yaml")
    recipe.reduced.update(max_iter=4, num_queries=50, num_base=200, evaluate_at=[2])
    recipe.seeds[:] = [1]
    text = run_recipe(recipe, tmp_path / "out", digits, note=[].append)
    for method in recipe.methods:
        assert f"| {method} | 0." in text
    values = Codes.load(tmp_path / "out/dsh_12_bits/seed_1/queries.npz").values
    assert f"{np.mean([abs(abs(value) - 1) for value in values.ravel()]):.4f}" in text
    for picture in ("convergence", "outputs"):
        with Image.open(tmp_path / f"out/{picture}.png") as image:
            assert len(np.unique(np.asarray(image.convert("L")))) > 20


def test_a_method_whose_files_are_gone_is_left_out_of_the_pictures(digits, tmp_path, request, monkeypatch):
    monkeypatch.chdir(request.config.rootpath)
    recipe = read_recipe(request.config.rootpath / FOLDER / "recipe_digits.yaml")
    recipe.reduced.update(max_iter=1, num_queries=50, num_base=200, evaluate_at=[])
    shown = [method for method in recipe.methods if "convergence" in recipe.options(method)["picture"]][:1]
    text = run_recipe(recipe, tmp_path / "out", digits, seeds=[1], only=shown, note=[].append)
    curve, = (tmp_path / "out").glob("*/seed_1/curve.json")
    curve.unlink()
    (tmp_path / "out/convergence.png").unlink()
    said = []
    assert run_recipe(recipe, tmp_path / "out", digits, seeds=[1], only=shown, note=said.append) == text
    assert "not in convergence.png, as" in said[0] and not (tmp_path / "out/convergence.png").exists()


def test_label_rows(tmp_path, request):
    rng = np.random.default_rng(0)
    for split, count in (("train", 9), ("test", 5)):
        for i in range(count):
            Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).save(tmp_path / f"{split}{i}.png")
        rows = [f"{split}{i}.png {i % 2} {(i + 1) // 2 % 2}\n" for i in range(count)]
        (tmp_path / f"scenes_{split}.txt").write_text("".join(rows))
    (tmp_path / "recipe.yaml").write_text(MULTILABEL)
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text('net: "net.prototxt" base_lr: 0.001 lr_policy: "fixed"')
    text = run_recipe(read_recipe(tmp_path / "recipe.yaml"), tmp_path / "out", tmp_path, note=[].append)
    folder = tmp_path / "out/by_label/seed_1"
    queries, base = Codes.load(folder / "queries.npz"), Codes.load(folder / "base.npz")
    assert queries.labels.tolist() == [[i % 2, (i + 1) // 2 % 2] for i in range(5)] and len(base) == 9
    assert queries.ids.tolist() == [f"test{i}.png" for i in range(5)]
    assert base.net == str(tmp_path / "net.prototxt") and base.weights.startswith(str(folder / "snapshot_iter_"))
    assert f"| by label | {evaluate(queries, base).mean_average_precision:.4f}" in text
