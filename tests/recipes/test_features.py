"""Features of any layer as codes for search: the lecture's nets on real digits, with tiny budgets."""

import shutil

import pytest

from blobnet.errors import BlobnetError, DataError
from blobnet.proto.files import read_message
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.results import Results
from blobnet.recipes.tasks.features import WEIGHTS

RECIPE = """
paper: features of digits
task: features
data: [digits]
columns: [accuracy, mAP]
settings: {solver: hidden_2_solver.prototxt, queries: digits_test_lmdb, base: digits_train_lmdb}
reduced: {max_iter: 60, num_queries: 100, num_base: 400}
methods:
  ReLU: {blob: h2, nonlinearity: ReLU, scores: score}
  sigmoid: {blob: h2, scores: score}
  first: {blob: h1, net_of: ReLU}
  pixels: {blob: data, net_of: ReLU}
  rotated pixels: {blob: data, net_of: ReLU, components: 64}
  a few components: {blob: data, net_of: ReLU, components: 2}
  cosine: {blob: data, net_of: ReLU, metric: cosine}
  unit length: {blob: data, net_of: ReLU, unit_length: true}
"""


@pytest.fixture
def folder(tmp_path, request, digits, monkeypatch):
    """A recipe's folder with the lecture's nets, which read the digits."""
    nets = request.config.rootpath / "prototxt/features"
    for name in ("logistic", "hidden_2"):
        shutil.copy(nets / f"{name}_solver.prototxt", tmp_path)
        text = (nets / f"{name}.prototxt").read_text()
        (tmp_path / f"{name}.prototxt").write_text(text.replace("data/mnist_", "data/digits_"))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)  # where the solver's own path to the net leads nowhere
    return tmp_path


def measures(folder, method, seed=1):
    trials = Results(folder / "out/results.json").trials
    return next(trial["measures"] for trial in trials if (trial["method"], trial["seed"]) == (method, seed))


def test_features_are_found_and_scored(folder, digits):
    table = run_recipe(read_recipe(folder / "recipe.yaml"), folder / "out", digits, note=lambda text: None)
    got = {method: measures(folder, method)["mAP"] for method in read_recipe(folder / "recipe.yaml").methods}
    assert measures(folder, "ReLU")["accuracy"] > 0.8 > 0.5 > measures(folder, "sigmoid")["accuracy"]
    assert got["ReLU"] > got["first"] and got["ReLU"] > got["pixels"] > got["a few components"]
    assert got["rotated pixels"] == pytest.approx(got["pixels"], abs=1e-4)  # distances stay
    assert got["cosine"] == pytest.approx(got["unit length"], abs=1e-4)     # the same ranking
    assert abs(got["cosine"] - got["pixels"]) > 1e-3
    assert "Euclidean distance" in table and "cosine of the real values" in table
    assert "queries: digits_test_lmdb, the first 100; base: digits_train_lmdb, the first 400" in table
    kinds = [layer.type for layer in read_message(folder / "out/relu/seed_1" / WEIGHTS, "NetParameter").layer]
    assert kinds.count("ReLU") == 2 and "Sigmoid" not in kinds


def test_pretrained_weights_are_taken_where_they_are(folder, digits, tmp_path):
    (folder / "recipe.yaml").write_text(RECIPE.split("methods:")[0] + """
methods:
  regression: {solver: logistic_solver.prototxt, blob: score, scores: score, pretrained: given.caffemodel}
""")
    recipe, data, notes = read_recipe(folder / "recipe.yaml"), tmp_path / "data", []
    data.mkdir()
    for path in digits.iterdir():
        (data / path.name).symlink_to(path)
    run_recipe(recipe, folder / "out", data, note=notes.append)
    assert "60 iterations" in notes[0]
    shutil.move(folder / "out/regression/seed_1" / WEIGHTS, data / "given.caffemodel")
    run_recipe(recipe, folder / "out", data, seeds=[2], note=notes.append)
    assert "takes the weights of" in notes[2] and measures(folder, "regression", 2) == measures(folder, "regression")


def test_a_net_of_a_method_that_did_not_run_is_refused(folder, digits):
    with pytest.raises(DataError, match="net_of 'ReLU': has not run with this seed; list that method"):
        run_recipe(read_recipe(folder / "recipe.yaml"), folder / "out", digits, only=["pixels"])


@pytest.mark.parametrize("method, message", [
    ("{blob: h2, scores: nope}", "no blob 'nope' to encode"),
    ("{blob: h2, metric: l3}", "got 'l3'"),
    ("{blob: data, components: 65}", "option 'components', expected at most"),
    ("{blob: h2, num_base: 1438}", "option 'num_base', expected at most 1437, all there are, got 1438"),
])
def test_typos_are_found_before_the_training(folder, digits, method, message):
    (folder / "recipe.yaml").write_text(RECIPE.split("methods:")[0] + f"methods:\n  wrong: {method}\n")
    with pytest.raises(BlobnetError, match=message):
        run_recipe(read_recipe(folder / "recipe.yaml"), folder / "out", digits, note=[].append)
    assert not (folder / "out/wrong").exists()


def test_queries_may_be_the_base(folder, digits):
    (folder / "recipe.yaml").write_text(RECIPE.split("methods:")[0].replace("max_iter: 60", "max_iter: 1") + """
methods:
  alone: {blob: h2, protocol: dsh-authors}
""")
    text = run_recipe(read_recipe(folder / "recipe.yaml"), folder / "out", digits, note=[].append)
    assert "| alone |  | 0." in text and "each query is in the database" in text
