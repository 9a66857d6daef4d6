"""Reading recipes: what is right is completed, what is wrong is named."""

from pathlib import Path

import pytest

from blobnet.errors import BlobnetError, DataError
from blobnet.recipes import read_recipe
from blobnet.recipes.results import Results, table

ROOT = Path(__file__).parent.parent.parent
RECIPES = sorted(ROOT.glob("prototxt/*/recipe*.yaml"))
GOOD = """
paper: Someone, Something, 2016
task: train_hash
columns: [mAP]
seeds: [1, 2]
settings: {solver: s.prototxt, blob: code, bits: 12, queries: q, base: b, max_iter: 7}
reduced: {max_iter: 5, num_base: 100}
methods:
  plain: {}
  long: {bits: 24, max_iter: 6, full: {max_iter: 8}}
published: {plain: {mAP: 0.5}}
published_as: some images against others
"""


def written(tmp_path, text):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return path


def test_options_override_each_other_in_order(tmp_path):
    recipe = read_recipe(written(tmp_path, GOOD))
    plain, full, long = recipe.options("plain"), recipe.options("plain", full=True), recipe.options("long")
    assert (plain["max_iter"], full["max_iter"], long["max_iter"]) == (5, 7, 6)
    assert (plain["bits"], long["bits"]) == (12, 24)
    assert recipe.options("long", full=True)["max_iter"] == 8
    assert (plain["num_base"], full["num_base"]) == (100, 0)
    assert plain["protocol"] == "standard"


@pytest.mark.parametrize("change, message", [
    (("task: train_hash", "task: train_hsah"), "unknown task 'train_hsah'; did you mean 'train_hash'"),
    (("seeds: [1, 2]", "seeds: [-1]"), "seeds of 0 or more"),
    (("seeds: [1, 2]", "seeds: []"), "seeds of 0 or more"),
    (("seeds: [1, 2]", "seeds: 3"), "field 'seeds'"),
    (("columns: [mAP]", ""), "no 'columns'"),
    (("paper:", "papers:"), "unknown field 'papers'; did you mean 'paper'?"),
    (("num_base: 100", "num_bse: 100"), "has no option 'num_bse'; did you mean 'num_base'?"),
    (("num_base: 100", "num_base: many"), "option 'num_base', expected a whole number of at least 0, got 'many'"),
    (("bits: 24", "bits: true"), "option 'bits', expected a whole number of at least 1, got True"),
    (("bits: 24", "bits: 0"), "option 'bits', expected a whole number of at least 1, got 0"),
    (("max_iter: 6", "max_iter: -5"), "option 'max_iter', expected a whole number of at least 0, got -5"),
    (("max_iter: 6", "max_iter: false"), "option 'max_iter', expected a whole number of at least 0, got False"),
    (("max_iter: 6", "threshold: .nan"), "option 'threshold', expected a number, got nan"),
    (("max_iter: 6", "evaluate_at: ['5']"), "option 'evaluate_at', expected a list of whole numbers of at least 1"),
    (("max_iter: 6", "evaluate_at: [5.5]"), "option 'evaluate_at', expected a list of whole numbers of at least 1"),
    (("max_iter: 6", "overrides: {loss: 5}"), "option 'overrides', expected a mapping of names to texts"),
    (("max_iter: 6", "protocol: 5"), "option 'protocol', expected text, got 5"),
    (("max_iter: 6", "num_queries: -5"), "option 'num_queries', expected a whole number of at least 0, got -5"),
    (("max_iter: 6", "5: 1"), "has no option 5"),
    (("task: train_hash", "task: train_dsh\nfull: {picture: convergense}"), "unknown word 'convergense'; did you mean"),
    (("seeds: [1, 2]", "seeds: [100000000000000000000]"), "seeds of 0 or more, below 2^63"),
    (("seeds: [1, 2]", "data: [5]"), "expected names of data sets, got 5"),
    (("columns: [mAP]", "columns: [mAP, mAPP]"), "has no measure 'mAPP'; did you mean 'mAP'"),
    (("columns: [mAP]", "columns: [mAP, 100]"), "has no measure 100"),
    (("published_as: some", "# some"), "published figures without the protocol that they were taken"),
    (("mAP: 0.5", "mAPP: 0.5"), "has no measure 'mAPP'; did you mean 'mAP'"),
    (("mAP: 0.5", 'mAP: "0,61"'), "published 'mAP' of 'plain', expected a number, got '0,61'"),
    (("mAP: 0.5", "mAP: .inf"), "published 'mAP' of 'plain', expected a number, got inf"),
    (("blob: code, ", ""), "no option 'blob'"),
    (("plain: {mAP", "plian: {mAP"), "unknown method 'plian'; did you mean 'plain'?"),
    (("  plain: {}", "  plain: 3"), "a mapping of options"),
    (("  plain: {}", "  plain: {}\n  on: {}"), "put it in quotes"),
    (("  plain: {}", "  plain: {}\n  PLAIN: {}"), "would share a folder"),
    ((GOOD, "[1, 2]"), "a mapping such as paper"),
    ((GOOD, "a: [1"), "not YAML"),
], ids=str)
def test_wrong_recipes_are_refused(change, message, tmp_path):
    path = written(tmp_path, GOOD.replace(*change))
    with pytest.raises(DataError) as caught:
        read_recipe(path)
    assert message in str(caught.value) and str(path) in str(caught.value)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_published_recipe_is_sound(path):
    recipe = read_recipe(path)
    files = [value for method in recipe.methods for full in (False, True)
             for value in recipe.options(method, full).values()
             if isinstance(value, str) and value.endswith((".prototxt", ".yaml"))]
    assert all((path.parent / name).is_file() for name in files), files


def test_there_are_published_recipes():
    assert RECIPES


def test_seeds_count_once(tmp_path):
    assert read_recipe(written(tmp_path, GOOD.replace("[1, 2]", "[2, 1, 2]"))).seeds == [2, 1]


def test_results_survive_and_are_found_by_their_options(tmp_path):
    path = tmp_path / "results.json"
    Results(path).add("A", 1, {"bits": 12}, {"mAP": 0.5}, 3.0)
    kept = Results(path)
    assert kept.find("A", 1, {"bits": 12}) == {"mAP": 0.5}
    assert kept.find("A", 1, {"bits": 24}) is None and kept.find("A", 2, {"bits": 12}) is None
    kept.add("A", 1, {"bits": 24}, {"mAP": 0.6}, 3.0)
    kept = Results(path)
    assert kept.find("A", 1, {"bits": 12}) is None and len(kept.trials) == 1
    assert [(trial["options"], trial["measures"]) for trial in kept.old] == [({"bits": 12}, {"mAP": 0.5})]
    assert kept.knows("A") and not kept.knows("B")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trials": [1]}', '{"trials": [{"method": "a"}]}'])
def test_other_files_are_no_results(text, tmp_path):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(BlobnetError, match="results of a recipe"):
        Results(tmp_path / "results.json")


def test_the_table_shows_what_was_measured():
    lines = table({"A": [{"mAP": 0.25, "P": 1.0}], "B": [{"mAP": 0.5}, {"mAP": 0.75}]}, ["mAP", "P"],
                  {"B": {"mAP": 0.7}}).splitlines()
    assert lines[2] == "| A | 0.2500 | 1.0000 | 1 |"
    assert lines[3] == "| B | 0.6250 +- 0.1768 (published 0.7) |  | 2 |"
