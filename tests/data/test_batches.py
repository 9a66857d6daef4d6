"""Batches of a database by number."""

from __future__ import annotations

import numpy as np
import pytest

from blobnet.data.batches.chosen import ChosenBatches
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_reader import LmdbReader
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.data.stores.records import Records
from blobnet.errors import DataError
from blobnet.proto.messages import new


@pytest.fixture
def database(tmp_path):
    def make(images):
        with LmdbWriter(tmp_path / "db") as writer:
            for i, image in enumerate(images):
                data = image if isinstance(image, bytes) else array_to_datum(image, i).SerializeToString()
                writer.put(b"%08d" % i, data)
        return LmdbReader(tmp_path / "db")
    return make


def batches(reader, size, key=(3, 1), **options):
    transformer = Transformer(new("TransformationParameter", **options), random_crop=True)
    return DatumBatches(reader, transformer, size, np.float32, lambda n: np.random.default_rng((*key, n)))


IMAGES = np.random.default_rng(0).integers(0, 256, (7, 2, 5, 6), np.uint8)


@pytest.mark.parametrize("n", [0, 1, 2, 30])
def test_records_of_a_batch(database, n):
    make = batches(database(IMAGES), 3)
    assert make.shapes() == [(3, 2, 5, 6), (3,)]
    data, labels = make(n)
    wanted = [(3 * n + i) % 7 for i in range(3)]
    np.testing.assert_array_equal(data, IMAGES[wanted].astype(np.float32))
    assert labels.tolist() == wanted and labels.dtype == data.dtype == np.float32


def test_batch_larger_than_the_database(database):
    assert batches(database(IMAGES), 16)(1)[1].tolist() == [(16 + i) % 7 for i in range(16)]


def test_a_batch_is_the_same_whenever_it_is_read(database):
    make = batches(database(IMAGES), 4, mirror=True, crop_size=3)
    first = [make(n)[0].copy() for n in range(8)]
    for n in (7, 2, 3, 0):
        np.testing.assert_array_equal(make(n)[0], first[n])
    other = batches(make.reader, 4, key=(3, 2), mirror=True, crop_size=3)
    assert not np.array_equal(other(0)[0], first[0])


def test_crops_of_a_record_differ_between_epochs(database):
    make = batches(database(IMAGES), 7, crop_size=2)
    assert not np.array_equal(make(0)[0], make(1)[0])


def test_arrays_are_reused_if_they_fit(database):
    make = batches(database([IMAGES[0], IMAGES[1], IMAGES[2][:, :3]]), 1)
    first = make(0)
    assert make(1, first)[0] is first[0]
    assert make(2, first)[0].shape == (1, 2, 3, 6)


def test_errors_name_database_and_record(database):
    make = batches(database([IMAGES[0], b"\x0a\xff", new("Datum", channels=1, data=b"x").SerializeToString()]), 1)
    with pytest.raises(DataError, match="LMDB '.*db' record 1: expected a Datum"):
        make(1)
    with pytest.raises(DataError, match="LMDB '.*db' record 2: expected 1 x 0 x 0 values"):
        make(2)


def labelled(dtype, labels, wanted=True):
    """Batch 0 of records with these labels."""
    return DatumBatches(ListReader(labels), Transformer(new("TransformationParameter"), random_crop=False), len(labels),
                        dtype, labelled=wanted)(0)[1]


class ListReader:
    """A database in memory."""

    where = "database 'it'"

    def __init__(self, labels):
        self.records, self.position = [array_to_datum(IMAGES[0], label).SerializeToString() for label in labels], 0

    def __len__(self):
        return len(self.records)

    def check(self):
        pass

    def seek(self, position):
        self.position = position

    def read(self):
        self.position += 1
        return self.records[self.position - 1]


@pytest.mark.parametrize("label", [2 ** 24, 2 ** 24 + 1, -2 ** 24, 2 ** 31 - 1])
def test_labels_that_float32_may_round(label):
    with pytest.raises(DataError, match=rf"'it' record 1: expected a label below 16777216.* {abs(label)}; number"):
        labelled("float32", [0, label, 3])
    assert labelled("float64", [0, label, 3]).tolist() == [0, label, 3]
    assert len(labelled("float32", [0, label, 3], wanted=False)) == 3
    records, choose = Records(ListReader([0, label, 3])), None
    with pytest.raises(DataError, match="database 'it' record 1: expected a label below 16777216"):
        ChosenBatches(records, choose, None, 3, np.float32, None)
    ChosenBatches(records, choose, None, 3, np.float32, None, labelled=False)


def test_the_largest_label_that_float32_holds():
    assert labelled("float32", [2 ** 24 - 1, 2 - 2 ** 24]).tolist() == [2 ** 24 - 1, 2 - 2 ** 24]


# Several labels, and shuffles

def several(*labels, tag=b"\x28", more=b""):
    """A record whose field `label`, number 5, is there once for each of these small numbers."""
    return array_to_datum(IMAGES[0]).SerializeToString() + b"".join(tag + bytes([x]) for x in labels) + more


def test_several_labels(database):
    floats = array_to_datum(IMAGES[1])
    floats.float_data.extend([0.5, -2, 7])
    negative = array_to_datum(IMAGES[2], -3).SerializeToString() + b"\x28\x01\x28\x02"
    fixed = array_to_datum(IMAGES[3]).SerializeToString() + b"".join(
        b"\x2d" + np.float32(x).tobytes() for x in (1.5, 2.5, 3.5))
    reader = database([several(1, 0, 2), floats.SerializeToString(), negative, fixed])
    make = DatumBatches(reader, Transformer(new("TransformationParameter"), False), 4, np.float32, label_num=3)
    assert make.shapes() == [(4, 2, 5, 6), (4, 3)]
    data, labels = make(0)
    assert labels.tolist() == [[1, 0, 2], [0.5, -2, 7], [-3, 1, 2], [1.5, 2.5, 3.5]]
    np.testing.assert_array_equal(data, IMAGES[:4].astype(np.float32))


@pytest.mark.parametrize("record, message", [
    (several(1, 2), r"record 0: expected 3 labels .label_num., got 2 in label, 0 in float_data"),
    (several(1, 2, 3, 4), "got 4 in label"), (several(), "got 0 in label"),
    (several(1, 2, 3, more=b"\x2a"), "record 0: expected a Datum message")])
def test_another_number_of_labels(database, record, message):
    make = DatumBatches(database([record]), Transformer(new("TransformationParameter"), False), 1, label_num=3)
    with pytest.raises(DataError, match=message):
        make(0)


def test_several_labels_that_float32_may_round(database):
    large = array_to_datum(IMAGES[0], 1 << 24).SerializeToString() + b"\x28\x01"
    make = DatumBatches(database([large]), Transformer(new("TransformationParameter"), False), 1, label_num=2)
    with pytest.raises(DataError, match="record 0: expected a label below 16777216"):
        make(0)


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_records(database, seed):
    def make():
        return DatumBatches(database_reader, Transformer(new("TransformationParameter"), False), 3, np.float32,
                            lambda *key: np.random.default_rng((seed, *key)), shuffle=True)

    database_reader = database(IMAGES)
    whole = make()
    batches_made = [tuple(x.copy() for x in whole(n)) for n in range(14)]
    labels = np.concatenate([labels for _, labels in batches_made]).astype(int).reshape(6, 7)
    assert all(sorted(epoch) == list(range(7)) for epoch in labels.tolist())
    assert len(np.unique(labels, axis=0)) > 3
    for n in (11, 2, 5, 0):
        data, numbers = make()(n)
        assert numbers.tolist() == batches_made[n][1].tolist()
        np.testing.assert_array_equal(data, IMAGES[numbers.astype(int)])
