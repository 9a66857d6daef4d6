"""The readers of files: for each the files it takes, made anew in a folder, and how it reads them.

READERS[name] = make, read: `make(folder)` writes the files; `read(folder)` reads them, and raises a BlobnetError if
they are damaged.
"""

import gzip
import io
import struct
import tarfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import numpy as np
from databases import packed_leveldb
from PIL import Image

from blobnet import netdef
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.data.batches.frames import read_films
from blobnet.data.batches.hdf5 import HDF5Batches
from blobnet.data.batches.window_file import read_window_file
from blobnet.data.images.annotations import READERS as ANNOTATIONS
from blobnet.data.images.annotations import read_annotated_list
from blobnet.data.images.files import read_image
from blobnet.data.images.lists import read_columns, read_image_list, read_number_list
from blobnet.data.images.mean import read_mean
from blobnet.data.sets import cifar10, mnist
from blobnet.data.stores import leveldb_block, leveldb_log
from blobnet.data.stores.annotated_datum import annotated_datum, objects_of, parse_annotated_datum
from blobnet.data.stores.database import database_kind, open_database
from blobnet.data.stores.datum import array_to_datum, datum_labels, datum_to_array, parse_datum
from blobnet.data.stores.hdf5 import read_file_list, write_datasets
from blobnet.data.stores.leveldb_writer import LevelDbWriter
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.hashing.codes import Codes
from blobnet.proto.blobs import write_blob
from blobnet.proto.files import read_message, write_message
from blobnet.proto.text import parse
from blobnet.proto.wire import varint
from blobnet.recipes.recipe import read_recipe
from blobnet.solvers import get_solver
from blobnet.solvers.settings import read_solver
from blobnet.view.training_log import parse_log

NET = """
name: "net"  # a comment
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: [2, 3, 6, 6] } } }
layer { name: "a/b" type: "Convolution" bottom: "x" top: "c" param { lr_mult: 1 } param { lr_mult: 2.5e0 }
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: 'gaussian' std: .1 } } }
layer { name: "bn" type: "BatchNorm" bottom: "c" top: "c" include { phase: TRAIN } }
layer { name: "relu" type: "ReLU" bottom: "c" top: "c" relu_param { negative_slope: 0.5 } }
layer { name: "ip" type: "InnerProduct" bottom: "c" top: "ip" inner_product_param { num_output: 5
  weight_filler { type: "xavier" } } }
layer { name: "loss" type: "Power" bottom: "ip" top: "loss" loss_weight: 1 }
"""
OLD_NET = """
name: "old" input: "x" input_dim: 2 input_dim: 3 input_dim: 6 input_dim: 6
layers { name: "ip" type: INNER_PRODUCT bottom: "x" top: "ip" blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layers { name: "r" type: RELU bottom: "ip" top: "ip" }
"""
SOLVER = ('net_param { layer { name: "in" type: "DummyData" top: "x" dummy_data_param { shape { dim: 2 dim: 3 } } } '
          'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 4 '
          'weight_filler { type: "gaussian" } } } layer { name: "l" type: "Power" bottom: "ip" top: "l" loss_weight: 1'
          ' } } base_lr: 0.1 lr_policy: "step" gamma: 0.5 stepsize: 4 momentum: 0.9 max_iter: 10 type: "SGD" ')
WINDOWS = "".join(f"# {i}\nimages/{i}.jpg\n3\n40\n50\n3\n1 0.9 3 4 20 30\n2 0.6 0 0 49 39\n0 0.1 5 5 9 9\n"
                  for i in (0, 1))
VOC = """<?xml version="1.0" encoding="utf-8"?>
<annotation><folder>VOC2007</folder><size><width>50</width><height>40</height><depth>3</depth></size>
<object><name>cat</name><pose>Left</pose><difficult>1</difficult>
  <bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20.5</xmax><ymax>30</ymax></bndbox></object>
<object><name>7</name><bndbox><xmin>0</xmin><ymin>0</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>
</annotation>
"""
COCO = """{"image": {"height": 40, "width": 50, "file_name": "a"}, "annotation": [
  {"category_id": 7, "bbox": [1, 2.5, 10, 1e1], "iscrowd": 1}, {"category_id": "cat", "bbox": [0, 0, 5, 6]}]}
"""
IMAGE = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8).repeat(3, 0)


RECIPE = """
paper: A paper, 2016   # a comment
task: hash_vectors
data: [digits]
seeds: [1, 2, 3]
settings: {learner: lsh, bits: 12, queries: digits_test, base: digits_train, num_base: 500}
reduced: {num_queries: 100}
methods: {plain: {}, "other": {num_queries: 48}}
columns: [mAP]
published: {plain: {mAP: 0.5}}
published_as: some images against others
"""
LOG = "".join(f"I1231 23:59:5{i}.381027 25210 solver.cpp:1] {text}\n" for i, text in enumerate((
    "Solving net", "Iteration 0, Testing net (#0)", "    Test net output #0: accuracy = 0.1", "Iteration 0, loss = 2.3",
    "    Train net output #0: loss = 2.3 (* 1 = 2.3 loss)", "Iteration 0, lr = 0.01", "Iteration 100, loss = 1e-3",
    "    Train net output #0: loss = 1e-3 (* 1 = 1e-3 loss)", "Iteration 100, lr = 0.001")))


def _text(name, content):
    return lambda folder: (folder / name).write_text(content)


def _net():
    return Net(parse(NET, "NetParameter"), TRAIN, random_seed=1)


def _save_weights(name, diff=False):
    return lambda folder: _net().save(folder / name, diff=diff)


def _packed_weights(folder):
    _net().save(folder / "net.npz")
    with np.load(folder / "net.npz") as arrays:
        np.savez_compressed(folder / "net.npz", **dict(arrays))


def _old_weights(folder):
    old = parse(OLD_NET, "NetParameter")
    for shape in ((1, 1, 5, 64), (1, 1, 1, 5)):
        blob = old.layers[0].blobs.add(num=shape[0], channels=shape[1], height=shape[2], width=shape[3])
        blob.data.extend(np.linspace(-1, 1, shape[2] * shape[3]).tolist())
    write_message(folder / "old.caffemodel", old)


def _solver(folder, **fields):
    solver = get_solver(parse(SOLVER + f'snapshot_prefix: "{folder}/run"', "SolverParameter"))
    for name, value in fields.items():
        setattr(solver.param, name, value)
    return solver


def _snapshot(form):
    def make(folder):
        solver = _solver(folder, snapshot_format=form)
        solver.step(2)
        solver.tested.add(1, [{"accuracy": np.array(0.25)}])
        solver.tested.add(2, [{"accuracy": np.array(0.5)}])
        solver.snapshot()
    return make


def _restore(folder):
    state, = folder.glob("*.solverstate*")
    _solver(folder).restore(state)


def _database(writer):
    def make(folder):
        with writer(folder / "db") as database:
            for i in range(12):
                image = IMAGE.transpose(2, 0, 1) + np.uint8(i)
                database.put(b"%08d" % i, array_to_datum(image, i).SerializeToString())
    return make


def _packed_database(folder):
    with packed_leveldb():
        _database(LevelDbWriter)(folder)


def _log_database(folder):
    (folder / "db").mkdir()
    batch = struct.pack("<QI", 1, 3)
    for i in range(3):
        value = array_to_datum(IMAGE.repeat(9, 1).transpose(2, 0, 1), i).SerializeToString()
        batch += b"\x01\x01" + b"%d" % i + varint(len(value)) + value
    batches = [batch, struct.pack("<QI", 4, 1) + b"\x00\x011"]  # which deletes a record
    (folder / "db" / "000003.log").write_bytes(leveldb_log.log_bytes(batches * 9))
    (folder / "db" / "MANIFEST-000002").write_bytes(leveldb_log.log_bytes([b"\x02\x03\x03\x04\x04\x00\x09\x00"]))
    (folder / "db" / "CURRENT").write_text("MANIFEST-000002\n")


def _read_database(folder):
    reader = open_database(folder / "db", database_kind(folder / "db"))
    for i in range(len(reader)):
        where = f"{reader.where} record {i}"
        datum_to_array(parse_datum(reader.read(), where), None, where)


class _Anything:
    """A checksum that is right."""

    def __init__(self, crc):
        self.crc = crc

    def __ne__(self, other):
        return False


def _read_unchecked(folder):
    """Damaged files whose checksums are right, as of a writer that is wrong."""
    with mock.patch.object(leveldb_log, "checksum", _Anything), mock.patch.object(leveldb_block, "checksum", _Anything):
        _read_database(folder)


def _datum(encoded):
    def make(folder):
        datum = array_to_datum(IMAGE.transpose(2, 0, 1), 3)
        if encoded:
            Image.fromarray(IMAGE).save(folder / "image.jpg")
            datum.data, datum.encoded = (folder / "image.jpg").read_bytes(), True
            (folder / "image.jpg").unlink()
        (folder / "datum").write_bytes(datum.SerializeToString())
    return make


def _read_datum(folder):
    datum_labels((folder / "datum").read_bytes(), 1, "record datum")
    datum_to_array(parse_datum((folder / "datum").read_bytes(), "record datum"), True, "record datum")


def _annotated_datum(folder):
    boxes = [(1, 0, 0.1, 0.5, 1), (7, 0.2, 0.3, 0.4, 0.5, 1)]
    record = annotated_datum(array_to_datum(IMAGE.transpose(2, 0, 1)), boxes)
    (folder / "record").write_bytes(record.SerializeToString())


def _read_annotated_datum(folder):
    record = parse_annotated_datum((folder / "record").read_bytes(), "the record")
    objects_of(record, "the record")
    datum_to_array(record.datum, True, "the record")


def _annotation(kind, text):
    name, labels = f"a.{kind}", {"cat": 1, "7": 2}
    return _text(name, text), lambda folder: ANNOTATIONS[kind](folder / name, (40, 50), labels)


def _hdf5_data(folder):
    write_datasets(folder / "a.h5", {"x": np.arange(60, dtype=np.float32).reshape(10, 6), "y": np.arange(10)})
    import h5py
    with h5py.File(folder / "b.h5", "w") as file:
        file.create_dataset("x", data=np.zeros((10, 6)), chunks=(4, 6), compression="gzip", shuffle=True)
        file.create_dataset("y", data=np.arange(10, dtype=np.int16), fletcher32=True, chunks=(10,))


def _read_hdf5_data(folder):
    batches = HDF5Batches([str(folder / "a.h5"), str(folder / "b.h5")], ["x", "y"], 7)
    for n in range(3):
        batches(n)


def _images(*names, **options):
    def make(folder):
        for name in names:
            image = Image.fromarray(IMAGE)
            (image.convert("P") if name.endswith((".gif", "p.png")) else image).save(folder / name, **options)
    return make


def _read_images(folder):
    for path in sorted(folder.iterdir()):
        for color in (True, False):
            read_image(path, color, (5, 4))


def _codes(folder):
    rng = np.random.default_rng(0)
    Codes.from_values(rng.normal(size=(20, 12)), labels=np.arange(20) % 3, ids=np.array([f"i{i}" for i in range(20)]),
                      net="net.prototxt", classes=("sea", "sand", "sun")).save(folder / "codes.npz")


def _mnist(folder):
    for axes, kind in ((3, "images"), (1, "labels")):
        head = bytes([0, 0, 8, axes]) + struct.pack(">3I", 5, 2, 2)[:4 * axes]
        content = head + bytes(range(20 if axes == 3 else 5))
        (folder / f"train-{kind}-idx{axes}-ubyte.gz").write_bytes(gzip.compress(content))


def _cifar(archive):
    def make(folder):
        files = {name: (bytes([i]) + bytes(range(256)) * 12) * 2 for i, name in enumerate(cifar10.FILES["train"])}
        for name, content in files.items() if not archive else ():
            (folder / name).write_bytes(content)
        if archive:
            with tarfile.open(folder / cifar10.ARCHIVE, "w:gz", format=tarfile.USTAR_FORMAT) as tar:
                for name, content in files.items():
                    member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    return make


def _read_set(module):
    """Sets that are smaller than those that were published."""
    def read(folder):
        with warnings.catch_warnings(), mock.patch.dict(cifar10.COUNTS, train=10):
            warnings.simplefilter("ignore")
            module.read(folder, "train")
    return read


READERS = {
    "prototxt": (_text("net.prototxt", NET), lambda folder: netdef.load(folder / "net.prototxt", TEST)),
    "old prototxt": (_text("net.prototxt", OLD_NET), lambda folder: netdef.load(folder / "net.prototxt", TRAIN)),
    "unnamed text": (_text("net", NET), lambda folder: read_message(folder / "net", "NetParameter")),
    "solver": (_text("s.prototxt", SOLVER), lambda folder: read_solver(folder / "s.prototxt")),
    "yaml": (lambda folder: write_message(folder / "net.yaml", parse(NET, "NetParameter")),
             lambda folder: netdef.load(folder / "net.yaml", TEST)),
    "binary net": (_save_weights("net.caffemodel"), lambda folder: netdef.load(folder / "net.caffemodel", TRAIN)),
    "caffemodel": (_save_weights("net.caffemodel", diff=True),
                   lambda folder: _net().copy_from(folder / "net.caffemodel")),
    "old caffemodel": (_old_weights, lambda folder: _net().copy_from(folder / "old.caffemodel")),
    "caffemodel.h5": (_save_weights("net.caffemodel.h5", diff=True),
                      lambda folder: _net().copy_from(folder / "net.caffemodel.h5")),
    "safetensors": (_save_weights("net.safetensors"), lambda folder: _net().copy_from(folder / "net.safetensors")),
    "npz": (_save_weights("net.npz"), lambda folder: _net().copy_from(folder / "net.npz")),
    "packed npz": (_packed_weights, lambda folder: _net().copy_from(folder / "net.npz")),
    "solverstate": (_snapshot(1), _restore),
    "solverstate.h5": (_snapshot(0), _restore),
    "mean": (lambda folder: write_blob(folder / "mean.binaryproto", IMAGE.astype(np.float32)),
             lambda folder: read_mean(folder / "mean.binaryproto")),
    "datum": (_datum(False), _read_datum),
    "encoded datum": (_datum(True), _read_datum),
    "annotated datum": (_annotated_datum, _read_annotated_datum),
    "voc xml": _annotation("xml", VOC),
    "coco json": _annotation("json", COCO),
    "boxes": _annotation("txt", "1 2 3 40 50\n7 0 0.5 1e1 12\n"),
    "annotated list": (_text("list.txt", "a.jpg a.xml\nb.jpg b.xml\n"),
                       lambda folder: read_annotated_list(folder / "list.txt")),
    "lmdb": (_database(LmdbWriter), _read_database),
    "leveldb": (_database(LevelDbWriter), _read_database),
    "leveldb packed": (_packed_database, _read_database),
    "leveldb log": (_log_database, _read_database),
    "leveldb unchecked": (_database(LevelDbWriter), _read_unchecked),
    "leveldb packed unchecked": (_packed_database, _read_unchecked),
    "leveldb log unchecked": (_log_database, _read_unchecked),
    "hdf5 data": (_hdf5_data, _read_hdf5_data),
    "hdf5 list": (_text("list.txt", "a.h5 b.h5\n"), lambda folder: read_file_list(folder / "list.txt")),
    "jpeg": (_images("a.jpg"), _read_images),
    "png": (_images("a.png", "p.png"), _read_images),
    "other images": (_images("a.bmp", "a.gif", "a.tif", "a.ppm", "a.webp"), _read_images),
    "image list": (_text("list.txt", "a.jpg 1 2\nb c.jpg 3 4\n"), lambda folder: (
        read_image_list(folder / "list.txt"), read_image_list(folder / "list.txt", 2))),
    "columns": (_text("list.txt", "a.jpg 1 2\nb.jpg 3 4\n"), lambda folder: (
        read_columns(folder / "list.txt", "path label label"), read_number_list(folder / "list.txt"))),
    "films": (_text("list.txt", "a 1 2,0\nb 3 1\n"), lambda folder: read_films(folder / "list.txt", 3)),
    "windows": (_text("windows.txt", WINDOWS), lambda folder: read_window_file(folder / "windows.txt", 0.5, 0.3)),
    "codes": (_codes, lambda folder: Codes.load(folder / "codes.npz")),
    "idx": (lambda folder: (folder / "digits.idx").write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 5, 0, 0, 0, 4, *range(20)])),
            lambda folder: mnist.parse_idx((folder / "digits.idx").read_bytes(), 2, str(folder / "digits.idx"))),
    "idx.gz": (_mnist, _read_set(mnist)),
    "cifar": (_cifar(False), _read_set(cifar10)),
    "cifar tar": (_cifar(True), _read_set(cifar10)),
    "recipe": (_text("recipe.yaml", RECIPE), lambda folder: read_recipe(folder / "recipe.yaml")),
    "log": (_text("train.log", LOG), lambda folder: parse_log(folder / "train.log")),
}
if find_spec("torch"):
    READERS["pt"] = _save_weights("net.pt"), lambda folder: _net().copy_from(folder / "net.pt")


def files(folder):
    """The files below `folder`."""
    return sorted((path for path in Path(folder).rglob("*") if path.is_file()), key=lambda path: path.name)
