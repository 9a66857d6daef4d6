"""`blobnet index add --images` and `blobnet search --query`: photos encoded as the index was."""

from pathlib import Path

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.images.encode import encode_image
from blobnet.hashing.codes import Codes

NAMES = [f"photos/{i}.png" for i in range(5)]
NET = """
layer { name: "data" type: "ImageData" top: "data" top: "label" transform_param { scale: 0.01 }
  image_data_param { source: "list.txt" batch_size: 2 new_height: 6 new_width: 6 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 20 weight_filler { type: "gaussian" } } }
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Five photos, a net with its weights, and the codes of the first three photos in index.npz."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    rng = np.random.default_rng(2)
    for i, name in enumerate(NAMES):
        Path(name).write_bytes(encode_image(rng.integers(0, 256, (3, 7 + i, 9), np.uint8), "png"))
    Path("list.txt").write_text("".join(f"{name} {i % 2}\n" for i, name in enumerate(NAMES)))
    Path("net.prototxt").write_text(NET)
    Net("net.prototxt", TEST, random_seed=1).save("net.caffemodel")
    assert main("encode net.prototxt --weights net.caffemodel --blob ip --out all.npz".split()) == 0
    assert main("encode net.prototxt --weights net.caffemodel --blob ip --count 3 --out index.npz".split()) == 0
    return tmp_path


def test_photos_are_added_as_the_net_has_them(folder, capsys):
    assert main("index add index.npz --class 7 --images photos/3.png photos/4.png".split()) == 1
    assert "expected class numbers without names, as the index has" in capsys.readouterr().err
    bare = Codes.load("index.npz")
    Codes(bare.packed, 20, bare.values, None, bare.ids, 0.0, None, bare.net, bare.weights, bare.blob).save("index.npz")
    assert main(["index", "add", "index.npz", "--images", *NAMES[3:]]) == 0
    index, expected = Codes.load("index.npz"), Codes.load("all.npz")
    assert index.ids.tolist() == NAMES
    np.testing.assert_array_equal(index.values, expected.values)


def test_photos_of_a_class(folder):
    codes = Codes.load("all.npz")
    Codes.from_values(codes.values[:3], labels=[0, 1, 0], ids=NAMES[:3], classes=["sea", "sand"], net=codes.net,
                      weights=codes.weights, blob="ip").save("index.npz")
    assert main(["index", "add", "index.npz", "--class", "sun", "--images", *NAMES[3:]]) == 0
    index = Codes.load("index.npz")
    assert [index.label_names(i) for i in range(5)] == [["sea"], ["sand"], ["sea"], ["sun"], ["sun"]]


def test_a_photo_finds_itself(folder, capsys):
    assert main(["search", "--base", "all.npz", "--query", NAMES[1], NAMES[4], "--top", "2"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    assert rows[0] == [NAMES[1], "1", "0", NAMES[1], "1"] and rows[2] == [NAMES[4], "1", "0", NAMES[4], "0"]
    codes = Codes.load("all.npz")
    distances = ((codes.values[1] >= 0) != (codes.values >= 0)).sum(axis=1)
    distances[1] = 99
    assert rows[1][2:4] == [str(distances.min()), NAMES[distances.argmin()]]


def test_all_of_a_small_base_are_found(folder, capsys):
    assert main(["search", "--base", "all.npz", "--query", "photos"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 5 * 5


def test_a_photo_finds_itself_in_shards(folder, capsys):
    pytest.importorskip("faiss", reason="FAISS is not installed: pip install 'blobnet[faiss]'")
    assert main("index shard all.npz --out shards --items-per-shard 2 --nlist 1".split()) == 0
    capsys.readouterr()
    printed = []
    for base in (["--base", "all.npz"], ["--shards", "shards"]):
        assert main(["search", *base, "--query", NAMES[1], NAMES[4], "--html", "found.html"]) == 0
        assert main(["search", *base, "--query", NAMES[1], NAMES[4]]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and "found.html" in printed[0] and "note" not in printed[0]


def test_real_values_of_photos(folder, capsys):
    assert main(["search", "--base", "all.npz", "--query", NAMES[2], "--metric", "l2", "--top", "1"]) == 0
    query, _, distance, item, _ = capsys.readouterr().out.splitlines()[1].split("\t")
    assert query == item == NAMES[2] and float(distance) < 1e-3  # alone it is multiplied in another order


def test_files_that_moved(folder, capsys):
    """An index remembers where they are now."""
    Path("net.caffemodel").rename("moved.caffemodel")
    line = ["search", "--base", "index.npz", "--query", NAMES[0], "--top", "1"]
    assert main(line) == 1
    assert "index.npz: the file of its weights, 'net.caffemodel', is not there; " in capsys.readouterr().err
    assert main([*line, "--weights", "moved.caffemodel"]) == 0
    codes = Codes.load("index.npz")
    Codes(codes.packed, 20, codes.values, None, codes.ids, 0.0, None, codes.net, codes.weights, "ip").save("bare.npz")
    assert main(["index", "add", "bare.npz", "--weights", "moved.caffemodel", "--images", NAMES[3]]) == 0
    assert Codes.load("bare.npz").weights == "moved.caffemodel" and len(Codes.load("bare.npz")) == 4
    assert main(["index", "add", "bare.npz", "--images", NAMES[4]]) == 0


@pytest.mark.parametrize("line, words", [
    ("search --base bits.npz --query photos/0.png", "bits.npz: does not say of which net its codes were made; give it "
     "with --net"),
    ("search --base bits.npz --query photos/0.png --net net.prototxt --weights net.caffemodel --blob ip",
     "bits.npz: does not say how bits were made of values, got bits as given"),
    ("search --base index.npz --query photos/9.png", "photos/9.png: no such file"),
    ("search --base index.npz --query photos/0.png --blob data", "expected queries of 20 bits, as the base, got 108"),
    ("index add index.npz --images photos/4.png", "expected class numbers without names, as the index has, got no"),
    ("index add index.npz --images photos/2.png", "1 of 1 ids are in the index already, such as 'photos/2.png'"),
    ("index add none.npz --images photos/0.png", "no such index, so there is no net to encode photos with"),
])
def test_what_cannot_be_encoded(folder, capsys, line, words):
    Codes.from_bits(np.eye(3)).save("bits.npz")
    before = Path("index.npz").read_bytes()
    assert main(line.split()) == 1
    assert words in capsys.readouterr().err
    assert Path("index.npz").read_bytes() == before
