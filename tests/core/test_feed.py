"""Nets that are fed: arrays and iterables in the place of what data layers read."""

import itertools

import h5py
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.hashing.encode import encode
from blobnet.proto.text import parse

LAYERS = '''
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
'''
MEMORY = '''layer { name: "d" type: "MemoryData" top: "data" top: "label"
                    memory_data_param { batch_size: 2 channels: 4 height: 1 width: 1 } }''' + LAYERS
MISSING = '''name: "far" layer { name: "d" type: "Data" top: "data" top: "label"
                                 data_param { source: "nowhere" batch_size: 2 } }''' + LAYERS
INPUT = MISSING.replace('"Data"', '"Input"').replace('data_param { source: "nowhere" batch_size: 2 }', '''
    input_param { shape { dim: 2 dim: 4 } shape { dim: 2 } }''')


def build(text=MEMORY, phase=TRAIN, **options):
    return Net(parse(text, "NetParameter"), phase, random_seed=1, **options)


def batch(number, size=2):
    rng = np.random.default_rng(number)
    return rng.normal(size=(size, 4, 1, 1)).astype("float32"), rng.integers(0, 3, size)


def losses(net, count):
    found = []
    for _ in range(count):
        net.forward()
        found.append(net.loss)
    return found


def expected(*batches):
    """The loss of each batch, by a net with Input layers."""
    net, found = build(INPUT), []
    for data, label in batches:
        net.forward(data=data, label=label)
        found.append(net.loss)
    return found


# Keyword arguments.

@pytest.mark.parametrize("size", [1, 2, 7])
def test_arrays_replace_a_data_layer(size):
    net = build()
    assert net.forward(**dict(zip(("data", "label"), batch(5, size))))["loss"] == expected(batch(5, size))[0]
    assert net.blobs["ip"].shape == (size, 3)
    net.backward()
    assert net.params["ip"][0].diff.any()


@pytest.fixture
def hdf5(tmp_path):
    """The text of a net that reads six rows from a file, two a batch."""
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["data"], file["label"] = np.arange(24.0).reshape(6, 4), [0, 1, 2, 0, 1, 2]
    (tmp_path / "list.txt").write_text(f"{tmp_path}/d.h5\n")
    return f'''layer {{ name: "d" type: "HDF5Data" top: "data" top: "label"
                hdf5_data_param {{ source: "{tmp_path}/list.txt" batch_size: 2 }} }}''' + LAYERS


def test_the_batch_of_a_pass_that_is_fed_is_left_out(hdf5):
    net, seen = build(hdf5), []
    for given_data in ({}, {"data": np.ones((1, 4)), "label": [0]}, {}):
        net.forward(**given_data)
        seen.append(net.blobs["data"].data[0, 0])
    assert seen == [0, 1, 16]


def test_labels_are_not_asked_for_where_nobody_reads_them():
    net = build()
    assert list(net.forward(end="ip", data=batch(0)[0])) == ["ip"]
    with pytest.raises(NetError, match=r"no values for 'label', which layer 'acc' \(Accuracy\) reads; a data layer is "
                                       "replaced as a whole"):
        net.forward(data=batch(0)[0])


def test_inputs_that_are_not_given_stay():
    net = build(INPUT)
    data, label = batch(3)
    net.forward(data=data, label=label)
    before = net.loss
    assert net.forward(data=data)["loss"] == before


def test_a_blob_that_the_pass_computes():
    net, rows = build(), np.ones((2, 3))
    with pytest.raises(NetError, match=r"blob 'ip' is computed in this pass, by layer 'ip' \(InnerProduct\); start"):
        net.forward(ip=rows, data=batch(0)[0], label=batch(0)[1])
    assert net.forward(start="ip_ip_0_split", ip=rows, label_d_1_split_0=[0, 1], label_d_1_split_1=[0, 1])["loss"] == \
        pytest.approx(np.log(3))


@pytest.mark.parametrize("values, error, words", [
    ({"dta": 1}, NetError, "no blob 'dta'; did you mean 'data'"),
    ({"data": "abc", "label": [1]}, ShapeError, "blob 'data', expected an array of numbers, got str 'abc'"),
    ({"data": np.ones((2, 4), complex), "label": [1, 1]}, ShapeError, "expected an array of numbers, got ndarray"),
    ({"data": np.ones((2, 5)), "label": [1, 1]}, ShapeError, r"layer 'ip' \(InnerProduct\): expected 4 inputs a row"),
    ({"data": np.ones((2, 4)), "label": [1, 1, 1]}, ShapeError, r"layer 'acc' \(Accuracy\): expected 2 labels"),
])
def test_values_that_cannot_be(values, error, words):
    net = build()
    with pytest.raises(error, match=words):
        net.forward(**values)
    assert net.forward(**dict(zip(("data", "label"), batch(5))))["loss"] == expected(batch(5))[0]  # still good


class Tensor:
    """Behaves as a tensor of PyTorch: no NumPy array of one that has a gradient, or that lies on a GPU."""

    def __init__(self, array, free=False, near=False):
        self.array, self.free, self.near = array, free, near

    def detach(self):
        return Tensor(self.array, True, self.near)

    def cpu(self):
        return Tensor(self.array, self.free, True)

    def __array__(self, dtype=None, copy=None):
        if not (self.free and self.near):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.array


def test_tensors():
    data, label = batch(1)
    assert build().forward(data=Tensor(data), label=Tensor(label))["loss"] == expected((data, label))[0]


def test_values_are_copied_once(monkeypatch):
    """What becomes the array of the blob is the memory of the user."""
    seen = []
    monkeypatch.setattr(Net, "_fill", staticmethod(lambda blob, array: seen.append(array)))
    net, (data, label) = build(), batch(1)
    with net.one_thread:
        net.bring(net.steps, {"data": data, "label": Tensor(label)})
    assert seen[0] is data and np.shares_memory(seen[1], label)


# Nets whose data is not there.

def test_a_net_without_its_data():
    with pytest.raises(DataError, match="nowhere"):
        build(MISSING)
    net = build(MISSING, inputs={"data": (2, 4)})
    assert net.inputs == ["data", "label"] and net.blobs["label"].shape == (2,)
    assert net.forward(**dict(zip(("data", "label"), batch(5, 3))))["loss"] == expected(batch(5, 3))[0]


def test_other_data_layers_stay():
    noise = 'layer { name: "n" type: "DummyData" top: "n" dummy_data_param { shape { dim: 2 } ' \
            'data_filler { type: "gaussian" } } }'
    net = build(MISSING + noise, inputs={"data": (2, 4)})
    assert net.inputs == ["data", "label"]
    net.feed([dict(zip(("data", "label"), batch(0)))])
    assert losses(net, 1) == expected(batch(0)) and net.blobs["n"].data.any()


@pytest.mark.parametrize("inputs, words", [
    ({"dat": (2, 4)}, "shape of 'dat': no data layer has this top; did you mean 'data'"),
    ({"label": (2,)}, "no shape of top 'data' without its data"),
])
def test_inputs_that_cannot_be(inputs, words):
    with pytest.raises(NetError, match=words):
        build(MISSING, inputs=inputs)


# Iterables.

BATCHES = [batch(0), batch(1, 3), batch(2)]


@pytest.mark.parametrize("batches", [
    lambda: BATCHES, lambda: tuple(BATCHES), lambda: (list(each) for each in BATCHES), lambda: iter(BATCHES),
    lambda: [dict(zip(("data", "label"), each)) for each in BATCHES],
    lambda: [(Tensor(data), Tensor(label)) for data, label in BATCHES]])
@pytest.mark.parametrize("text, options", [(MEMORY, {}), (INPUT, {}), (MISSING, {"inputs": {"data": (9, 4)}})])
def test_what_batches_may_be(batches, text, options):
    net = build(text, **options)
    net.feed(batches())
    assert losses(net, 3) == expected(*BATCHES)


def test_one_array_for_one_top():
    net = build(INPUT.replace('top: "label"', "").replace("shape { dim: 2 } }", "}").split('layer { name: "acc"')[0])
    net.feed([np.ones((5, 4))])
    assert net.forward()["ip"].shape == (5, 3)


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(1, 4), st.lists(st.integers(0, 9), max_size=4))
@example(3, 4, [3, 2])  # number 3 follows what is remembered, of which 2 is still there
def test_batches_by_number(count, keep, seeks):
    """A list comes round. A seek finds a batch that is remembered, and number 0; else the list goes on."""
    net, taken, place = build(INPUT), [], 0
    batches = [batch(number) for number in range(count)]
    net.feed(batches, keep)
    which = {id(each[0]): number for number, each in enumerate(batches)}
    remembered = {}
    for start in [0, *seeks]:
        net.seek(start)
        if start not in remembered:
            place = place if start else 0
            remembered = remembered if start - 1 in remembered else {}
        for number in range(start, start + 3):
            got = which[id(net.fed.take()["data"])]
            if number not in remembered:
                remembered[number] = place % count
                place += 1
                remembered.pop(number - keep, None)
            assert got == remembered[number]
            taken.append(got)


def test_a_pass_that_starts_later_takes_nothing():
    net = build()
    net.feed(iter(BATCHES))
    net.forward()
    net.forward(start="ip")
    assert losses(net, 2) == expected(*BATCHES[1:])


def test_arguments_go_before():
    net = build()
    net.feed(BATCHES)
    net.forward(label=[0, 0])
    assert net.blobs["label"].data.tolist() == [0, 0] and (net.blobs["data"].data == BATCHES[0][0]).all()


def test_no_more_batches():
    net = build()
    net.feed(BATCHES)
    net.forward()
    net.feed(None)
    with pytest.raises(DataError, match="has no data yet"):
        net.forward()


@pytest.mark.parametrize("batches, words", [
    (7, "net 'far': expected batches to iterate over, got a int; a batch is"),
    ([], "expected batches to take, got a list without any"),
    (iter([]), "expected batches to take, got a list_iterator without any"),
    ([BATCHES[0][:1]], "expected batches of 2, data and label, got one of 1; or dicts"),
    ([np.ones((2, 4))], "expected batches of 2, data and label, got one of 1"),
    ([{"data": np.ones((2, 4))}], "no values for 'label'"),
    ([{"image": np.ones((2, 4))}], "no blob 'image'"),
    (itertools.islice(BATCHES, 2), r"the batches came to their end: there were 2, one an iteration; a generator"),
])
def test_batches_that_cannot_be(batches, words):
    net = build(MISSING, inputs={"data": (2, 4)})
    with pytest.raises((DataError, NetError), match=words):
        net.feed(batches)
        losses(net, 3)


def test_an_error_of_the_batches_is_the_users():
    def broken():
        yield BATCHES[0]
        raise KeyError("mine")

    net = build()
    net.feed(broken())
    net.forward()
    with pytest.raises(KeyError, match="mine"):
        net.forward()


def test_no_thread_reads_what_is_replaced(hdf5, monkeypatch):
    net = build(hdf5)
    monkeypatch.setattr("blobnet.data.batches.prefetch.Prefetch._start", None)
    net.feed(BATCHES)
    assert losses(net, 3) == expected(*BATCHES)


def test_codes_of_batches(hdf5):
    net = build(hdf5, TEST)
    net.layers[0].records = 6  # as layers say that count them
    net.feed(BATCHES)
    codes = encode(net, "ip", 7)
    net = build(INPUT, TEST)
    rows = [net.forward(end="ip", data=data)["ip"].copy() for data, _ in BATCHES]
    np.testing.assert_array_equal(codes.values, np.concatenate(rows))
    assert codes.labels.tolist() == np.concatenate([label for _, label in BATCHES]).tolist()
