"""What all kinds of batches have in common: shapes, arrays that are used again, batches that stand alone."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest
from PIL import Image

from blobnet.data import batches
from blobnet.data.batches.annotated import AnnotatedBatches
from blobnet.data.batches.base import Batches, TransformedBatches
from blobnet.data.batches.chosen import ChosenBatches
from blobnet.data.batches.datums import DatumBatches
from blobnet.data.batches.hdf5 import HDF5Batches
from blobnet.data.batches.images import ImageBatches
from blobnet.data.batches.pairs import PairBatches
from blobnet.data.batches.triplet_list import TripletListBatches
from blobnet.data.batches.window_file import WindowFile
from blobnet.data.batches.windows import WindowBatches
from blobnet.data.images.transformer import Transformer
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.hdf5 import write_datasets
from blobnet.data.stores.leveldb_reader import LevelDbReader
from blobnet.data.stores.leveldb_writer import LevelDbWriter
from blobnet.data.stores.records import Records
from blobnet.proto.messages import new

SIZE, RECORDS = 6, 7
IMAGES = np.random.default_rng(0).integers(0, 256, (RECORDS, 3, 8, 9), np.uint8)


def random(*key):
    return np.random.default_rng((5, *key))


def transformer():
    return Transformer(new("TransformationParameter", crop_size=4, mirror=True), random_crop=True)


def reader(folder):
    with LevelDbWriter(folder / "db") as writer:
        for i, image in enumerate(IMAGES):
            writer.put(b"%08d" % i, array_to_datum(image, i).SerializeToString())
    return LevelDbReader(folder / "db")


def files(folder):
    paths = [str(folder / f"{i}.png") for i in range(RECORDS)]
    for image, path in zip(IMAGES, paths):
        Image.fromarray(image.transpose(1, 2, 0)).save(path)
    return paths


def hdf5(folder):
    write_datasets(folder / "a.h5", {"x": IMAGES.astype(np.float32), "y": np.arange(RECORDS)})
    return HDF5Batches([str(folder / "a.h5")], ["x", "y"], SIZE, shuffle=True, random=random)


def windows(folder):
    boxes = np.array([[i, 1, 0, 0, 6, 6] for i in range(RECORDS)])
    return WindowBatches(WindowFile(files(folder), boxes, boxes * [1, 0, 1, 1, 1, 1]), SIZE, 4, random=random,
                         mirror=True)


MAKE = {
    DatumBatches: lambda folder: DatumBatches(reader(folder), transformer(), SIZE, random=random),
    ChosenBatches: lambda folder: ChosenBatches(Records(reader(folder)), lambda n, size: random(n, 2).integers(
        RECORDS, size=size), transformer(), SIZE, np.float32, random),
    ImageBatches: lambda folder: ImageBatches(files(folder), np.eye(RECORDS), transformer(), SIZE, np.float64, random,
                                              shuffle=True, rand_skip=5),
    PairBatches: lambda folder: PairBatches(Records(reader(folder)), np.array([[0, 1, 0], [2, 2, 1]]), transformer(),
                                            SIZE, np.float32, random),
    TripletListBatches: lambda folder: TripletListBatches(
        Records(reader(folder)), np.array([[0, 1, 2], [3, 4, 5], [6, 1, 3]]), np.eye(RECORDS, 2), transformer(), SIZE,
        np.float32, random, shuffle=True),
    HDF5Batches: hdf5,
    WindowBatches: windows,
}


def test_every_kind_is_here():
    for module in pkgutil.iter_modules(batches.__path__):
        importlib.import_module(f"blobnet.data.batches.{module.name}")
    others = {TransformedBatches, AnnotatedBatches}  # whose labels have rows of changing number: test_annotated.py
    assert {*Batches.__subclasses__(), *TransformedBatches.__subclasses__()} - others == set(MAKE)


@pytest.mark.parametrize("kind", MAKE, ids=lambda kind: kind.__name__)
def test_batches(kind, tmp_path):
    make = MAKE[kind](tmp_path)
    shapes = make.shapes()
    assert all(shape[0] == make.size == SIZE for shape in shapes)
    first = [[array.copy() for array in make(n)] for n in range(5)]
    reuse = tuple(np.full(shape, np.nan, make.dtype) for shape in shapes)
    for n in (4, 0, 3, 1, 3):
        found = make(n, reuse)
        assert found is reuse, "arrays that fit are used again"
        for array, wanted, shape in zip(found, first[n], shapes, strict=True):
            assert array.shape == wanted.shape == shape and array.dtype == wanted.dtype == make.dtype
            np.testing.assert_array_equal(array, wanted)
    other = make(2, tuple(np.empty((SIZE, 1), make.dtype) for _ in shapes))
    assert [array.shape for array in other] == shapes, "arrays that do not fit are left"
    assert not np.array_equal(first[0][0], first[1][0])
