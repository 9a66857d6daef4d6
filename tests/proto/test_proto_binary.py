"""Binary messages: weights as arrays, the bytes Caffe writes, damaged files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blobnet.errors import DataError, ParseError, ShapeError
from blobnet.proto import binary, blobs, files, messages, text, wire
from blobnet.proto.hdf5_bytes import SIGNATURE


def packed(number, values, dtype="<f4"):
    data = np.asarray(values, dtype).tobytes()
    return wire.tag(number, wire.BYTES) + wire.varint(len(data)) + data


def unpacked(number, values, dtype="<f4"):
    kind = wire.FIXED32 if dtype == "<f4" else wire.FIXED64
    return b"".join(wire.tag(number, kind) + value.tobytes() for value in np.asarray(values, dtype))


def nested(number, data):
    return wire.tag(number, wire.BYTES) + wire.varint(len(data)) + data


def small_net():
    """A net of three generations of layers, and the arrays of its blobs."""
    net = text.parse("name: 'n' layer { name: 'a' type: 'X' phase: TEST relu_param { } } layers { name: 'b' } "
                     "layers { layer { name: 'c' } }", "NetParameter")
    arrays = []
    for number, layer in enumerate([net.layer[0], net.layers[0], net.layers[1].layer]):
        blobs.set_blob(layer.blobs.add(), np.arange(6, dtype=np.float32).reshape(2, 3) + number, arrays)
        blobs.set_blob(layer.blobs.add(), np.full(2, number, np.float32), arrays)
    return net, arrays


def encode(net, arrays):
    return b"".join(binary._pieces(net, arrays, ""))


@pytest.mark.parametrize("data", [
    packed(5, range(300)), unpacked(5, range(300)),
    packed(5, range(100)) + unpacked(5, range(100, 250)) + packed(5, []) + packed(5, range(250, 300)),
    unpacked(5, range(150)) + nested(7, packed(1, [])) + unpacked(5, range(150, 300)),
    b"".join(unpacked(5, [value]) + unpacked(6, [-value]) for value in range(300)),
], ids=["packed", "unpacked", "chunks", "interrupted", "interleaved"])
def test_numbers_are_found_however_they_were_written(data):
    net, arrays = binary.read_weights(nested(100, nested(7, data)))
    values = blobs.blob_array(net.layer[0].blobs[0], arrays)
    assert values.dtype == np.float32 and np.array_equal(values, np.arange(300))
    assert not net.layer[0].blobs[0].data


@pytest.mark.parametrize("write", [packed, unpacked])
def test_doubles_and_gradients(write):
    data = write(8, [1.1, 2.2], "<f8") + write(9, [3.3], "<f8") + write(6, [4.5])
    blob, arrays = binary.read_weights(data, "BlobProto")
    assert blobs.blob_array(blob, arrays).tolist() == [1.1, 2.2]
    assert blobs.blob_array(blob, arrays, "diff").dtype == np.float64


def test_every_generation_of_layers_and_copies_of_messages():
    net, arrays = small_net()
    read, found = binary.read_weights(encode(net, arrays))
    assert len(found) == 6 and read.ByteSize() < 200
    upgraded = messages.new("NetParameter")
    upgraded.layer.add().blobs.extend(read.layers[1].layer.blobs)  # as the upgrade of old layers does
    blob = upgraded.layer[0].blobs[0]
    assert blobs.blob_shape(blob) == (2, 3) and blobs.blob_array(blob, found).tolist() == [2, 3, 4, 5, 6, 7]


def test_bytes_are_those_of_protobuf_in_field_order():
    net, arrays = small_net()
    plain = messages.new("NetParameter")
    plain.CopyFrom(net)
    for layer in [plain.layer[0], plain.layers[0], plain.layers[1].layer]:
        for blob in layer.blobs:
            blob.data.extend(blobs.blob_array(blob, arrays).tolist())
            blob.ClearField("array")
    assert encode(net, arrays) == plain.SerializeToString() == encode(plain, ())


def test_weights_file(tmp_path):
    net, arrays = small_net()
    binary.write_weights(tmp_path / "w.caffemodel", net, arrays)
    read, found = binary.read_weights(tmp_path / "w.caffemodel")
    assert encode(read, found) == (tmp_path / "w.caffemodel").read_bytes() == encode(net, arrays)
    full = files.read_message(tmp_path / "w.caffemodel", "NetParameter")
    assert list(full.layer[0].blobs[0].data) == [0, 1, 2, 3, 4, 5]
    assert blobs.blob_array(full.layer[0].blobs[0]).tolist() == [0, 1, 2, 3, 4, 5]


def test_arrays_that_are_not_single_precision_rows_are_written_as_such():
    blob = messages.new("BlobProto", array=0)
    values = np.arange(12, dtype=">f4").reshape(3, 4).T
    assert encode(blob, [{"data": values}]) == packed(5, values.ravel())


def test_a_solver_state():
    state, arrays = messages.new("SolverState", iter=7), []
    blobs.set_blob(state.history.add(), np.ones((2, 2), np.float32), arrays)
    read, found = binary.read_weights(encode(state, arrays), "SolverState")
    assert read.iter == 7 and blobs.blob_array(read.history[0], found).tolist() == [1, 1, 1, 1]


def test_a_blob_without_its_array_is_not_written(tmp_path):
    net, _ = small_net()
    with pytest.raises(ParseError, match="refers to array . of 0"):
        binary.write_binary(tmp_path / "w.caffemodel", net)
    assert not list(tmp_path.iterdir())


def test_an_array_number_in_a_file_means_nothing():
    blob, arrays = binary.read_weights(b"\xc8\x3e\x05" + packed(5, [1]), "BlobProto")
    assert blob.array == 0 and blobs.blob_array(blob, arrays).tolist() == [1]
    assert not binary.parse_binary(b"\xc8\x3e\x05", "BlobProto").HasField("array")
    with pytest.raises(ParseError, match="refers to array 5 of 0"):
        blobs.blob_array(messages.new("BlobProto", array=5))


def test_unknown_fields_survive():
    group = b"\xa3\x1f\xa3\x1f\x08\x01\xa4\x1f\xa4\x1f"  # number 500, as a group in a group
    data = nested(100, nested(7, nested(7, b"\x0a\x01\x01") + wire.tag(77, wire.VARINT) + b"\x05")) + group
    net, arrays = binary.read_weights(data)
    assert encode(net, arrays) == data == binary.parse_binary(data, "NetParameter").SerializeToString()


def test_paths_in_another_encoding():
    """As machines wrote them; what layers and blobs are called must be UTF-8."""
    source = "b\u00e9b\u00e9_lmdb"
    data = nested(100, nested(107, nested(1, source.encode("latin-1"))))
    assert binary.read_weights(data)[0].layer[0].data_param.source == source
    for number in (1, 2, 3, 4):
        with pytest.raises(ParseError, match="not UTF-8"):
            binary.read_weights(nested(100, nested(number, b"caf\xe9")))


def test_hashing_loss_of_the_dsh_fork():
    fork = nested(2, b"HashingLoss") + nested(145, unpacked(1, [24.0]) + unpacked(2, [0.5]))
    for net in (binary.parse_binary(nested(100, fork), "NetParameter"), binary.read_weights(nested(100, fork))[0]):
        layer = net.layer[0]
        assert (layer.hashing_loss_param.bi_margin, layer.hashing_loss_param.tradeoff) == (24, 0.5)
        assert not layer.HasField("parameter_param")
    other = nested(2, b"Parameter") + nested(145, nested(1, nested(1, b"\x03")))
    assert binary.parse_binary(nested(100, other), "NetParameter").layer[0].parameter_param.shape.dim == [3]


CENTERS, CENTERS_TEXT = b"\x08\x07" + nested(2, nested(1, b"xavier")), "num_output: 7 center_filler { type: 'xavier' }"


@pytest.mark.parametrize("kind, number, param, wanted", [
    ("CenterLoss", 147, CENTERS + b"\x18\x02", CENTERS_TEXT + " axis: 2"),
    ("CenterLoss", 211, CENTERS + nested(29, b"L2"), CENTERS_TEXT + " distance_type: 'L2'"),
    ("Lstm", 140, b"\x08\x05" + unpacked(2, [0.5]), "num_output: 5 clipping_threshold: 0.5"),
    ("Lstm", 201, b"\x08\x05\x28\x02", "num_output: 5 batch_size: 2"),
    ("MarginInnerProduct", 147, b"\x08\x05\x10\x03" + unpacked(9, [5]), "num_output: 5 type: QUADRUPLE lambda_min: 5"),
    ("ScaleTanH", 147, unpacked(1, [2.5]) + b"\x10\x1e" + unpacked(4, [-1]), "init_scale: 2.5 step_size: 30 power: -1"),
    ("ScaleTanH", 147, b"", ""),
    ("PriorBox", 203, unpacked(1, [30, 60]) + unpacked(3, [2]) + b"\x28\x01", "min_size: 30 min_size: 60 "
     "aspect_ratio: 2 clip: true"),
    ("Proposal", 219, b"\x08\x08" + unpacked(8, [0.5]), "feat_stride: 8 nms_thresh: 0.5"),
    *(("ROIPooling", number, b"\x08\x07\x10\x06", "pooled_h: 7 pooled_w: 6") for number in (150, 154, 204)),
    *(("PSROIPooling", number, unpacked(1, [0.5]) + b"\x10\x15\x18\x07", "spatial_scale: 0.5 output_dim: 21 "
       "group_size: 7") for number in (153, 220)),
    ("BoxAnnotatorOHEM", 152, b"\x08\x03", "roi_per_img: 3"),
    ("SmoothL1Loss", 148, unpacked(1, [3]), "sigma: 3"),
    ("LiftedStructSimilaritySoftmaxLoss", 145, unpacked(1, [3]), "margin: 3"),
    ("Permute", 202, b"\x08\x01\x08\x00", "order: 1 order: 0"),
    ("Permute", 224, b"\x08\x01\x08\x00", "order: 1 order: 0"),
    ("Transpose", 142, b"\x08\x01\x08\x00", "dim: 1 dim: 0"),
    ("Reverse", 143, b"\x08\x02", "axis: 2"),
    *[("BN", number, nested(1, unpacked(2, [1])) + unpacked(3, [0.5]) + b"\x28\x01",
       "slope_filler { value: 1 } momentum: 0.5 frozen: true") for number in (137, 152, 200)],
    ("Normalize", 206, b"\x08\x00\x18\x00", "across_spatial: false channel_shared: false"),
    ("MultiBoxLoss", 201, b"\x20\x15\x70\x02", "num_classes: 21 code_type: CENTER_SIZE"),
    ("BatchTripletLoss", 201, unpacked(1, [0.25]) + b"\x20\x01", "margin: 0.25 sample: true"),
    ("NaiveTripletLoss", 201, unpacked(1, [0.25]) + nested(2, b"Cosine"), "margin: 0.25 sim_type: 'Cosine'"),
    ("PairwiseRankingLoss", 201, unpacked(1, [0.25]), "margin: 0.25"),
    ("TripletLoss", 201, unpacked(1, [0.25]), "margin: 0.25"),
    ("TripletLoss", 146, unpacked(1, [0.25]), "margin: 0.25"),
    ("TripletLoss", 203, unpacked(1, [0.25]), "margin: 0.25"),
    ("Upsample", 137, b"\x08\x03", "scale: 3"),
    ("SegAccuracy", 144, b"\x10\x07\x10\x09", "ignore_label: 7 ignore_label: 9"),
    ("Interp", 143, b"\x18\x04", "zoom_factor: 4"),
    ("Interp", 301, b"\x18\x04", "zoom_factor: 4"),
])
def test_parameters_of_forks_get_their_own_numbers(kind, number, param, wanted):
    data = nested(100, nested(2, kind.encode()) + nested(7, unpacked(5, [1.0, 2.0])) + nested(number, param))
    layer = f"type: '{kind}' blobs {{ data: 1 data: 2 }} {binary.FORKS[kind][0]} {{ {wanted} }}"
    wanted = text.parse(f"layer {{ {layer} }}", "NetParameter")
    assert binary.parse_binary(data, "NetParameter") == wanted
    assert binary.parse_binary(encode(*binary.read_weights(data)), "NetParameter") == wanted


def test_parameters_that_no_fork_wrote_are_refused():
    with pytest.raises(ParseError, match=r"layer 'it' \(TripletLoss\): not a triplet_loss_param"):
        binary.read_weights(nested(100, nested(1, b"it") + nested(2, b"TripletLoss") + nested(203, b"\x0f")))


@pytest.mark.parametrize("data, where, words", [
    (b"\x0a\x05ab", "bytes: byte 4", "NetParameter.name: cut off here, 3 of its 5 bytes are missing"),
    (b"\x0a", "bytes: byte 1", "runs past the end"),
    (nested(1, b"a\xff"), "bytes: byte 3", "NetParameter.name: a string that is not UTF-8"),
    (b"\x0f", "bytes: byte 0", "no field starts with 0f"), (b"\x00", "bytes: byte 0", "no field"),
    (b"\xff" * 11, "bytes: byte 0", "more than 10 bytes"),
    (b"\x0b\x14", "bytes: byte 1", "group that is not open"),
    (nested(100, nested(7, nested(5, b"123"))), "bytes: byte 7", "layer[0].blobs[0].data[0]: 3 bytes are not a whole"),
    (nested(100, nested(7, b"\x2d\x00\x00")), "bytes: byte 5", "layer[0].blobs[0]: after the start: a value of 4"),
    (nested(100, nested(148, b"")), "bytes", "clip_param.min needs a value"),
    (nested(1, b"n") + nested(100, b"") * 2 + b"\xa2\x06\x09", "bytes: byte 12",
     "NetParameter.layer[2]: cut off here, 9 of its 9 bytes"),
    (nested(100, nested(1, b"ip") + nested(7, nested(5, b"1234") * 2))[:-1], "bytes: byte 20",
     "NetParameter.layer[0] 'ip'.blobs[0].data: cut off here, 1 of its 4 bytes are missing"),
    (nested(2, nested(4, b"v1") + nested(6, b"") + nested(6, nested(7, nested(1, b"12"))))[:-2], "bytes: byte 14",
     "NetParameter.layers[0] 'v1'.blobs[1].shape.dim[0]: cut off here, 2 of its 2 bytes"),
    (nested(100, nested(7, unpacked(5, [1.0, 2.0])) + b"\x08\x01")[:-5], "bytes: byte 12",
     "NetParameter.layer[0].blobs[0].data: cut off here, 3 of its 4 bytes"),
    (nested(100, nested(7, b"") + nested(7, b"1234"))[:-5], "bytes: byte 6",
     "NetParameter.layer[0]: after blobs[0]: a number runs past the end"),
    (nested(100, b"\x0f") + b"\xa2\x06\x09", "bytes: byte 3", "NetParameter.layer[0]: after the start: no field"),
    (b"\xa2\x06\x09\x0a\x01n\x0f", "bytes: byte 0", "NetParameter: after the start: a value of 9 bytes, of which 4"),
    (b"\xa2\x06\x09" + nested(7, b"\x2d\x00"), "bytes: byte 0", "NetParameter: after the start: a value of 9 bytes"),
    (b"\xa2\x1f\x05ab", "bytes: byte 0", "NetParameter: after the start: a value of 5 bytes, of which 2 are there"),
    (b"\xa3\x1f\x0a\x05ab", "bytes: byte 2", "NetParameter: after the start: a value of 5 bytes, of which 2"),
    (nested(100, b"") + nested(100, nested(7, b"") + nested(7, nested(7, b"\x0f"))), "bytes: byte 12",
     "NetParameter.layer[1].blobs[1].shape: after the start: no field"),
    (SIGNATURE + b"rest", "bytes", "got an HDF5 file"),
    (b"\x89PNG\r\n\x1a\n" + bytes(20), "bytes", "got a PNG image"),
    (b"\xff\xd8\xff\xe0" + bytes(20), "bytes", "got a JPEG image"),
    (b"<!DOCTYPE html>\n<html><head>", "bytes", "text beginning '<!DOCTYPE html>'; a web page was saved"),
    (b"version https://git-lfs.github.com/spec/v1\noid", "bytes", "a git-lfs pointer: fetch the file itself with git"),
    (b"name: 'net'\nlayer { name: 'a' }", "bytes", "got text beginning \"name: 'net'\"; name it .prototxt if"),
    (b"\x08\x90\x4e" + nested(2, b"run_iter_10000.caffemodel"), "bytes", "got a solver's state; give the .caffemodel"),
    (b"\x08\x02" + nested(2, b""), "bytes", "got a solver's state"),
])
def test_damaged_files_are_refused_with_the_byte_and_the_field(data, where, words):
    with pytest.raises(ParseError) as error:
        binary.read_weights(data)
    assert error.value.where == where and words in str(error.value)


def test_files_that_are_cut_off(tmp_path):
    """The blob and the byte, in weights and in states, wherever the last blob ends too early."""
    begin, end = nested(4, b"ip1") + nested(6, packed(5, np.ones(9))), packed(5, np.ones(50))
    whole = nested(1, b"net") + nested(2, b"") + nested(2, begin + nested(6, end))
    state = b"\x08\x05" + nested(3, packed(5, np.ones(9))) * 2 + nested(3, end)
    for missing in range(1, 200):
        for name, data, path in (("NetParameter", whole, "layers[1] 'ip1'.blobs[1].data"),
                                 ("SolverState", state, "history[2].data")):
            (tmp_path / "file").write_bytes(data[:-missing])
            with pytest.raises(ParseError) as error:
                binary.read_weights(tmp_path / "file", name)
            where = f"{tmp_path / 'file'}: byte {len(data) - missing}: {name}.{path}"
            assert str(error.value).startswith(f"{where}: cut off here, {missing} of its 200 bytes")


def test_files_that_are_no_weights(tmp_path):
    (tmp_path / "net.caffemodel").touch()
    with pytest.raises(ParseError, match="got an empty file"):
        binary.read_weights(tmp_path / "net.caffemodel")
    with pytest.raises(DataError, match="did you mean 'net.caffemodel'"):
        binary.read_weights(tmp_path / "nett.caffemodel")


WHOLE = encode(*small_net()) + nested(100, nested(7, unpacked(5, range(70)) + nested(7, b"\x08\x46")))


def read_or_refuse(data):
    for read in (binary.read_weights, lambda data: (binary.parse_binary(data, "NetParameter"), ())):
        try:
            net, arrays = read(data)
        except ParseError:
            continue
        for layer in [*net.layer, *net.layers]:
            for blob in layer.blobs:
                assert blobs.blob_array(blob, arrays).ndim == 1 and isinstance(blobs.blob_shape(blob), tuple)
        encode(net, arrays)


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_truncated_files(size):
    read_or_refuse(WHOLE[:size])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_files_with_wrong_bytes(changes):
    data = bytearray(WHOLE)
    for position, value in changes:
        data[position] = value
    read_or_refuse(bytes(data))


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes(data):
    read_or_refuse(data)


@given(st.lists(st.integers(0, 3), max_size=5), st.sampled_from(["f4", "f8", "i4", "f2"]), st.booleans())
def test_set_blob_then_blob_array(shape, dtype, beside):
    values = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)
    blob, arrays = messages.new("BlobProto", num=9), [] if beside else None
    for which in ("data", "diff", "data"):
        blobs.set_blob(blob, values, arrays, which)
    found = blobs.blob_array(blob, arrays or ())
    assert found.dtype == (np.float64 if dtype == "f8" else np.float32) or not values.size
    assert blobs.blob_shape(blob) == tuple(shape) and np.array_equal(found, values.ravel())
    again = binary.parse_binary(encode(blob, arrays or ()), "BlobProto")
    assert np.array_equal(blobs.blob_array(again, (), "diff"), values.ravel())


@pytest.mark.parametrize("fields, shape", [
    ("shape { dim: [2, 3] }", (2, 3)), ("shape { }", ()), ("", ()), ("channels: 3 height: 4", (0, 3, 4, 0)),
    ("num: 1 channels: 1 height: 1 width: 5 shape { dim: 5 }", (1, 1, 1, 5)),
])
def test_blob_shape(fields, shape):
    assert blobs.blob_shape(text.parse(fields, "BlobProto")) == shape


def test_numbers_in_a_prototxt():
    blob = text.parse("data: [1, 2.5] double_diff: 3", "BlobProto")
    assert blobs.blob_array(blob).tolist() == [1, 2.5] and blobs.blob_array(blob, (), "diff").tolist() == [3]


@pytest.mark.parametrize("shape, expected", [((3, 2, 4), (1, 3, 2, 4)), ((2, 3, 2, 4), (2, 3, 2, 4)), ((5,), (5,)),
                                             ((1, 2, 1, 2, 1), (1, 2, 1, 2, 1))])
def test_blob_file(tmp_path, shape, expected):
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    blobs.write_blob(tmp_path / "mean.binaryproto", values)
    assert np.array_equal(blobs.read_blob(tmp_path / "mean.binaryproto"), values.reshape(expected))
    message = files.read_message(tmp_path / "mean.binaryproto", "BlobProto")
    assert message.HasField("num") == (len(shape) in (3, 4)) != message.HasField("shape")


def test_a_blob_file_with_too_few_numbers(tmp_path):
    (tmp_path / "mean.binaryproto").write_bytes(b"\x08\x01\x10\x03\x18\x02\x20\x02" + packed(5, [1, 2]))
    with pytest.raises(ShapeError, match=r"expected 12 numbers for the shape \(1, 3, 2, 2\), got 2"):
        blobs.read_blob(tmp_path / "mean.binaryproto")


def test_levels(extendable):
    messages.extend_schema("message Nested { optional Nested inner = 1; }", "nested.proto")
    for groups, counts in ((False, (99, 100, 300, 50000)), (True, (99, 101, 50000))):
        for count in counts:
            data, size = [], 0
            for _ in range(count):  # from the inside
                data.append(b"\x0a" + wire.varint(size))
                size += len(data[-1])
            data = b"\x13" * count + b"\x14" * count if groups else b"".join(reversed(data))
            if count == 99:
                assert binary.parse_binary(data, "Nested").ByteSize() == len(data)
            else:
                with pytest.raises(ParseError, match=r"bytes: byte \d+: .*more than 100 levels of"):
                    binary.parse_binary(data, "Nested")
