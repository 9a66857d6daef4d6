"""Nets without their data: data layers become Input layers."""

import h5py
import numpy as np
import pytest

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.core.registry import LAYERS
from blobnet.core.without_data import without_data
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import DataError, NetError
from blobnet.netdef.load import load
from blobnet.proto.text import parse

TOPS = 'name: "d" top: "data" top: "label"'
CROP = "transform_param { crop_size: 20 }"


def shapes(text, given=None):
    net = without_data(parse(f"layer {{ {text} }}", "NetParameter"), given)
    assert net.layer[0].type == "Input"
    given_shapes = net.layer[0].input_param.shape
    return {name: tuple(shape.dim) for name, shape in zip(net.layer[0].top, given_shapes, strict=True)}


@pytest.mark.parametrize(("text", "given", "expected"), [
    (f'{TOPS} type: "Data" data_param {{ batch_size: 5 }}', {"data": (4, 1, 28, 28)}, [(4, 1, 28, 28), (4,)]),
    (f'{TOPS} type: "Data" data_param {{ batch_size: 5 }}', {"data": (4, 1, 28, 28), "label": (4, 3)},
     [(4, 1, 28, 28), (4, 3)]),
    (f'{TOPS} type: "Data" data_param {{ batch_size: 5 }} transform_param {{ crop_size: 8 mean_value: 1 mean_value: 2 '
     "mean_value: 3 }", {}, [(5, 3, 8, 8), (5,)]),
    (f'{TOPS} type: "Data" data_param {{ batch_size: 5 }} transform_param {{ resize_param {{ height: 8 width: 9 }} '
     "mean_value: [1, 2, 3] }", {}, [(5, 3, 8, 9), (5,)]),
    (f'{TOPS} type: "ImageData" image_data_param {{ batch_size: 5 new_height: 3 new_width: 3 }} '
     "transform_param { resize_param { height: 8 width: 9 } }", {}, [(5, 3, 8, 9), (5,)]),
    (f'{TOPS} type: "AnnotatedData" data_param {{ batch_size: 5 }} transform_param {{ resize_param {{ height: 8 '
     "width: 9 } crop_h: 4 crop_w: 6 force_gray: true }", {}, [(5, 1, 4, 6), (1, 1, 1, 8)]),
    (f'{TOPS} type: "ImageData" {CROP} image_data_param {{ batch_size: 5 }}', {}, [(5, 3, 20, 20), (5,)]),
    (f'{TOPS} type: "ImageData" image_data_param {{ batch_size: 5 new_height: 7 new_width: 9 is_color: false '
     "label_num: 4 }", {}, [(5, 1, 7, 9), (5, 4)]),
    (f'{TOPS} type: "MemoryData" memory_data_param {{ batch_size: 5 channels: 2 height: 3 width: 4 }}', {},
     [(5, 2, 3, 4), (5,)]),
    (f'{TOPS} type: "WindowData" {CROP} window_data_param {{ batch_size: 5 }}', {}, [(5, 3, 20, 20), (5,)]),
    (f'{TOPS} type: "HDF5Data" hdf5_data_param {{ batch_size: 5 }}', {"data": (5, 7)}, [(5, 7), (5,)]),
    (f'{TOPS} type: "DummyData" dummy_data_param {{ shape {{ dim: 2 dim: 3 }} data_filler {{ type: "msra" }} }}',
     {}, [(2, 3), (2, 3)]),
    (f'{TOPS} type: "DummyData" dummy_data_param {{ num: 2 num: 3 channels: 4 height: 5 width: 6 '
     'data_filler { type: "uniform" } }', {}, [(2, 4, 5, 6), (3, 4, 5, 6)]),
    (f'{TOPS} type: "Input" input_param {{ shape {{ dim: 10 dim: 3 }} shape {{ dim: 10 }} }}', {"data": (2, 3)},
     [(2, 3), (10,)]),
    ('name: "p" type: "MyOwnData" top: "x"', {"x": (2, 2)}, [(2, 2)]),
])
def test_shapes(text, given, expected):
    assert list(shapes(text, given).values()) == expected


def test_constants_and_parameters_stay():
    text = 'layer { type: "DummyData" top: "one" dummy_data_param { shape { dim: 2 } data_filler { value: 1 } } }'
    net = parse(text, "NetParameter")
    assert without_data(net) == net


def test_the_source_comes_before_the_options_and_after_what_is_given(monkeypatch):
    text = f'{TOPS} type: "ImageData" {CROP} image_data_param {{ batch_size: 5 }}'
    assert shapes(text)["data"] == (5, 3, 20, 20)
    monkeypatch.setattr(LAYERS["ImageData"], "read_shape", lambda layer, top, batch: (batch, 1 + top, 2, 2))
    assert shapes(text) == {"data": (5, 1, 2, 2), "label": (5, 2, 2, 2)}
    assert shapes(text, {"data": (1, 1, 1, 1)}) == {"data": (1, 1, 1, 1), "label": (1, 2, 2, 2)}


def test_a_source_is_not_read_for_a_shape_that_is_given(tmp_path):
    (tmp_path / "db").mkdir()  # which is no database
    text = f'{TOPS} type: "Data" data_param {{ source: "{tmp_path}/db" batch_size: 3 }}'
    assert shapes(text, {"data": (2, 1, 4, 4)}) == {"data": (2, 1, 4, 4), "label": (2,)}
    with pytest.raises(DataError):
        shapes(text)


def test_rows_of_a_list_of_hdf5_files_follow_the_first_top(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        file["data"], file["label"] = np.zeros((4, 7)), np.zeros((4, 2))
    (tmp_path / "list.txt").write_text(f"{tmp_path}/rows.h5")
    text = f'{TOPS} type: "HDF5Data" hdf5_data_param {{ source: "{tmp_path}/list.txt" batch_size: 3 }}'
    assert shapes(text) == {"data": (3, 7), "label": (3, 2)}
    assert shapes(text, {"data": (2, 7)}) == {"data": (2, 7), "label": (2, 2)}


def test_a_data_layer_without_tops_is_left_to_the_net():
    net = parse('layer { name: "d" type: "Data" data_param { batch_size: 5 } }', "NetParameter")
    assert without_data(net) == net


@pytest.mark.parametrize(("text", "given", "match"), [
    (f'{TOPS} type: "Data" {CROP} data_param {{ batch_size: 5 }}', {}, r"layer 'd' \(Data\): .*--shape data=N,C,H,W"),
    (f'{TOPS} type: "HDF5Data" hdf5_data_param {{ batch_size: 5 }}', {}, r"'data'.*--shape data="),
    (f'{TOPS} type: "Data"', {"dta": (1, 2)}, r"'dta'.*did you mean 'data'"),
])
def test_errors(text, given, match):
    with pytest.raises(NetError, match=match):
        shapes(text, given)


def test_the_net_is_left_alone_and_rules_of_inclusion_are_kept():
    net = parse(f'layer {{ {TOPS} type: "Data" include {{ phase: TRAIN }} }}', "NetParameter")
    copy = type(net).FromString(net.SerializeToString())
    result = without_data(net, {"data": (1, 2)})
    assert net == copy
    assert result.layer[0].include == net.layer[0].include


@pytest.mark.parametrize(("transform", "shape"), [
    ("", (3, 2, 6, 5)), ("crop_size: 4", (3, 2, 4, 4)), ("resize_param { height: 9 width: 7 }", (3, 2, 9, 7))])
def test_from_the_first_record(tmp_path, transform, shape):
    with LmdbWriter(tmp_path / "db") as writer:
        writer.put(b"0", array_to_datum(np.zeros((2, 6, 5), np.uint8), 1).SerializeToString())
    text = (f'{TOPS} type: "Data" data_param {{ source: "{tmp_path}/db" backend: LMDB batch_size: 3 }} '
            f"transform_param {{ {transform} }}")
    assert shapes(text) == {"data": shape, "label": (3,)}
    with pytest.raises(NetError, match="--shape"):
        shapes(text.replace("/db", "/elsewhere"))


def test_the_result_can_be_built():
    text = (f'layer {{ {TOPS} type: "Data" include {{ phase: TRAIN }} }} layer {{ {TOPS} type: "Data" '
            'include { phase: TEST } } layer { name: "r" type: "ReLU" bottom: "data" top: "data" }')
    for phase in (TRAIN, TEST):
        net = Net(without_data(load(parse(text, "NetParameter"), phase), {"data": (2, 3)}), phase)
        assert (net.inputs, net.blobs["label"].shape) == (["data", "label"], (2,))


@pytest.mark.parametrize("source, transform, shape", [
    ("examples/mnist/train_lmdb", "", (4, 1, 28, 28)), ("CIFAR10", "", (4, 3, 32, 32)),
    ("/x/CamVid/a.txt", "", (4, 3, 360, 480)), ("here", "", (4, 3, 224, 224)),
    ("here", "transform_param { crop_size: 9 mean_value: [1, 2] }", (4, 2, 9, 9)),
])
def test_likely_shapes_are_assumed_and_said(source, transform, shape):
    options = f"data_param {{ source: '{source}' batch_size: 4 }} {transform}"
    net = parse(f"layer {{ type: 'Data' top: 'x' top: 'y' {options} }}", "NetParameter")
    assumed = {}
    inputs = without_data(net, assumed=assumed).layer[0].input_param.shape
    assert [tuple(each.dim) for each in inputs] == [shape, (4,)]
    assert assumed == ({} if transform else {"x": shape})
