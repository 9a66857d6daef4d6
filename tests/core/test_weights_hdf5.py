"""Parameters in HDF5 files, laid out as Caffe does it."""

import h5py
import numpy as np
import pytest
from parameter_values import assert_same, values

from blobnet.core.context import TRAIN
from blobnet.core.net import Net
from blobnet.errors import BlobnetError, DataError, NetError, ShapeError
from blobnet.proto.text import parse

INPUT = 'layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } } '


def ip(name, bottom, outputs, param=""):
    return (f'layer {{ name: "{name}" type: "InnerProduct" bottom: "{bottom}" top: "{name}" {param} '
            f'inner_product_param {{ num_output: {outputs} '
            'weight_filler { type: "gaussian" } bias_filler { type: "gaussian" } } } ')


NET = INPUT + ip("a", "x", 5) + ip("b", "a", 4)
TIED = INPUT + "".join(ip(name, bottom, 3, 'param { name: "w" } param { name: "c" }')
                       for name, bottom in (("a", "x"), ("b", "a"))) + ip("z", "b", 1)
LOSS = 'layer { name: "l" type: "Power" bottom: "%s" top: "l" loss_weight: 1 } '


def build(text=NET, seed=1, **options):
    return Net(parse(text, "NetParameter"), TRAIN, random_seed=seed, **options)


def write(path, arrays, group="data"):
    """A file as Caffe writes it: an array for every path in the group."""
    with h5py.File(path, "w") as file:
        top = file.create_group(group)
        for name, array in arrays.items():
            if array is None:
                top.create_group(name)
            else:
                top.create_dataset(name, data=np.asarray(array, getattr(array, "dtype", "float32")))


def content(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[()] if isinstance(item, h5py.Dataset) else None}))
    return found


A = {"a/0": np.ones((5, 3), "float32"), "a/1": np.ones(5, "float32")}
B = {"b/0": np.ones((4, 5), "float32"), "b/1": np.ones(4, "float32")}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["w.caffemodel.h5", "w.hdf5", "W.H5"])
def test_round_trip(tmp_path, name, dtype):
    net, other = build(dtype=dtype), build(seed=2, dtype=dtype)
    net.save(tmp_path / name)
    with h5py.File(tmp_path / name) as file:
        assert file["data/a/0"].dtype == dtype
    assert other.copy_from(tmp_path / name) == ["a", "b"]
    assert_same(values(other), values(net))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_layout(tmp_path):
    net = build()
    net.save(tmp_path / "w.h5")
    found = content(tmp_path / "w.h5")
    assert sorted(found) == ["data", "data/a", "data/a/0", "data/a/1", "data/b", "data/b/0", "data/b/1", "data/in"]
    np.testing.assert_array_equal(found["data/b/0"], net.params["b"][0].data)


def test_shared_parameters_stand_with_their_owner_and_gradients_with_all(tmp_path):
    net = build(TIED + LOSS % "z")
    net.forward(x=np.ones((2, 3)))
    net.backward()
    net.save(tmp_path / "w.h5", diff=True)
    found = content(tmp_path / "w.h5")
    assert {"data/a/0", "data/a/1", "data/b", "diff/a/0", "diff/b/0", "diff/b/1", "diff/l"} <= found.keys()
    assert not {"data/b/0", "data/b/1"} & found.keys()
    assert found["diff/b/0"].any()
    np.testing.assert_array_equal(found["diff/b/0"], net.params["a"][0].diff)
    other = build(TIED, seed=2)
    assert other.copy_from(tmp_path / "w.h5") == ["a", "z"]
    assert_same(values(other), values(net))
    with pytest.raises(NetError, match=r"layer 'b' \(InnerProduct\).*expected 2 blobs, got 0; rename"):
        build(TIED.replace('"w"', '""').replace('"c"', '""')).copy_from(tmp_path / "w.h5")


def test_of_shared_parameters_in_a_file_the_last_name_counts(tmp_path):
    write(tmp_path / "w.h5", {"a/0": np.zeros((3, 3)), "a/1": np.zeros(3), "b/0": np.ones((3, 3)), "b/1": np.ones(3)})
    net = build(TIED)
    net.copy_from(tmp_path / "w.h5")
    assert (net.params["a"][0].data == 1).all()


def test_a_shared_net_takes_over_shared_memory(tmp_path):
    """The test net of a solver has parameters of its own by name, and their memory from the training net."""
    net, other = build(seed=3), build()
    other.share_with(net)
    write(tmp_path / "w.h5", {**A, **B})
    other.copy_from(tmp_path / "w.h5")
    assert (net.params["a"][0].data == 1).all()


def test_layers_of_one_side_are_passed_over(tmp_path):
    write(tmp_path / "w.h5", {**A, "unknown/0": np.ones(9), "in": None, "x": None})
    net, before = build(), values(build())
    assert net.copy_from(tmp_path / "w.h5") == ["a"]
    after = values(net)
    assert (after["a", 0] == 1).all() and (after["a", 1] == 1).all()
    np.testing.assert_array_equal(after["b", 0], before["b", 0])


@pytest.mark.parametrize("array", [np.arange(20).reshape(4, 5), np.arange(20, dtype="int16").reshape(4, 5),
                                   np.arange(20, dtype=">f8").reshape(4, 5), np.arange(20.).reshape(1, 1, 4, 5)])
def test_numbers_of_other_kinds_and_legacy_shapes(tmp_path, array):
    write(tmp_path / "w.h5", {"b/0": array, "b/1": np.ones((1, 1, 1, 4), "float32")})
    net = build()
    assert net.copy_from(tmp_path / "w.h5") == ["b"]
    np.testing.assert_array_equal(net.params["b"][0].data, np.arange(20).reshape(4, 5))


@pytest.mark.parametrize("arrays, error, words", [
    ({**A, "b/0": np.ones((9, 5)), "b/1": np.ones(4)}, ShapeError,
     ["layer 'b' (InnerProduct)", "w.h5', number 0", "expected shape (4, 5), got shape (9, 5)", "rename the layer"]),
    ({**A, "b/0": np.ones((5, 4)), "b/1": np.ones(4)}, ShapeError, ["got shape (5, 4)"]),
    ({**A, "b/0": np.ones((4, 5))}, NetError, ["layer 'b' (InnerProduct)", "expected 2 blobs, got 1", "rename"]),
    ({**A, **B, "b/2": np.ones(1)}, NetError, ["expected 2 blobs, got 3"]),
    ({**A, "b": None}, NetError, ["expected 2 blobs, got 0"]),
    ({**A, "b/0": np.ones((4, 5)), "b/one": np.ones(4)}, NetError, ["expected 2 blobs, got 2"]),
    ({**A, "b/0": np.full((4, 5), b"x"), "b/1": np.ones(4)}, DataError, ["'data/b/0'", "integers or floats", "|S1"]),
    ({**A, "b": np.ones(4)}, DataError, ["'b'", "expected a group, got a dataset"]),
], ids=["shape", "same count", "missing", "many", "none", "names", "text", "no group"])
def test_what_does_not_fit_changes_nothing(tmp_path, arrays, error, words):
    net, before = build(), values(build())
    write(tmp_path / "w.h5", arrays)
    with pytest.raises(error) as caught:
        net.copy_from(tmp_path / "w.h5")
    assert all(word in str(caught.value) for word in words), caught.value
    assert_same(values(net), before)


def test_files_that_are_no_weights(tmp_path):
    write(tmp_path / "s.h5", {"0": np.ones(3)}, group="history")
    with pytest.raises(DataError, match="s.h5': no group 'data', so these are no weights; .*restore"):
        build().copy_from(tmp_path / "s.h5")
    with pytest.raises(BlobnetError, match="no such file.*did you mean 's.h5'"):
        build().copy_from(tmp_path / "t.h5")
    build().save(tmp_path / "w.caffemodel")
    (tmp_path / "w.caffemodel").rename(tmp_path / "w.h5")
    with pytest.raises(DataError, match="w.h5': cannot be opened .*signature"):
        build().copy_from(tmp_path / "w.h5")


def test_the_content_tells_as_well_as_the_name(tmp_path):
    build(seed=2).save(tmp_path / "w.h5")
    (tmp_path / "w.h5").rename(tmp_path / "w.caffemodel")
    net = build()
    net.copy_from(tmp_path / "w.caffemodel")
    assert_same(values(net), values(build(seed=2)))
    with pytest.raises(BlobnetError, match="got an HDF5 file; HDF5 files hold weights, states and data, no net"):
        Net(tmp_path / "w.caffemodel")


def test_names_with_slashes(tmp_path):
    """Groups in groups, also in that of another layer."""
    text = INPUT + ip("a", "x", 3) + ip("a/1x1", "a", 3) + ip("c/d/e", "a/1x1", 3)
    net, other = build(text), build(text, seed=2)
    net.save(tmp_path / "w.h5", diff=True)
    assert content(tmp_path / "w.h5")["data/c/d/e/0"].shape == (3, 3)
    assert other.copy_from(tmp_path / "w.h5") == ["a", "a/1x1", "c/d/e"]
    assert_same(values(other), values(net))


@pytest.mark.parametrize("names, reason", [
    (("a", "a"), "another layer has this name"), (("a", ""), "HDF5 has no such names"),
    (("a", "/b"), "no such names"), (("a", "b//c"), "no such names"), (("a", "./c"), "no such names"),
    (("a", "a/0"), "a parameter of another layer"), (("a/1/b", "a"), "a parameter of another layer")])
def test_names_that_hdf5_cannot_have(tmp_path, names, reason):
    one, two = names
    text = INPUT + ip(one, "x", 3).replace(f'top: "{one}"', 'top: "p"') \
        + ip(two, "p", 3).replace(f'top: "{two}"', 'top: "q"')
    with pytest.raises(NetError, match=rf"w.h5: cannot hold layer .*{reason}.*; rename the layer"):
        build(text).save(tmp_path / "w.h5")
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "w.h5", {"other/0": np.ones(3)})
    assert build(text).copy_from(tmp_path / "w.h5") == []


def test_of_layers_with_one_name_the_last_takes_the_weights(tmp_path):
    write(tmp_path / "w.h5", {"a/0": np.ones((5, 5)), "a/1": np.ones(5)})
    net = build(INPUT + ip("a", "x", 5) + ip("a", "a", 5).replace('top: "a"', 'top: "b"'))
    first = net.layers[1].blobs[0].data.copy()
    net.copy_from(tmp_path / "w.h5")
    assert (net.layers[2].blobs[0].data == 1).all()
    np.testing.assert_array_equal(net.layers[1].blobs[0].data, first)


@pytest.mark.parametrize("size", [0, 1, 8, 100, 1000, -1])
def test_cut_off(tmp_path, size):
    build().save(tmp_path / "w.h5")
    whole = (tmp_path / "w.h5").read_bytes()
    (tmp_path / "w.h5").write_bytes(whole[:size])
    net, before = build(seed=5), values(build(seed=5))
    with pytest.raises(DataError, match=r"w.h5': cannot be opened \(.*; the file is damaged or incomplete"):
        net.copy_from(tmp_path / "w.h5")
    assert_same(values(net), before)


def test_more_numbers_than_the_file_has_room_for(tmp_path):
    """The dimensions of a dataset are changed in the file, so that it would ask for 64 GiB."""
    build().save(tmp_path / "w.h5")
    data = (tmp_path / "w.h5").read_bytes()
    place = data.index(np.array([4, 5, 4, 5], "<u8").tobytes())
    (tmp_path / "w.h5").write_bytes(data[:place] + np.array([1 << 17] * 4, "<u8").tobytes() + data[place + 32:])
    with pytest.raises(DataError, match=r"w.h5': .*'data/b/0'"):  # by us or by the HDF5 library, as its version goes
        build().copy_from(tmp_path / "w.h5")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    build().save(tmp_path / "w.h5")
    before = (tmp_path / "w.h5").read_bytes()
    net = build(seed=2)
    monkeypatch.setattr("blobnet.core.weights_hdf5.to_host", lambda array: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        net.save(tmp_path / "w.h5")
    assert (tmp_path / "w.h5").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["w.h5"]
