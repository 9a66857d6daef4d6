"""Every method of prototxt/hashing has a head of its own on the one net."""

from pathlib import Path

import pytest

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.without_data import without_data
from blobnet.netdef.load import load
from blobnet.published import find_recipe
from blobnet.recipes import read_recipe
from blobnet.recipes.nets import trial_solver
from blobnet.recipes.trial import Trial

RECIPES = [read_recipe(find_recipe(name)) for name in ("hashing", "hashing/discrete")]
METHODS = [(recipe, method) for recipe in RECIPES for method in recipe.methods]
SHAPES = {"data": (9, 3, 32, 32), "label": (9,)}


@pytest.mark.parametrize("recipe, method", METHODS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_method_has_its_head_and_the_common_layers(recipe, method, tmp_path):
    options = recipe.options(method)
    net = trial_solver(Trial(method, options, 1, recipe.path.parent, tmp_path, tmp_path)).net_param
    shapes = SHAPES if recipe.task == "train_hash" else None  # the others have Input layers of their own shapes
    train = Net(without_data(load(net, TRAIN), shapes), TRAIN)
    losses = [layer.name for layer in train.layers if any(layer.loss_weights)]
    assert losses and {"conv1", "conv2", "conv3", "ip2"} <= set(train.params)
    others = [other for _, other in METHODS if other != method]
    assert not {name.removesuffix("_quantization") for name in losses} & {other.lower() for other in others}
    test = Net(without_data(load(net, TEST), SHAPES), TEST)
    assert not [layer.name for layer in test.layers if any(layer.loss_weights)]
    assert test.blobs["code"].count == 9 * options["bits"]


def test_all_methods_have_one_budget():
    solvers = {recipe.options(method)["solver"] for recipe, method in METHODS}
    assert solvers == {"solver.prototxt"} and len(METHODS) == 14
    assert len({Path(recipe.path).parent for recipe in RECIPES}) == 1
