"""The layers of deep supervised hashing: batches drawn by class, pairs fixed beforehand, and the loss of such pairs."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np
import pytest
from layer_rows import build
from PIL import Image

from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN, Context
from blobnet.core.registry import layer_class
from blobnet.core.without_data import without_data
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import BlobnetError, DataError, NetError, ShapeError
from blobnet.proto.text import parse

CLASSES = [4, 4, 7, 7, 7, 9, 9, 9, 9, 9]
ROWS = [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 0), (0, 0, 0), (1, 0, 0)]  # the third label is nobody's
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Records and images whose every pixel is their number: numbers.lmdb, list.txt, rows.txt."""
    path = tmp_path_factory.mktemp("dsh")
    with LmdbWriter(path / "numbers.lmdb") as writer:
        for i, label in enumerate(CLASSES):
            writer.put(b"%08d" % i, array_to_datum(np.full((1, 2, 2), i, np.uint8), label).SerializeToString())
            Image.fromarray(np.full((2, 2), i, np.uint8)).save(path / f"{i}.png")
    (path / "list.txt").write_text("".join(f"{i}.png {label}\n" for i, label in enumerate(CLASSES)))
    (path / "rows.txt").write_text("".join(f"{i}.png {' '.join(map(str, row))}\n" for i, row in enumerate(ROWS)))
    return path


def make(text, phase=TRAIN, tops=2, seed=7):
    param = parse(f"layer {{ name: 'd' {text} }}", "NetParameter").layer[0]
    param.phase = phase
    layer = layer_class(param.type, "test")(param, Context(dtype=np.dtype("float32"), seed=seed), 0)
    blobs = [Blob(()) for _ in range(tops)]
    layer.initialize([], blobs)
    return layer, blobs


def images(folder, options="", source="list.txt", batch_size=7):
    return (f"type: 'HashingImageData' image_data_param {{ source: '{folder}/{source}' root_folder: '{folder}/' "
            f"is_color: false batch_size: {batch_size} {options} }}")


def records(folder, options="", batch_size=7):
    return (f"type: 'Data' data_param {{ source: '{folder}/numbers.lmdb' backend: LMDB batch_size: {batch_size} "
            f"{options} }}")


def pairs(folder, options, batch_size=3):
    return (f"type: 'PairData' data_param {{ source: '{folder}/numbers.lmdb' backend: LMDB batch_size: {batch_size} }} "
            f"pair_data_param {{ {options} }}")


def forward(layer, blobs, times=1):
    """Of each forward, the pixel of every image of the first top, and the other tops."""
    results = []
    for _ in range(times):
        layer.forward([], blobs)
        results.append([blobs[0].data[:, 0, 0, 0].copy(), *(blob.data.copy() for blob in blobs[1:])])
    return results


SOURCES = pytest.mark.parametrize("source", [images, records])


@SOURCES
def test_batches_by_class(source, folder):
    drawn = Counter()
    for numbers, labels in forward(*make(source(folder, "cat_per_iter: 2")), 60):
        assert labels.tolist() == [CLASSES[int(i)] for i in numbers]
        runs = [(label, list(run)) for label, run in itertools.groupby(zip(labels, numbers), lambda pair: pair[0])]
        assert [len(run) for _, run in runs] == [4, 3]  # two classes, and the first has the one that is left over
        for label, run in runs:
            counts = Counter(number for _, number in run)
            members = CLASSES.count(label)
            assert max(counts.values()) == -(-len(run) // members)  # all of a class before any comes again
        drawn.update(label for label, _ in runs)
    assert set(drawn) == {4, 7, 9} and min(drawn.values()) > 25  # of 120; alike, however many records a class has


@SOURCES
def test_in_order_in_the_test_phase(source, folder):
    layer, blobs = make(source(folder, "cat_per_iter: 2"), TEST)
    numbers = np.concatenate([numbers for numbers, _ in forward(layer, blobs, 2)])
    assert numbers.tolist() == [*range(10), *range(4)]


@SOURCES
def test_a_resumed_run_draws_on(source, folder):
    text = source(folder, "cat_per_iter: 2") + " transform_param { mirror: true crop_size: 1 }"
    whole = forward(*make(text), 6)
    layer, blobs = make(text)
    forward(layer, blobs, 2)
    for step in (4, 1):
        layer.seek(step)
        for got, wanted in zip(forward(layer, blobs, 2), whole[step:]):
            np.testing.assert_array_equal(got[0], wanted[0])
    assert not np.array_equal(whole[0][0], forward(*make(text, seed=8))[0][0])


def test_the_list_and_the_database_draw_alike(folder):
    for a, b in zip(forward(*make(images(folder, "cat_per_iter: 3")), 4),
                    forward(*make(records(folder, "cat_per_iter: 3")), 4)):
        np.testing.assert_array_equal(a[0], b[0])


def test_label_rows(folder):
    layer, blobs = make(images(folder, "label_num: 3 cat_per_iter: 2", "rows.txt", 6))
    assert blobs[1].shape == (6, 3)
    for numbers, rows in forward(layer, blobs, 20):
        assert [tuple(row) for row in rows] == [ROWS[int(i)] for i in numbers]
        halves = sorted((sorted(numbers[:3]), sorted(numbers[3:])))
        assert halves == [[0, 1, 5], [1, 2, 3]]  # both labels that images have, and all of their images


@SOURCES
def test_more_classes_than_there_are(source, folder):
    kind = "HashingImageData" if source is images else "Data"
    with pytest.raises(NetError, match=f"layer 'd' .{kind}.: expected cat_per_iter of at most 3, the number of "
                       "classes, got 4"):
        make(source(folder, "cat_per_iter: 4"))


@pytest.mark.parametrize(("options", "message"), [
    ("cat_per_iter: 0", "expected cat_per_iter of at least 1, got 0"),
    ("cat_per_iter: 1 new_width: 3", "expected new_height and new_width, or neither"),
    ("", "expected cat_per_iter of at most 3")])
def test_image_options(folder, options, message):
    with pytest.raises(BlobnetError, match=message):
        make(images(folder, options))


# Pairs.

def test_pairs_of_a_list(folder):
    (folder / "pairs.txt").write_text("0 1 1\n2  9 0\n5 5 1\n8 3 0\n")
    layer, blobs = make(pairs(folder, f"source: '{folder}/pairs.txt'"), tops=3)
    assert [blob.shape for blob in blobs] == [(3, 1, 2, 2), (3, 1, 2, 2), (3,)]
    got = [(a.tolist(), b[:, 0, 0, 0].tolist(), s.tolist()) for a, b, s in forward(layer, blobs, 2)]
    assert got == [([0, 2, 5], [1, 9, 5], [1, 0, 1]), ([8, 0, 2], [3, 1, 9], [0, 1, 0])]


def test_drawn_pairs(folder):
    def drawn(seed, times):
        parts = forward(*make(pairs(folder, f"count: 600 seed: {seed}", 100), tops=3, seed=times), times)
        return [np.concatenate(part) for part in zip(*((a, b[:, 0, 0, 0], s) for a, b, s in parts))]

    first, second, similar = drawn(1, 12)
    np.testing.assert_array_equal(first[:600], first[600:])  # the same pairs again and again
    assert (first != second).all()
    assert similar.tolist() == [CLASSES[int(i)] == CLASSES[int(j)] for i, j in zip(first, second)]
    assert len(set(zip(first, second))) == 90  # all there are
    np.testing.assert_array_equal(drawn(1, 6)[1], second[:600])  # whatever the seed of the net
    assert not np.array_equal(drawn(2, 6)[0], first[:600])


def test_a_resumed_run_reads_the_pairs_on(folder):
    text = pairs(folder, "count: 50") + " transform_param { mirror: true }"
    whole = forward(*make(text, tops=3), 6)
    layer, blobs = make(text, tops=3)
    layer.seek(4)
    for got, wanted in zip(forward(layer, blobs, 2), whole[4:]):
        np.testing.assert_array_equal(got[0], wanted[0])
        np.testing.assert_array_equal(got[1], wanted[1])


@pytest.mark.parametrize(("options", "message"), [
    ("", "layer 'd' (PairData): expected either source or count in pair_data_param, got neither"),
    ("count: 2 source: 'x'", "got both"), ("source: 'nowhere.txt'", "nowhere.txt: no such file")])
def test_pair_options(folder, options, message):
    with pytest.raises(BlobnetError, match=re.escape(message)):
        make(pairs(folder, options), tops=3)


@pytest.mark.parametrize("text", ["", "0 1 1\n0 10 0\n", "0 1 1\n0 -1 0\n", "0 1 1\n1 2 2\n", "0 1 1\n1 2\n",
                                  "0 1 1\n\n", "0 1 1\na b c\n"])
def test_lists_that_are_none(folder, text):
    (folder / "bad.txt").write_text(text)
    with pytest.raises(DataError, match="bad.txt: expected lines of two" if not text else
                       "bad.txt:2: expected two records from 0 to 9 and 0 or 1, got '"):
        make(pairs(folder, f"source: '{folder}/bad.txt'"), tops=3)


# The loss.

def pair_loss(a, b, similar, options, **more):
    return build("PairwiseHashingLoss", [a, b, similar], options, **more)


def test_loss_of_known_pairs():
    a, b = np.array([[1, -1.5], [0.5, 2], [3, 3]]), np.array([[1, 0.5], [0.5, 1], [-3, -3]])
    alone = pair_loss(a, b, [1, 0, 0], "hashing_loss_param { bi_margin: 4 tradeoff: 0.5 }")
    # distances 4, 1, 72; pulls 0.5 + 0.5, 1.5 + 0.5, 4 + 4
    assert alone.forward()[0] == pytest.approx((4 / 2 + 3 / 2 + 0 + 0.5 * 11) / 3)
    da, db = alone.backward([np.array(1.0)], [True, True, False])[:2]
    np.testing.assert_allclose(da, np.array([[0 + 0.5, -2 - 0.5], [0 - 0.5, -1 + 0.5], [0.5, 0.5]]) / 3)
    np.testing.assert_allclose(db, np.array([[0 + 0.5, 2 - 0.5], [0 - 0.5, 1 + 0.5], [-0.5, -0.5]]) / 3)


@pytest.mark.filterwarnings("ignore:.*bi_margin")
def test_all_pairs_of_a_batch_are_the_online_loss():
    codes, labels = RNG.normal(size=(7, 4)), RNG.integers(0, 3, 7)
    i, j = np.triu_indices(7, 1)
    similar = labels[i] == labels[j]
    online = build("HashingLoss", [codes, labels], "hashing_loss_param { bi_margin: 6 tradeoff: 0.05 gradient: EXACT }")
    offline = pair_loss(codes[i], codes[j], similar, "hashing_loss_param { bi_margin: 6 tradeoff: 0.025 }")
    # every image is in 6 of 21 pairs, so its regulariser is counted 2/7 times: with half the weight, once in seven
    assert offline.forward()[0] == pytest.approx(online.forward()[0], rel=1e-9)
    da, db = offline.backward([np.array(1.0)], [True, True, False])[:2]
    total = np.zeros_like(codes)
    np.add.at(total, i, da)
    np.add.at(total, j, db)
    np.testing.assert_allclose(total, online.backward([np.array(1.0)], [True, False])[0], atol=1e-12)


def test_similarity_is_truncated_and_the_margin_is_the_papers():
    a, b = np.zeros((2, 3)), np.ones((2, 3))
    with pytest.warns(UserWarning, match="bi_margin is 1; the paper uses twice the code length, 6"):
        alone = pair_loss(a, b, [0.9, 1.9], "hashing_loss_param { tradeoff: 0 }")
    assert alone.forward()[0] == pytest.approx((0 + 3 / 2) / 2)


@pytest.mark.filterwarnings("ignore:.*bi_margin")
@pytest.mark.parametrize(("shapes", "parts"), [
    ([(2, 3), (2, 4), (2,)], "codes of one shape (N, K), got (2, 3) and (2, 4)"),
    ([(2, 3), (3, 3), (2,)], "expected (2,) rows in both, got (2, 3) and (3, 3)"),
    ([(2,), (2,), (2,)], "codes of one shape (N, K), got (2,) and (2,)"),
    ([(2, 3), (2, 3), (3,)], "similarity 'x2', expected one number a pair, (2,), got (3,)"),
    ([(2, 3), (2, 3), (2, 2)], "similarity 'x2', expected one number a pair, (2,), got (2, 2)")])
def test_refused_shapes(shapes, parts):
    with pytest.raises(ShapeError, match=re.escape(parts)):
        pair_loss(*(np.ones(shape) for shape in shapes), "")


@pytest.mark.parametrize(("text", "shapes"), [
    ("type: 'PairData' top: 'a' top: 'b' top: 's' "
     "data_param { source: 'FOLDER/numbers.lmdb' backend: LMDB batch_size: 5 }",
     [(5, 1, 2, 2), (5, 1, 2, 2), (5,)]),
    ("type: 'HashingImageData' top: 'x' top: 'l' image_data_param { source: 'FOLDER/rows.txt' root_folder: 'FOLDER/' "
     "batch_size: 5 label_num: 3 }", [(5, 3, 2, 2), (5, 3)])])
def test_shapes_for_a_net_without_its_data(folder, text, shapes):
    net = parse(f"layer {{ name: 'd' {text.replace('FOLDER', str(folder))} }}", "NetParameter")
    inputs = without_data(net).layer[0].input_param
    assert [tuple(shape.dim) for shape in inputs.shape] == shapes
