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
from blobnet.data.batches.frames import ClipBatches, Films, FrameBatches, SnippetBatches
from blobnet.data.batches.hdf5 import HDF5Batches
from blobnet.data.batches.image_pairs import EdgeBatches, ImagePairBatches, ImagePairs
from blobnet.data.batches.image_triplets import ImageTripletBatches
from blobnet.data.batches.images import ImageBatches
from blobnet.data.batches.pairs import PairBatches
from blobnet.data.batches.triplet_list import TripletListBatches
from blobnet.data.batches.window_file import WindowFile
from blobnet.data.batches.windows import WindowBatches
from blobnet.data.images.pair_transformer import PairTransformer
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


def pairs(kind):
    def make(folder):
        plain = Transformer(new("TransformationParameter"), random_crop=False)
        return kind(ImagePairs([(path, path) for path in files(folder)]), PairTransformer(
            plain, (4, 5), mirror=True, random_crop=True), SIZE, np.float32, random, shuffle=True)
    return make


def films(kind, **options):
    def make(folder):
        for film in range(3):
            (folder / f"{film}").mkdir()
            for frame, image in enumerate(IMAGES, 1):
                Image.fromarray(image.transpose(1, 2, 0)).save(folder / f"{film}" / f"{frame:06d}.jpg", "PNG")
        found = Films([str(folder / f"{film}") for film in range(3)], np.full(3, RECORDS), np.arange(3), "list")
        return kind(found, transformer(), SIZE, np.float32, random, length=2, anywhere=True, shuffle=True, **options)
    return make


MAKE = {
    ImagePairBatches: pairs(ImagePairBatches),
    EdgeBatches: pairs(EdgeBatches),
    ClipBatches: films(ClipBatches, rate=2),
    SnippetBatches: films(SnippetBatches, pattern=lambda number: [f"{number:06d}.jpg"], segments=2),
    ImageTripletBatches: lambda folder: ImageTripletBatches(files(folder)[:6], transformer(), SIZE // 3, np.float32,
                                                            random, shuffle=True),
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
    others = {TransformedBatches, FrameBatches, AnnotatedBatches}  # the last one's labels: test_annotated.py
    assert {*below(Batches)} - others == set(MAKE)


def below(kind):
    """The classes of the house that are made from this one."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("blobnet."):
            yield each
            yield from below(each)


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
