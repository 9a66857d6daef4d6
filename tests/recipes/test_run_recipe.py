"""Running recipes on real digits: training, codes, scores, and going on after an interruption."""

import json
import re
import shutil

import pytest

from blobnet.errors import BlobnetError, DataError, SolverError
from blobnet.hashing import Codes, evaluate
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.tasks import train_hash
from blobnet.view.training_log import parse_log

RECIPE = """
paper: DSH on digits
task: train_hash
data: [digits]
columns: [mAP, P@100]
settings: {solver: digits_solver.prototxt, blob: ip1, bits: 12, queries: digits_test_lmdb, base: digits_train_lmdb}
reduced: {max_iter: 20, num_queries: 100, num_base: 300, evaluate_at: [10]}
methods:
  DSH: {}
  tuned: {weights: DSH, max_iter: 5}
  frozen: {max_iter: 2, overrides: {conv1: "param { lr_mult: 0 } param { lr_mult: 0 }"}}
"""


@pytest.fixture
def recipe(tmp_path, request):
    for name in ("digits_solver.prototxt", "digits_train_test.prototxt"):
        shutil.copy(request.config.rootpath / "prototxt/dsh" / name, tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


@pytest.mark.filterwarnings("ignore:.*bi_margin")
def test_a_recipe_runs_and_its_results_are_those_of_its_codes(recipe, digits, tmp_path):
    out, said = tmp_path / "out", []
    text = run_recipe(read_recipe(recipe), out, digits, note=said.append)
    trials = json.loads((out / "results.json").read_text())["trials"]
    assert [trial["method"] for trial in trials] == ["DSH", "tuned", "frozen"]
    folder = out / "dsh" / "seed_1"
    queries, base = Codes.load(folder / "queries.npz"), Codes.load(folder / "base.npz")
    assert (len(queries), len(base), queries.bits) == (100, 300, 12)
    score = evaluate(queries, base)
    assert trials[0]["measures"]["mAP"] == score.mean_average_precision
    assert f"| DSH | {score.mean_average_precision:.4f} | {score.precision:.4f} | 1 |" in text
    assert (out / "results.md").read_text() == text and "ranked by Hamming distance" in text
    curve = json.loads((folder / "curve.json").read_text())
    assert list(curve["mAP"]) == ["10", "20"] and curve["mAP"]["20"] == score.mean_average_precision
    assert f"  DSH, seed 1: iteration 10, mAP {curve['mAP']['10']:.4f} (protocol standard)" in said
    assert [row["NumIters"] for row in parse_log(folder / "train.log")[0]] == [0]  # display: 100


def test_a_finished_trial_is_not_run_again(recipe, digits, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = run_recipe(read_recipe(recipe), out, digits, only=["frozen"], note=[].append)

    def run(trial):
        raise AssertionError("ran again")

    monkeypatch.setattr(train_hash, "run", run)
    assert run_recipe(read_recipe(recipe), out, digits, only=["frozen"], note=[].append) == first


def test_an_option_that_came_later_has_its_default_in_finished_trials(recipe, digits, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = run_recipe(read_recipe(recipe), out, digits, only=["frozen"], note=[].append)
    for path in (out / "results.json", out / "frozen/seed_1/options.json"):
        text = path.read_text()
        older = re.sub(r'\s*"stage": "",', "", text)
        assert older != text
        path.write_text(older)
    found = run_recipe(read_recipe(recipe), out, digits, only=["frozen"], note=[].append)
    assert found == first and not list(out.rglob("*.old-*"))
    recipe.write_text(recipe.read_text().replace("{max_iter: 2,", "{max_iter: 2, stage: other,"))
    run_recipe(read_recipe(recipe), out, digits, only=["frozen"], note=[].append)
    assert list(out.rglob("*.old-*"))


def test_an_interrupted_trial_ends_as_if_it_had_not_been(recipe, digits, tmp_path, monkeypatch):
    whole = run_recipe(read_recipe(recipe), tmp_path / "whole", digits, only=["DSH"], note=[].append)

    score = train_hash._score

    def stop(trial, *arguments):
        score(trial, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(train_hash, "_score", stop)
    with pytest.raises(KeyboardInterrupt):
        run_recipe(read_recipe(recipe), tmp_path / "parts", digits, only=["DSH"], note=[].append)
    monkeypatch.undo()
    said = []
    assert run_recipe(read_recipe(recipe), tmp_path / "parts", digits, only=["DSH"], note=said.append) == whole
    assert "goes on from iteration 10" in said[0]


def test_other_options_start_anew(recipe, digits, tmp_path):
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frozen"], note=[].append)
    recipe.write_text(RECIPE.replace("max_iter: 2,", "max_iter: 1,"))
    said = []
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frozen"], note=said.append)
    assert "what was there is now in" in said[0] and "iteration 1 of 1" in said[1]
    assert (tmp_path / "out/frozen/seed_1.old-1/snapshot_iter_2.caffemodel").is_file()
    recipe.write_text(RECIPE)
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frozen"], note=[].append)
    assert (tmp_path / "out/frozen/seed_1.old-2/snapshot_iter_1.caffemodel").is_file()
    assert len(json.loads((tmp_path / "out/results.json").read_text())["old"]) == 2


@pytest.mark.parametrize("name, old, new, anew", [
    ("digits_train_test.prototxt", "num_output: 12", "num_output: 12  # of ip1\n", False),
    ("digits_train_test.prototxt", "tradeoff: 0.01", "tradeoff: 0.02", True),
    ("digits_solver.prototxt", "momentum: 0.9", "momentum: 0.8", True)])
def test_a_changed_net_or_solver_starts_anew_but_a_comment_does_not(recipe, digits, tmp_path, name, old, new, anew):
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frozen"], note=[].append)
    text = (tmp_path / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new))
    said = []
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frozen"], note=said.append)
    assert bool(said) == anew


def test_folders_of_others_are_refused(recipe, digits, tmp_path):
    folder = tmp_path / "out/frozen/seed_1"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("all of it")
    with pytest.raises(DataError, match="expected the folder of a trial, with options.json"):
        run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frozen"], note=[].append)
    assert (folder / "thesis.txt").read_text() == "all of it"
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="expected a folder for the results, got a file"):
        run_recipe(read_recipe(recipe), tmp_path / "file", digits, only=["frozen"], note=[].append)


def test_the_table_has_all_that_is_finished_and_each_once(recipe, digits, tmp_path):
    recipe.write_text(RECIPE.replace("  tuned: {weights: DSH, max_iter: 5}", "  short: {max_iter: 1}"))
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["short", "short"], seeds=[1, 1], note=[].append)
    text = run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frozen"], seeds=[2], note=[].append)
    assert [line.split(" | ")[0] for line in text.splitlines() if line.endswith(" 1 |")] == ["| short", "| frozen"]
    assert (tmp_path / "out/results.md").read_text() == text


def test_seeds_are_whole_numbers(recipe, digits, tmp_path):
    for seeds in ([-1], [10**20], [1.5]):
        with pytest.raises(DataError, match="seeds: expected seeds of 0 or more, below 2"):
            run_recipe(read_recipe(recipe), tmp_path / "out", digits, seeds=seeds, note=[].append)


def test_an_interruption_leaves_no_loss_of_a_part(recipe, digits, tmp_path, monkeypatch):
    monkeypatch.setattr(train_hash, "WINDOW", 4)
    recipe.write_text(RECIPE.replace("max_iter: 20", "max_iter: 10").replace("evaluate_at: [10]", "evaluate_at: [6]"))
    curve = tmp_path / "out/dsh/seed_1/curve.json"
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["DSH"], note=[].append)
    whole = json.loads(curve.read_text())["loss"]
    assert list(whole) == ["4", "8", "10"]
    for path in curve.parent.glob("snapshot_iter_10.*"):
        path.unlink()
    (tmp_path / "out/results.json").unlink()
    curve.write_text(json.dumps({"loss": {"4": whole["4"]}, "mAP": {}}))
    run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["DSH"], note=[].append)
    assert json.loads(curve.read_text())["loss"] == {"4": whole["4"], "10": whole["10"]}


def test_weights_of_no_method(recipe, digits, tmp_path):
    recipe.write_text(RECIPE.replace("weights: DSH", "weights: DHS"))
    with pytest.raises(DataError, match="a file, or a method that has run with this seed"):
        run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["tuned"], note=[].append)


@pytest.mark.parametrize("change, message", [
    (("conv1:", "conv9:"), "no layer 'conv9' to override; did you mean"),
    (("bits: 12", "bits: 13"), "expected 13 bits, got 12"),
    (("blob: ip1", "blob: ip11"), "no blob 'ip11' to encode; did you mean 'ip1'"),
    (("blob: ip1", "blob: ip1, protocol: standrd"), "expected a known name, got 'standrd'; did you mean 'standard'"),
    (("queries: digits_test", "queries: digits_tst"), "no such folder; did you mean 'digits_test_lmdb'"),
    (("base: digits_train", "base: digits_trn"), "no such folder; did you mean 'digits_train_lmdb'"),
    (("num_queries: 100", "num_queries: 361"), "option 'num_queries', expected at most 360, all there are, got 361"),
    (("num_base: 300", "num_base: 300, top_k: 301"), "option 'top_k', expected at most 300, all that are ranked"),
    (("data: [digits]", "data: [cifar10]"), "blobnet data import cifar10"),
], ids=str)
def test_what_cannot_run_is_said(change, message, recipe, digits, tmp_path):
    recipe.write_text(RECIPE.replace(*change))
    with pytest.raises(BlobnetError, match=message):
        run_recipe(read_recipe(recipe), tmp_path / "out", digits, note=[].append)
    assert not [*(tmp_path / "out").glob("*/seed_*")]  # nothing was trained


def test_an_unknown_method_is_named(recipe, digits, tmp_path):
    with pytest.raises(DataError, match="did you mean 'frozen'"):
        run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["frosen"], note=[].append)


def test_a_trial_that_diverges_is_reported_and_the_others_run(recipe, digits, tmp_path, monkeypatch):
    run, said = train_hash.run, []

    def diverge(trial):
        if trial.method == "DSH":
            raise SolverError("solver.prototxt", "the loss is nan")
        return run(trial)

    monkeypatch.setattr(train_hash, "run", diverge)
    with pytest.raises(SolverError, match=r"1 of 2 trials failed\n  DSH, seed 1: solver.prototxt: the loss is nan"):
        run_recipe(read_recipe(recipe), tmp_path / "out", digits, only=["DSH", "frozen"], note=said.append)
    assert "| frozen |" in (tmp_path / "out/results.md").read_text()
    assert "  DSH, seed 1: solver.prototxt: the loss is nan" in said
