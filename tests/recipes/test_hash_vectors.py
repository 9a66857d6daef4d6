"""Hash codes of vectors on digits: every learner, what it leaves, and what cannot run."""

import json

import numpy as np
import pytest

from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.database import open_database
from blobnet.errors import DataError
from blobnet.hashing import Codes, evaluate, get_protocol
from blobnet.proto.messages import new
from blobnet.recipes import read_recipe, run_recipe

ENCODER = """
name: "tiny"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 10 dim: 64 } } }
layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1" inner_product_param { num_output: 20 } }
layer { name: "tanh1" type: "TanH" bottom: "ip1" top: "ip1" }
layer { name: "code" type: "InnerProduct" bottom: "ip1" top: "code" inner_product_param { num_output: 8 } }
"""
LABEL = 'layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 10 } } }\n'
BINARY = 'layer { name: "binary" type: "Input" top: "binary" input_param { shape { dim: 10 dim: 8 } } }\n'
EQUALITY = 'layer { name: "equality" type: "EuclideanLoss" bottom: "code" bottom: "binary" top: "equality" }\n'
NETS = {
    "uh": ENCODER + BINARY + EQUALITY + """
        layer { name: "decoder" type: "InnerProduct" bottom: "binary" top: "decoder"
          inner_product_param { num_output: 64 } }
        layer { name: "reconstruction" type: "EuclideanLoss" bottom: "decoder" bottom: "data" top: "reconstruction" }
        """,
    "sh": ENCODER + BINARY + LABEL + EQUALITY + """
        layer { name: "pairs" type: "PairwiseLabelLoss" bottom: "code" bottom: "label" top: "pairs" }""",
    "dh": ENCODER + """
        layer { name: "quantization" type: "SignQuantizationLoss" bottom: "code" top: "quantization" }""",
    "sdh": ENCODER + LABEL + """
        layer { name: "quantization" type: "SignQuantizationLoss" bottom: "code" top: "quantization" }
        layer { name: "scatter" type: "ScatterLoss" bottom: "code" bottom: "label" top: "scatter"
          loss_weight: 0.1 }""",
}
SOLVERS = {"uh": 'type: "LBFGS"', "sh": 'type: "LBFGS"', "dh": 'base_lr: 0.01 lr_policy: "fixed" max_iter: 40',
           "sdh": 'base_lr: 0.01 lr_policy: "fixed" max_iter: 40'}
RECIPE = """
paper: codes of digits
task: hash_vectors
data: [digits]
columns: [mAP, "P(r<=2)"]
settings: {bits: 8, queries: digits_test_lmdb, base: digits_train_lmdb, length: 4, rounds: 1, steps: 1}
reduced: {num_queries: 200, num_base: 1000, num_train: 400}
methods:
  LSH: {learner: lsh}
  PCAH: {learner: pcah}
  ITQ: {learner: itq}
  Spectral: {learner: sh}
  KSH: {learner: ksh, anchors: 60}
  Discrete: {learner: sdh, anchors: 60}
  UH: {learner: bdnn, solver: uh_solver.prototxt}
  SH: {learner: bdnn, solver: sh_solver.prototxt}
  DH: {learner: gradient, solver: dh_solver.prototxt}
  SDH: {learner: gradient, solver: sdh_solver.prototxt}
"""


@pytest.fixture
def recipe(tmp_path):
    for name, net in NETS.items():
        (tmp_path / f"{name}.prototxt").write_text(net)
        (tmp_path / f"{name}_solver.prototxt").write_text(f'net: "{name}.prototxt" solver_mode: CPU {SOLVERS[name]}')
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


def test_every_learner(recipe, digits, tmp_path):
    out = tmp_path / "out"
    text = run_recipe(read_recipe(recipe), out, digits, note=[].append)
    trials = {trial["method"]: trial for trial in json.loads((out / "results.json").read_text())["trials"]}
    assert list(trials) == ["LSH", "PCAH", "ITQ", "Spectral", "KSH", "Discrete", "UH", "SH", "DH", "SDH"]
    scores = {}
    for name, trial in trials.items():
        folder = out / name.lower() / "seed_1"
        queries, base = Codes.load(folder / "queries.npz"), Codes.load(folder / "base.npz")
        assert len({*queries.ids}) == len(queries) and len({*base.ids}) == len(base)
        assert (len(queries), len(base), queries.bits) == (200, 1000, 8)
        scores[name] = evaluate(queries, base).mean_average_precision
        assert trial["measures"]["mAP"] == scores[name]
        kept = {path.name for path in folder.iterdir()}
        assert ({"objective.json", "objective.png"} <= kept) == (name in ("UH", "SH", "DH", "SDH"))
    for name, points in (("uh", 4), ("sh", 4), ("dh", 21), ("sdh", 21)):
        history = json.loads((out / name / "seed_1" / "objective.json").read_text())
        assert len(history) == points and history[-1] < history[0]
    assert max(scores[name] for name in ("LSH", "ITQ", "Spectral")) + 0.1 < min(scores["KSH"], scores["Discrete"])
    assert scores["LSH"] < scores["ITQ"] and scores["UH"] < scores["SH"] and scores["DH"] < scores["SDH"]
    assert "learned from 400 images of the base, drawn by the seed" in text


def test_the_seed_draws_what_is_learned_from(recipe, digits, tmp_path):
    run_recipe(read_recipe(recipe), tmp_path, digits, seeds=[1, 2], only=["PCAH"], note=[].append)
    first, second = (Codes.load(tmp_path / f"pcah/seed_{seed}/queries.npz").values for seed in (1, 2))
    assert not np.allclose(abs(first), abs(second), atol=1e-3)


@pytest.mark.parametrize("change, message", [
    (("learner: itq", "learner: itk"), "method 'ITQ': unknown learner 'itk'; did you mean 'itq'"),
    (("learner: bdnn, solver: uh_solver.prototxt", "learner: bdnn"), "method 'UH': learner 'bdnn' needs a solver"),
    (("length: 4", "length: 0"), "option 'length', expected a number above 0, got 0"),
    (("length: 4", "length: 4, protocol: x"), "expected a known name, got 'x'"),
    (("num_train: 400", "num_train: 1001"), "option 'num_train', expected at most 1000, all there are, got 1001"),
    (("num_train: 400", "num_train: 400, train: digits_test_lmdb"), "'num_train', expected at most 360, all there are"),
    (("num_train: 400", "num_train: 950, num_validation: 60"), "'num_train', expected at most 940, all there are"),
    (("num_train: 400", "num_validation: 1000"), "'num_validation', expected at most 999, all there are, got 1000"),
    (("anchors: 60", "anchors: 401"), "method 'KSH': option 'anchors', expected at most 400, all there are, got 401"),
    (("base: digits_train_lmdb", "base: none.npz"), "none.npz: no such file"),
    (("num_train: 400", "num_train: -3"), "option 'num_train', expected a whole number of at least 0, got -3"),
    (("num_queries: 200", "num_queries: 361"), "option 'num_queries', expected at most 360, all there are, got 361"),
    (("queries: digits_test", "queries: digits_tst"), "no such folder; did you mean 'digits_test_lmdb'"),
    (("bits: 8", "bits: 9"), "method 'UH': blob 'code', expected 9 bits, got 8"),
    (("learner: lsh}", "learner: lsh, bits: -1}"), "option 'bits', expected a whole number of at least 1, got -1"),
], ids=str)
def test_what_cannot_run_is_said(change, message, recipe, digits, tmp_path):
    recipe.write_text(RECIPE.replace(*change))
    with pytest.raises(DataError, match=message):
        run_recipe(read_recipe(recipe), tmp_path / "out", digits, note=[].append)
    assert not [*(tmp_path / "out").glob("*/seed_*")]


def test_queries_may_be_the_base(recipe, digits, tmp_path):
    recipe.write_text(RECIPE.replace("length: 4", "length: 4, protocol: dsh-authors"))
    text = run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["ITQ"], note=[].append)
    score = evaluate(Codes.load(tmp_path / "out/itq/seed_1/queries.npz"), protocol=get_protocol("dsh-authors"))
    assert f"| ITQ | {score.mean_average_precision:.4f} |" in text


def test_features_are_vectors_too(recipe, digits, tmp_path):
    """Values in files of codes, such as features of a net, are learned from like the same numbers in a database."""
    folder = tmp_path / "data"
    folder.mkdir()
    for part in ("test", "train"):
        (folder / f"digits_{part}_lmdb").symlink_to(digits / f"digits_{part}_lmdb")
        batches = DatumBatches(reader := open_database(digits / f"digits_{part}_lmdb"),
                               Transformer(new("TransformationParameter"), False, "digits"), len(reader))
        images, labels = batches(0)
        Codes.from_values(images.reshape(len(images), -1) / 1024, labels=labels).save(folder / f"{part}.npz")
    only, text = ["ITQ", "KSH"], RECIPE.replace("data: [digits]", "")
    recipe.write_text(text)
    run_recipe(read_recipe(recipe), tmp_path / "pixels", folder, only=only, note=[].append)
    recipe.write_text(text.replace("digits_test_lmdb", "test.npz").replace("digits_train_lmdb", "train.npz"))
    run_recipe(read_recipe(recipe), tmp_path / "features", folder, only=only, note=[].append)
    for name in ("itq", "ksh"):
        one, other = (Codes.load(tmp_path / where / name / "seed_1/base.npz") for where in ("pixels", "features"))
        np.testing.assert_array_equal(one.values, other.values)
    Codes(one.packed, one.bits).save(folder / "test.npz")
    with pytest.raises(DataError, match="test.npz: expected codes with their values"):
        run_recipe(read_recipe(recipe), tmp_path / "none", folder, only=only, note=[].append)


AUTHORS = RECIPE.replace("length: 4", "divide: 16, centre: false, protocol: bdnn-neighbours").replace(
    "num_train: 400", "num_train: 400, num_validation: 100")


def test_the_protocol_of_bdnn(recipe, digits, tmp_path):
    """Numbers divided by 16 and not centred; the 50 nearest are relevant; images held out say when to stop."""
    recipe.write_text(AUTHORS)
    noted = []
    text = run_recipe(read_recipe(recipe), tmp_path, digits, only=["ITQ", "UH"], note=noted.append)
    assert "100 other images of it say when to stop. bdnn-neighbours" in text
    assert any("score 0." in line for line in noted)
    score = json.loads((tmp_path / "results.json").read_text())["trials"][0]["measures"]["mAP"]
    vectors = {}
    for part, count in (("test", 200), ("train", 1000)):
        reader = open_database(digits / f"digits_{part}_lmdb")
        images, _ = DatumBatches(reader, Transformer(new("TransformationParameter"), False, "digits"), count)(0)
        vectors[part] = images.reshape(count, -1) / 16
    queries, base = (Codes.load(tmp_path / f"itq/seed_1/{name}.npz") for name in ("queries", "base"))
    mean = []
    for query, bits in zip(vectors["test"], queries.values >= 0):
        near = set(np.argsort(((vectors["train"] - query) ** 2).sum(axis=1), kind="stable")[:50].tolist())
        ranking = np.argsort(((base.values >= 0) != bits).sum(axis=1), kind="stable")
        ranks = [rank for rank, item in enumerate(ranking.tolist()) if item in near]
        mean.append(sum((found / rank if rank else 1) + (found + 1) / (rank + 1)
                        for found, rank in enumerate(ranks)) / 100)
    assert score == pytest.approx(np.mean(mean), abs=2e-3)  # pixels that are equally far may change places
