"""`blobnet convert_annoset` against what it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.cli.convert_annoset import scaled_size
from blobnet.data.images.encode import encode_image
from blobnet.data.images.files import read_image
from blobnet.data.stores.annotated_datum import objects_of, parse_annotated_datum
from blobnet.data.stores.database import open_database
from blobnet.data.stores.datum import datum_to_array

MAP = 'item { name: "none" label: 0 } item { name: "cat" label: 3 display_name: "a cat" } item { name: "dog" label: 5 }'
OBJECT = "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>" \
         "<ymax>{}</ymax></bndbox></object>"
SIZES = [(10, 20), (30, 15), (8, 8)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for i, size in enumerate(SIZES):
        Path(f"{i}.png").write_bytes(encode_image(rng.integers(0, 256, (3, *size)).astype(np.uint8), "png"))
    Path("0.xml").write_text("<annotation>" + OBJECT.format("dog", 0, 2, 1, 10, 10) + OBJECT.format(
        "cat", 1, 0, 0, 20, 5) + OBJECT.format("dog", 0, 0, 0, 30, 5) + "</annotation>")
    Path("1.xml").write_text("<annotation>" + OBJECT.format("cat", 0, 6, 3, 3, 30) + "</annotation>")
    Path("list.txt").write_text("0.png 0.xml\n1.png 1.xml\n2.png 2.xml\n")
    Path("labels.txt").write_text("0.png 4\n1.png 2\n2.png 0\n")
    Path("map.prototxt").write_text(MAP)


def run(flags, list="list.txt"):
    return main([*f"convert_annoset --label_map_file=map.prototxt {flags} ./ {list} db".split()])


def records():
    reader = open_database("db")
    return list(zip((bytes(key) for key in reader.keys()), (parse_annotated_datum(reader.read()) for _ in SIZES)))


def test_detection(folder, capsys):
    assert run("--anno_type=detection --check_label") == 0
    found = records()
    assert [key for key, _ in found] == [b"00000000_0.png", b"00000001_1.png", b"00000002_2.png"]
    for i, (_, record) in enumerate(found):
        assert record.type == record.BBOX and record.HasField("type") and record.datum.label == -1
        np.testing.assert_array_equal(datum_to_array(record.datum), read_image(f"{i}.png"))
    one, two, three = (objects_of(record) for _, record in found)
    assert one.labels.tolist() == [5, 5, 3] and one.instances.tolist() == [0, 1, 0]
    np.testing.assert_allclose(one.boxes, [[0.1, 0.1, 0.5, 1], [0, 0, 1.5, 0.5], [0, 0, 1, 0.5]], rtol=1e-6)
    assert one.difficult.tolist() == [False, False, True]
    np.testing.assert_allclose(two.boxes, [[0.4, 0.1, 0.2, 1]], rtol=1e-6)
    assert three.labels.tolist() == []  # there is no such file
    said = capsys.readouterr().err
    assert "./0.xml bounding box exceeds image boundary." in said and "./1.xml bounding box irregular." in said


@pytest.mark.parametrize("flags, sizes", [
    ("--resize_height=6 --resize_width=4", [(6, 4)] * 3), ("--min_dim=16", [(16, 32), (32, 16), (16, 16)]),
    ("--max_dim=10", [(5, 10), (10, 5), (8, 8)]), ("--min_dim=16 --max_dim=20", [(10, 20), (20, 10), (16, 16)])])
@pytest.mark.parametrize("encoded", ["", "--encoded"])
def test_sizes(folder, flags, sizes, encoded):
    assert run(f"--anno_type=detection {flags} {encoded}") == 0
    for i, (_, record) in enumerate(records()):
        assert (record.datum.channels, record.datum.height, record.datum.width) == (3, *sizes[i])
        image = datum_to_array(record.datum)
        np.testing.assert_array_equal(image, read_image(f"{i}.png", True, sizes[i]))
    np.testing.assert_allclose(objects_of(records()[0][1]).boxes[0], [0.1, 0.1, 0.5, 1], rtol=1e-6)


def test_files_are_kept(folder):
    assert run("--anno_type=detection --encoded --gray --shuffle") == 0
    files = {Path(f"{i}.png").read_bytes() for i in range(3)}
    assert {record.datum.data for _, record in records()} == files
    assert {record.datum.channels for _, record in records()} == {1}


def test_classification(folder):
    assert run("", "labels.txt") == 0
    assert [(record.datum.label, record.HasField("type")) for _, record in records()] == [(4, False), (2, False),
                                                                                         (0, False)]


def test_sizes_are_rounded():
    assert scaled_size((333, 500), 600, 1000) == (600, 901)  # 900.9
    assert scaled_size((333, 500), 600, 900) == (600, 901)   # cut off before it is compared
    assert scaled_size((333, 500), 600, 899) == (599, 899)
    assert scaled_size((1, 4000), 0, 100) == (1, 100)  # there is one row at least
