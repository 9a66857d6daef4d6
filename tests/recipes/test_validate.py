"""Settings are chosen by images held out of the training part: every recipe can, and none reads the reported ones."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.data.images.encode import encode_image
from blobnet.data.images.mean import mean_image
from blobnet.data.sets import SETS, set_paths, shape_sets
from blobnet.data.sets.held_out import SHARE
from blobnet.data.sets.splits import SPLITS, split_paths
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.hdf5 import write_datasets
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError
from blobnet.proto.blobs import write_blob
from blobnet.published import published_recipes
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.data_sets import validation_data
from blobnet.recipes.nets import identity, trial_net, trial_solver
from blobnet.recipes.tasks import faster_rcnn
from blobnet.recipes.trial import Trial

RECIPES = published_recipes()
RNG = np.random.default_rng(11)
TRAIN, TEST = 40, 20  # images of a stand-in


# Stand-ins of the data sets, of noise.

def write_database(path, images):
    with LmdbWriter(path) as writer:
        for key, image in images.items():
            writer.put(key.encode(), array_to_datum(image, 0).SerializeToString())


def noise(count, first=0):
    return {f"{n:08}": RNG.integers(0, 256, (3, 4, 4), np.uint8) for n in range(first, first + count)}


def write_stand_in(name, folder, monkeypatch):
    """A small set of the files of the set `name`."""
    if name in SPLITS:
        if SPLITS[name].parts:
            write_stand_in(SPLITS[name].parts, folder, monkeypatch)
        base = noise(TRAIN)
        parts = {"query": noise(TEST, 100), "train": noise(TRAIN, 200), "base": base,
                 "validation": dict(list(base.items())[:10])}
        for path in split_paths(name, folder):
            if path.suffix == ".binaryproto":
                write_blob(path, mean_image([np.stack(list(parts["train"].values()))]))
            else:
                write_database(path, parts[path.name.split("_")[-2]])
        return
    if hasattr(SETS[name], "PARTS"):
        monkeypatch.setattr(shape_sets, "COUNTS", {"train": 3, "test": 2})
        SETS[name].write(folder, name)
        return
    train, test = noise(TRAIN), noise(TEST)
    for path in set_paths(name, folder):
        images = train if "train" in path.name else test
        if path.suffix == ".binaryproto":
            write_blob(path, mean_image([np.stack(list(train.values()))]))
        elif path.suffix == ".h5":
            half = len(images) // 2
            pairs = np.array([(i, half + i, half) for i in range(1, half)], np.int32)
            write_datasets(path, {"attributes": np.zeros((2 * half, 3), np.uint8), "triplets": pairs, "pairs": pairs})
        elif path.suffix == ".txt":
            path.write_text("".join(f"{name}_images/{path.stem}_{key}.png 1 0\n" for key in images))
            (folder / f"{name}_images").mkdir(exist_ok=True)
            for key, image in images.items():
                (folder / f"{name}_images/{path.stem}_{key}.png").write_bytes(encode_image(image, "png"))
        elif path.name.endswith("_lmdb"):
            write_database(path, images)


def images_of(path):
    """The records of a database, the files that a list names, as bytes."""
    if path.is_dir():
        reader = open_database(path)
        return {bytes(reader.read()) for _ in range(len(reader))}
    return {(path.parent / line.split()[0]).read_bytes() for line in path.read_text().splitlines()}


def data_files(recipe, folder):
    """What the nets and options of a recipe read of the data folder `folder`."""
    found = set()
    for method in recipe.methods:
        for full in (False, True):
            options = recipe.options(method, full)
            trial = Trial(method, options, 1, recipe.path.parent, folder, Path("out"))
            nets = [trial_solver(trial).net_param] if options.get("solver") else []
            nets += [trial_net(trial, trial.folder / options["encode_net"])] if options.get("encode_net") else []
            found |= {Path(folder, options[name]) for name in ("queries", "base") if name in options}
            if "set" in options:
                found |= {Path(folder, f"{options['set']}_test_{end}") for end in ("lmdb",)}
            for message in [value for net in nets for layer in net.layer for field, value in layer.ListFields()
                            if field.message_type and not field.is_repeated]:
                found |= {Path(value) for field, value in message.ListFields()
                          if field.name in ("source", "mean_file") and value.startswith(str(folder))}
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_a_validation_part_that_is_never_the_reported_queries(name, tmp_path, monkeypatch):
    recipe = dataclasses.replace(read_recipe(RECIPES[name]), validation=4)
    for each in recipe.data:
        write_stand_in(each, tmp_path, monkeypatch)
    folder = validation_data(recipe, tmp_path, [].append)
    assert folder != tmp_path and (recipe.data or recipe.task == "faster_rcnn")
    read = data_files(recipe, folder)
    assert read or recipe.task == "faster_rcnn"
    for path in read:
        assert path.exists(), f"nothing stands for {path.name}"
    tested = [path for path in read if {"test", "query"} & set(path.stem.split("_"))]
    assert tested or recipe.task == "faster_rcnn"
    for path in tested:
        reported = images_of(tmp_path / path.name)
        assert images_of(path) and not images_of(path) & reported
        for other in read - {path}:
            if other.suffix in ("", ".txt"):
                assert not images_of(other) & (images_of(path) | reported)


@pytest.mark.parametrize("name", [name for name in RECIPES if read_recipe(RECIPES[name]).data])
@pytest.mark.parametrize("full", [False, True])
def test_the_part_that_is_held_out_suffices_for_the_options(name, full):
    recipe = read_recipe(RECIPES[name])
    for each in recipe.data:
        if each in SPLITS:
            split = SPLITS[each]
            total = 10 * split.train if split.base == "train" else 60000 - 10 * split.query
            held = 10 * split.validation or recipe.validation or total // SHARE
        else:
            total = SETS[each].COUNTS["train"] // (2 if each.startswith("qmul") else 1)
            held = recipe.validation or total // SHARE
        assert 0 < held < total / 2
        for method in recipe.methods:
            options = recipe.options(method, full)
            assert options.get("num_queries", 0) <= held
            assert max(options.get(option, 0) for option in ("num_base", "num_train", "top_k")) <= total - held


# Runs.

RECIPE = """
paper: DSH on digits
task: train_hash
data: [digits]
columns: [mAP]
validation: 50
settings: {solver: digits_solver.prototxt, blob: ip1, bits: 12, queries: digits_test_lmdb, base: digits_train_lmdb}
reduced: {max_iter: 5, num_base: 300}
methods: {DSH: {}}
published: {DSH: {mAP: 0.9876}}
published_as: the test digits against themselves
"""


@pytest.fixture
def data(digits, tmp_path):
    """A data folder of the test's own with the digits."""
    (tmp_path / "data").mkdir()
    for path in digits.iterdir():
        (tmp_path / "data" / path.name).symlink_to(path)
    return tmp_path / "data"


@pytest.fixture
def recipe(tmp_path, request):
    for name in ("digits_solver.prototxt", "digits_train_test.prototxt"):
        shutil.copy(request.config.rootpath / "prototxt/dsh" / name, tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


@pytest.mark.filterwarnings("ignore:.*bi_margin")
def test_a_run_is_scored_by_the_held_out_images_and_says_so(recipe, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (data / "digits_test_lmdb").unlink()
    shutil.copytree(data / "digits_train_lmdb", data / "digits_test_lmdb")
    (data / "digits_test_lmdb/data.mdb").write_bytes(b"the reported queries")  # an error for who reads them
    assert main(["run", str(recipe), "--validate"]) == 0
    said = capsys.readouterr().out
    assert "To choose settings by, not to report" in said and "0.9876" not in said
    out = Path("runs", tmp_path.name, "recipe", "validation-reduced")
    with np.load(out / "dsh/seed_1/queries.npz") as codes:
        ids = codes["ids"].tolist()
    held = [key.decode() for key in open_database(data / "validation_50/digits_test_lmdb").keys()]
    assert ids == held and len(held) == 50
    assert set(held) < {key.decode() for key in open_database(data / "digits_train_lmdb").keys()}


@pytest.mark.filterwarnings("ignore:.*bi_margin")
def test_a_trial_of_the_one_kind_is_never_taken_for_the_other(recipe, data, tmp_path):
    recipe, out, said = read_recipe(recipe), tmp_path / "out", []
    for validate in (False, True, False):
        run_recipe(recipe, out, data, validate=validate, note=said.append)
    assert sum("mAP" in line for line in said) == 3  # each time it ran
    kept = json.loads((out / "results.json").read_text())
    assert [trial["options"].get("validation") for trial in kept["old"] + kept["trials"]] == [None, 50, None]


def test_the_identity_of_a_trial_knows_nothing_of_validation(recipe):
    recipe = read_recipe(recipe)
    trial = Trial("DSH", recipe.options("DSH"), 1, recipe.path.parent, Path("data"), Path("out"))
    other = dataclasses.replace(trial, data=Path("data/validation"), validation=True)
    assert identity(trial) == identity(other)
    assert "validation" not in identity(trial)


def test_a_recipe_without_data_sets_has_those_of_its_options(recipe, tmp_path, monkeypatch):
    recipe.write_text(RECIPE.replace("data: [digits]\n", "").replace("validation: 50", "validation: 4"))
    write_stand_in("digits", tmp_path, monkeypatch)
    folder = validation_data(read_recipe(recipe), tmp_path, [].append)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        path.name for path in set_paths("digits", tmp_path))


@pytest.mark.parametrize("change", [("base: digits_train_lmdb", "base: /elsewhere/digits_train_lmdb"),
                                    ("queries: digits_test_lmdb", "queries: /elsewhere/digits_test_lmdb")])
def test_queries_that_are_elsewhere_are_not_read_in_the_place_of_others(change, recipe, tmp_path, monkeypatch):
    recipe.write_text(RECIPE.replace(*change))
    write_stand_in("digits", tmp_path, monkeypatch)
    with pytest.raises(DataError, match="queries and base in the data folder"):
        validation_data(read_recipe(recipe), tmp_path, [].append)


def test_other_shapes_are_drawn_for_faster_rcnn(monkeypatch):
    assert shape_sets.VALIDATION_SEEDS["test"] not in shape_sets.SEEDS.values()
    drawn = []

    def draw_shapes(count, size, seed):
        drawn.append(seed)
        raise KeyboardInterrupt

    recipe = read_recipe(RECIPES["faster_rcnn/shapes"])
    monkeypatch.setattr(faster_rcnn, "draw_shapes", draw_shapes)
    for name in ("_draw", "_test_net", "train", "trial_solver", "_find_layers"):
        monkeypatch.setattr(faster_rcnn, name, lambda *words: type("Nothing", (), {"net_param": None}))
    for validation in (False, True):
        with pytest.raises(KeyboardInterrupt):
            faster_rcnn.run(Trial("Faster R-CNN", recipe.options("Faster R-CNN"), 1, recipe.path.parent, Path("data"),
                                  Path("out"), validation=validation))
    assert drawn == [shape_sets.SEEDS["test"], shape_sets.VALIDATION_SEEDS["test"]]


@pytest.mark.parametrize("value", ["-1", "true", "0.1", "many"])
def test_the_field_is_a_number_of_images(value, recipe):
    recipe.write_text(RECIPE.replace("validation: 50", f"validation: {value}"))
    with pytest.raises(DataError, match="'validation'"):
        read_recipe(recipe)
