"""Sets whose parts are lists that a user brings, in the format of HashNet's authors."""

from __future__ import annotations

import argparse

import numpy as np
import pytest

from blobnet.cli import data as command
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.images.encode import encode_image
from blobnet.data.images.lists import read_image_list
from blobnet.data.sets import list_splits, validation
from blobnet.data.sets.list_splits import LIST_SPLITS, ListSplit, list_split_paths, write_list_split
from blobnet.data.sets.validation import write_validation
from blobnet.errors import DataError
from blobnet.netdef.load import load
from blobnet.proto.text import parse

RNG = np.random.default_rng(7)
ROWS = RNG.integers(0, 2, (20, 4))
AUTHORS = "/home/somebody/sets/"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A split of four labels, three queries and five training images."""
    for module in (list_splits, validation, command):
        monkeypatch.setattr(module, "LIST_SPLITS", {"photos-4": ListSplit(4, 3, (5, 6))})
    monkeypatch.setattr(list_splits, "VALIDATION", 4)


@pytest.fixture
def lists(tmp_path):
    """Published lists, whose paths begin with a folder of their author; the images are elsewhere."""
    (tmp_path / "images/of mine").mkdir(parents=True)
    for n in range(20):
        (tmp_path / f"images/of mine/{n}.png").write_bytes(encode_image(np.full((3, 2, 2), n, np.uint8), "png"))
    write(tmp_path, test=range(3), train=range(3, 8), database=range(3, 20))
    (tmp_path / "data").mkdir()
    return tmp_path


def write(folder, **numbers):
    for name, chosen in numbers.items():
        (folder / f"{name}.txt").write_text("".join(line(n) for n in chosen))


def line(n):
    return f"{AUTHORS}of mine/{n}.png {' '.join(map(str, ROWS[n]))} \n"


def read(path):
    """The numbers of the images in a list, by the list's own paths; their labels are checked."""
    names, rows = read_image_list(path, 4)
    numbers = [int(name.split("/")[-1].removesuffix(".png")) for name in names]
    np.testing.assert_array_equal(rows, ROWS[numbers])
    assert all((path.parent / name).is_file() for name in names)
    return numbers


def test_lists_become_those_that_nets_read(lists):
    paths = write_list_split("photos-4", lists / "data", lists, lists / "images")
    assert paths == list_split_paths("photos-4", lists / "data")
    query, train, base, held = map(read, paths)
    assert (query, train, base) == ([0, 1, 2], [3, 4, 5, 6, 7], list(range(3, 20)))
    assert len(set(held)) == 4 and set(held) <= set(range(8, 20))
    for kind in ("ImageData", "HashingImageData", "MultiLabelImageData"):
        options = f'source: "{paths[0]}" root_folder: "{lists}/data/" label_num: 4 batch_size: 3'
        layer = f'layer {{ name: "images" type: "{kind}" top: "data" top: "label" image_data_param {{ {options} }} }}'
        net = Net(load(parse(layer, "NetParameter"), TEST), TEST)
        net.forward()
        assert net.blobs["data"].data[:, 0, 0, 0].tolist() == [0, 1, 2]
        np.testing.assert_array_equal(net.blobs["label"].data.reshape(3, 4), ROWS[:3])


def test_the_seed_draws_the_validation_part(lists):
    drawn = []
    for seed in (1, 1, 2):
        folder = lists / f"data_{len(drawn)}"
        drawn.append(read(write_list_split("photos-4", folder, lists, lists / "images", seed)[3]))
    assert drawn[0] == drawn[1] != drawn[2]


def test_parts_that_are_there_must_be_the_same(lists):
    paths = write_list_split("photos-4", lists / "data", lists, lists / "images")
    assert write_list_split("photos-4", lists / "data", lists, lists / "images") == paths
    with pytest.raises(DataError, match="photos_4_validation.txt: has other images"):
        write_list_split("photos-4", lists / "data", lists, lists / "images", seed=5)


@pytest.mark.parametrize("spoil, says", [
    (lambda folder: write(folder, test=range(2)), "test.txt: expected 3 images, got 2"),
    (lambda folder: write(folder, train=range(3, 7)), "train.txt: expected 5 or 6 images, got 4"),
    (lambda folder: write(folder, train=range(2, 7)), "train.txt: image '.*/2.png' is a query"),
    (lambda folder: write(folder, database=range(2, 20)), "database.txt: image '.*/2.png' is a query"),
    (lambda folder: write(folder, database=range(3, 11)), "4 images or more that are not for training, got 3"),
    (lambda folder: write(folder, test=[0, 1, 1]), "test.txt:3: image '.*/1.png' for the second time"),
    (lambda folder: (folder / "test.txt").unlink(), "test.txt: no such file"),
    (lambda folder: (folder / "test.txt").write_text(line(0) + "b.png 0 1 0\n" + line(2)),
     "test.txt:2: expected a path and 4 labels, each 0 or 1, got 3 labels"),
    (lambda folder: (folder / "test.txt").write_text(line(0) + "b.png 0 1 0 2\n" + line(2)), "test.txt:2: expected"),
    (lambda folder: (folder / "images/of mine/9.png").unlink(), "database.txt:7: no image .*9.png.*--root"),
], ids=["queries", "training", "leak", "leak of the base", "no validation", "twice", "no list", "labels", "label",
        "image"])
def test_errors_say_where(lists, spoil, says):
    spoil(lists)
    with pytest.raises(DataError, match=says):
        write_list_split("photos-4", lists / "data", lists, lists / "images")
    assert not list((lists / "data").iterdir())


def test_its_validation_part_stands_for_the_queries(lists):
    query, _, base, held = map(read, write_list_split("photos-4", lists / "data", lists, lists / "images"))
    made = {path.name: read(path) for path in write_validation("photos-4", lists / "data")}
    assert made == {"photos_4_query.txt": held, "photos_4_train.txt": [3, 4, 5, 6, 7],
                    "photos_4_base.txt": [n for n in base if n not in held]}


@pytest.mark.parametrize("words, says", [
    (["photos-4"], "expected --from with the folder of its lists, got none"),
    (["cifar10-I", "--from", "lists"], "no --from, as it divides an imported set, got lists"),
    (["photos-5"], "did you mean 'photos-4'"),
])
def test_the_command_knows_which_splits_need_lists(words, says):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["data", "split", *words])
    with pytest.raises(DataError, match=says):
        args.run(args)


def test_the_command_writes_them(lists, capsys):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["data", "split", "photos-4", "--from", str(lists), "--root", str(lists / "images"),
                              "--data", str(lists / "data")])
    assert args.run(args) == 0
    assert capsys.readouterr().out.split() == [str(path) for path in list_split_paths("photos-4", lists / "data")]


def test_the_numbers_are_those_of_the_published_lists():
    assert {name: (split.labels, split.query) for name, split in LIST_SPLITS.items()} == {
        "nus-wide": (21, 2100), "nus-wide-81": (81, 5000), "imagenet-100": (100, 5000), "ms-coco": (80, 5000)}
