"""`blobnet search` and `blobnet evaluate` over small files."""

import argparse

import numpy as np
import pytest
from PIL import Image

from blobnet.cli import encode, evaluate, search
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import BlobnetError, DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.metrics import mean_average_precision
from blobnet.hashing.protocol import get_protocol


def call(*arguments) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    encode.add_parser(subparsers)
    search.add_parser(subparsers)
    evaluate.add_parser(subparsers)
    args = parser.parse_args([str(argument) for argument in arguments])
    return args.run(args)


@pytest.fixture
def files(tmp_path):
    """base.npz: 20 codes of 6 bits with ids and labels; query.npz: 4."""
    rng = np.random.default_rng(4)
    bits, labels = rng.integers(0, 2, (24, 6)), rng.integers(0, 3, 24)
    Codes.from_bits(bits[:20], labels=labels[:20], ids=[f"img{i}" for i in range(20)]).save(tmp_path / "base.npz")
    Codes.from_bits(bits[20:], labels=labels[20:]).save(tmp_path / "query.npz")
    return tmp_path / "base.npz", tmp_path / "query.npz", bits, labels


def expected_rows(bits, labels, top=None, radius=6):
    for query in range(4):
        distances = [int(sum(a != b for a, b in zip(bits[20 + query], row))) for row in bits[:20]]
        ranking = sorted((distance, place) for place, distance in enumerate(distances) if distance <= radius)
        for rank, (distance, place) in enumerate(ranking[:top], 1):
            yield [str(query), str(rank), str(distance), f"img{place}", str(labels[place])]


@pytest.mark.parametrize("options, limits", [
    ([], {"top": 10}), (["--top", 3], {"top": 3}), (["--radius", 2], {"radius": 2}),
    (["--top", 2, "--radius", 1], {"top": 2, "radius": 1})])
def test_search_prints_a_row_for_each_result(files, capsys, options, limits):
    base, query, bits, labels = files
    assert call("search", "--codes", base, "--queries", query, *options) == 0
    header, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert header == ["query", "rank", "distance", "item", "label"]
    assert rows == list(expected_rows(bits, labels, **limits))


def test_search_writes_the_results(files, capsys):
    base, query, bits, labels = files
    out = base.with_name("found.npz")
    assert call("search", "--codes", base, "--queries", query, "--radius", 2, "--out", out) == 0
    assert "of 4 queries written" in capsys.readouterr().out
    with np.load(out) as found:
        assert [f"img{i}" for i in found["indices"]] == [row[3] for row in expected_rows(bits, labels, radius=2)]
        assert len(found["offsets"]) == 5 and found["offsets"][-1] == len(found["distances"])


def test_search_by_real_values_in_a_mapped_file(tmp_path, capsys):
    values = np.array([[3.0, 4.0], [0.0, 1.0], [-1.0, 0.5]])
    Codes.from_values(values).save(tmp_path / "base.npz")
    Codes.from_values(np.array([[0.0, 0.5]])).save(tmp_path / "query.npz")
    for metric, rows in (("l2", ["0\t1\t0.5\t1", "0\t2\t1\t2"]), ("inner-product", ["0\t1\t-2\t0", "0\t2\t-0.5\t1"]),
                         ("asymmetric", ["0\t1\t-0.5\t0", "0\t2\t-0.5\t1"])):
        call("search", "--base", tmp_path / "base.npz", "--queries", tmp_path / "query.npz", "--metric", metric,
             "--top", 2, "--mmap")
        assert capsys.readouterr().out.splitlines() == ["query\trank\tdistance\titem", *rows]


def test_search_prints_label_rows_and_does_without_labels(tmp_path, capsys):
    Codes.from_bits(np.eye(2), labels=np.array([[1, 0, 1], [0, 1, 0]])).save(tmp_path / "rows.npz")
    Codes.from_bits(np.eye(2), ids=[7, 8]).save(tmp_path / "bare.npz")
    call("search", "--codes", tmp_path / "rows.npz", "--queries", tmp_path / "bare.npz", "--top", 1)
    assert capsys.readouterr().out.splitlines()[1:] == ["7\t1\t0\t0\t0,2", "8\t1\t0\t1\t1"]
    call("search", "--codes", tmp_path / "bare.npz", "--queries", tmp_path / "rows.npz", "--top", 1)
    assert capsys.readouterr().out.splitlines() == ["query\trank\tdistance\titem", "0\t1\t0\t7", "1\t1\t0\t8"]


def test_search_prints_the_names_of_classes(tmp_path, capsys):
    Codes.from_bits(np.eye(2), labels=[[1, 0, 1], [0, 1, 0]], classes=["sea", "sand", "sun"]).save(tmp_path / "c.npz")
    call("search", "--base", tmp_path / "c.npz", "--queries", tmp_path / "c.npz", "--top", 1)
    assert capsys.readouterr().out.splitlines()[1:] == ["0\t1\t0\t0\tsea,sun", "1\t1\t0\t1\tsand"]


def test_evaluate_prints_scores_and_the_protocol(files, capsys):
    base, query, *_ = files
    assert call("evaluate", "--queries", query, "--base", base, "--top-k", 7, "--curve", base.with_name("pr.png")) == 0
    out = capsys.readouterr().out
    protocol = get_protocol("standard", top_k=7)
    assert f"{mean_average_precision(Codes.load(query), Codes.load(base), protocol):.4f}" in out
    assert "(k=7)" in out and protocol.describe() in out and "bits as given" in out
    assert base.with_name("pr.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("options, changes", [
    (["--ties", "worst", "--mmap"], {"ties": "worst"}), (["--divisor", "found"], {"divisor": "found"}),
    (["--ties", "expected", "--divisor", "all", "--top-k", 5], {"ties": "expected", "divisor": "all", "top_k": 5})])
def test_evaluate_with_other_ties_and_divisors(files, capsys, options, changes):
    base, query, *_ = files
    assert call("evaluate", "--queries", query, "--base", base, *options) == 0
    out, protocol = capsys.readouterr().out, get_protocol("standard", **changes)
    assert f" {mean_average_precision(Codes.load(query), Codes.load(base), protocol):.4f} " in out
    assert protocol.describe() in out and protocol.describe() != get_protocol("standard").describe()


def test_evaluate_compares_pairs_in_one_table(files, capsys):
    base, query, *_ = files
    assert call("evaluate", "--queries", base, query, "--protocol", "dsh-authors") == 0
    lines = capsys.readouterr().out.splitlines()
    for line, path in zip(lines[1:3], (base, query)):
        score = mean_average_precision(Codes.load(path), protocol=get_protocol("dsh-authors"))
        assert line.startswith(str(path)) and f"{score:.4f}" in line and "(queries)" in line
    assert lines[-1] == "protocol " + get_protocol("dsh-authors").describe()


def test_evaluate_compares_metrics_and_names_methods(files, capsys):
    rng = np.random.default_rng(5)
    paths = {}
    for bits in (4, 8):
        for kind, count in (("query", 6), ("base", 30)):
            paths[kind, bits] = files[0].with_name(f"{kind}{bits}.npz")
            codes = Codes.from_values(rng.normal(size=(count, bits)), labels=rng.integers(0, 3, count))
            (codes.in_blocks(4) if bits == 8 else codes).save(paths[kind, bits])
    assert call("evaluate", "--queries", paths["query", 4], paths["query", 8], "--base", paths["base", 4],
                paths["base", 8], "--names", "signs", "blocks", "--metric", "hamming", "asymmetric", "--curve",
                files[0].with_name("pr.pdf")) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["name", "queries", "base", "metric"]
    for line, (name, bits, width, metric) in zip(lines, [("signs", 4, 4, "hamming"), ("signs", 4, 4, "asymmetric"),
                                                         ("blocks", 4, 8, "hamming"), ("blocks", 4, 8, "asymmetric")]):
        cells = line.split()
        score = mean_average_precision(Codes.load(paths["query", width]), Codes.load(paths["base", width]),
                                       get_protocol("standard", metric=metric))
        assert cells[0] == name and cells[3:5] == [metric, str(bits)] and f"{score:.4f}" in cells
        assert ("-" in cells) == (metric == "asymmetric")
    assert [line.split(": ")[0] for line in lines if line.startswith("protocol")] == ["protocol standard"] * 2
    assert files[0].with_name("pr.pdf").read_bytes().startswith(b"%PDF")


NET = """
layer {{ name: "data" type: "Data" top: "data" top: "label" transform_param {{ scale: 0.01 }}
  data_param {{ source: "{folder}/images_lmdb" backend: LMDB batch_size: 2 }} }}
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param {{ num_output: 6 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "code" type: "BlockSoftmax" bottom: "ip" top: "code" block_param {{ block_size: 3 }} }}
layer {{ name: "bit" type: "InnerProduct" bottom: "ip" top: "bit" inner_product_param {{ num_output: 1 }} }}
"""


@pytest.fixture
def encoding(tmp_path):
    """The first words of a command that encodes three random images."""
    with LmdbWriter(tmp_path / "images_lmdb") as writer:
        for i in range(3):
            image = np.random.default_rng(i).integers(0, 256, (1, 4, 4), dtype=np.uint8)
            writer.put(b"%d" % i, array_to_datum(image, label=i).SerializeToString())
    (tmp_path / "net.prototxt").write_text(NET.format(folder=tmp_path))
    Net(tmp_path / "net.prototxt", TEST).save(tmp_path / "net.caffemodel")
    return ["encode", tmp_path / "net.prototxt", "--weights", tmp_path / "net.caffemodel", "--blob", "code"]


def test_encode_makes_structured_codes(encoding, tmp_path, capsys):
    assert call(*encoding, "--block-size", 3, "--out", tmp_path / "codes.npz") == 0
    assert "3 codes of 3.16993 bits, 1 for the largest of each 3 values" in capsys.readouterr().out
    codes = Codes.load(tmp_path / "codes.npz")
    assert codes.block_size == 3 and codes.blob == "code" and codes.labels.tolist() == [0, 1, 2]
    np.testing.assert_allclose(codes.values.reshape(3, 2, 3).sum(axis=2), 1, rtol=1e-5)
    with pytest.raises(BlobnetError, match="blocks of B = 4"):
        call(*encoding, "--block-size", 4, "--out", tmp_path / "codes.npz")


def test_encode_names_the_items_and_the_net(encoding, tmp_path, capsys):
    call(*encoding, "--out", tmp_path / "codes.npz")
    codes = Codes.load(tmp_path / "codes.npz")
    assert codes.ids.tolist() == ["0", "1", "2"]
    assert (codes.net, codes.weights) == (str(tmp_path / "net.prototxt"), str(tmp_path / "net.caffemodel"))
    capsys.readouterr()
    call("search", "--base", tmp_path / "codes.npz", "--queries", tmp_path / "codes.npz", "--radius", 0)
    assert {"0\t1\t0\t0\t0", "2\t1\t0\t2\t2"} & {*capsys.readouterr().out.splitlines()}


@pytest.mark.parametrize("kind", ["ImageData", "HashingImageData"])
def test_encode_reads_lists_of_images(encoding, tmp_path, kind, capsys):
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 256, (4, 4), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"image {i}.png")
    for name, order in (("list", [0, 1, 2]), ("other", [2, 1])):
        lines = [f"image {i}.png {i % 2} 1" for i in order]
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n")
    data = f'''layer {{ name: "data" type: "{kind}" top: "data" top: "label" transform_param {{ scale: 0.01 }}
      data_param {{ prefetch: 2 }} image_data_param {{ source: "{tmp_path}/list.txt" root_folder: "{tmp_path}/"
        is_color: false batch_size: 2 label_num: 2 }} }}'''
    net = tmp_path / "net.prototxt"
    net.write_text("\n".join([data, *net.read_text().splitlines()[3:]]))
    found = {}
    for name, source in (("list", []), ("other", ["--source", tmp_path / "other.txt"])):
        assert call(*encoding, *source, "--out", tmp_path / "codes.npz") == 0
        assert f"from {tmp_path}/{name}.txt" in capsys.readouterr().out
        found[name] = Codes.load(tmp_path / "codes.npz")
    assert found["list"].ids.tolist() == [f"image {i}.png" for i in range(3)]
    assert found["list"].labels.tolist() == [[0, 1], [1, 1], [0, 1]]
    assert found["other"].ids.tolist() == ["image 2.png", "image 1.png"]
    np.testing.assert_array_equal(found["other"].values, found["list"].values[[2, 1]])


def test_encode_wants_one_layer_with_images(encoding, tmp_path):
    net = tmp_path / "net.prototxt"
    net.write_text('input: "data" input_shape { dim: 2 dim: 16 }\n' + "\n".join(net.read_text().splitlines()[3:]))
    with pytest.raises(BlobnetError, match="expected one layer that reads images or other records .* got 0"):
        call(*encoding, "--out", tmp_path / "codes.npz")


def test_encode_counts_in_words(encoding, tmp_path, capsys):
    assert call(*encoding, "--blob", "bit", "--count", 1, "--out", tmp_path / "codes.npz") == 0
    assert "1 code of 1 bit, bit = value >= 0" in capsys.readouterr().out


@pytest.mark.parametrize("options, words", [
    (["--count", 4], "expected 1 to 3 images, got a count of 4"),
    (["--threshold", 0.5, "--block-size", 3], "--threshold or --block-size, got both"),
    (["--threshold", "nan"], "a number as threshold, got nan"),
    (["--label", "ip2"], "no blob 'ip2' of labels; did you mean 'ip'"),
])
def test_encode_says_what_it_cannot_do(encoding, tmp_path, options, words):
    with pytest.raises(BlobnetError, match=words):
        call(*encoding, *options, "--out", tmp_path / "codes.npz")
    assert not (tmp_path / "codes.npz").exists()


@pytest.mark.parametrize("options", [["--count", -5], ["--count", 0], ["--block-size", 1]])
def test_encode_wants_numbers_in_their_range(encoding, tmp_path, options, capsys):
    with pytest.raises(SystemExit):
        call(*encoding, *options, "--out", tmp_path / "codes.npz")
    assert "expected a whole number of at least" in capsys.readouterr().err


@pytest.mark.parametrize("metric", ["hamming", "asymmetric"])
def test_search_refuses_signs_against_blocks(tmp_path, metric):
    codes = Codes.from_values(np.array([[3.0, 4.0, -1.0, 2.0], [0.0, 1.0, 5.0, -2.0]]))
    codes.save(tmp_path / "signs.npz")
    codes.in_blocks(2).save(tmp_path / "blocks.npz")
    for base, query in (("signs", "blocks"), ("blocks", "signs")):
        with pytest.raises(DataError, match="coded as the base is"):
            call("search", "--base", tmp_path / f"{base}.npz", "--queries", tmp_path / f"{query}.npz", "--metric",
                 metric, "--top", 1)


@pytest.mark.parametrize("arguments, words", [
    (["search", "--base", "BASE", "--queries", "QUERY", "--radius", "nan"], "a number as radius, got nan"),
    (["search", "--base", "BASE", "--queries", "QUERY", "--metric", "l1"], "no metric 'l1'"),
    (["search", "--base", "BASE", "--queries", "QUERY", "--metric", "l2"], "no real values"),
    (["evaluate", "--queries", "QUERY", "--base", "BASE", "--names", "a", "b"], "2 after --names, 1 after --queries"),
    (["evaluate", "--queries", "QUERY", "--base", "BASE", "--metric", "l1"], "'hamming'.* got 'l1'"),
    (["search", "--codes", "BASE", "--queries", "QUERY", "--top", 21], "top from 1 to 20"),
    (["search", "--codes", "NONE", "--queries", "QUERY"], "no such file"),
    (["evaluate", "--queries", "QUERY"], "a base apart from the queries"),
    (["evaluate", "--queries", "QUERY", "--base", "BASE", "--ties", "any"], "ties 'index' or .* got 'any'"),
    (["evaluate", "--queries", "QUERY", "--base", "BASE", "--ties", "expected", "--top-k", 5], "divisor 'all' with"),
    (["evaluate", "--queries", "QUERY", "--protocol", "dsh-authors", "--ties", "best", "--divisor", "all"],
     "'dsh-authors': expected its own ties and divisor, got --ties best --divisor all; .* standard"),
    (["evaluate", "--queries", "BASE", "--base", "BASE"], "a base apart from the queries"),
    (["evaluate", "--queries", "QUERY", "QUERY", "--base", "BASE"], "2 after --queries"),
    (["evaluate", "--queries", "QUERY", "--base", "BASE", "--protocol", "dsh"], "got 'dsh'; .*--list-protocols"),
])
def test_errors_say_what_was_expected(files, arguments, words):
    names = {"BASE": files[0], "QUERY": files[1], "NONE": files[0].with_name("none.npz")}
    with pytest.raises(DataError, match=words):
        call(*(names.get(argument, argument) for argument in arguments))
