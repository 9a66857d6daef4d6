"""pycaffe on a GPU: scripts see arrays of the host, and what they write there counts."""

import numpy as np
import pytest
from tiny import INPUTS, NET

import blobnet
from blobnet.errors import DataError

SOLVER = 'net: "net.prototxt" base_lr: 0.1 momentum: 0.9 lr_policy: "fixed" random_seed: 1 snapshot_prefix: "run"'
DEPLOY = '''input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }'''


@pytest.fixture
def caffe(gpu, tmp_path, monkeypatch):
    from blobnet.pycaffe import modes

    monkeypatch.setattr(modes, "_settings", modes._Settings())
    blobnet.install_as_caffe()
    import caffe

    monkeypatch.chdir(tmp_path)
    for name, text in {"net.prototxt": NET, "solver.prototxt": SOLVER, "deploy.prototxt": DEPLOY}.items():
        (tmp_path / name).write_text(text)
    caffe.set_random_seed(3)
    caffe.set_mode_gpu()
    caffe.set_device(0)
    return caffe


def on_both(caffe, work):
    """What work() gives on the CPU and on a GPU."""
    caffe.set_mode_cpu()
    cpu = work()
    caffe.set_mode_gpu()
    return cpu, work()


def test_views(caffe):
    net = caffe.Net("net.prototxt", caffe.TRAIN)
    assert net.core.xp.__name__ != "numpy"
    x = net.blobs["x"].data
    assert type(x) is np.ndarray and x.shape == (6, 2, 8, 8)
    x[...], net.blobs["label"].data[...] = INPUTS["x"], INPUTS["label"]
    loss = net.forward()["loss"]
    assert isinstance(loss, np.ndarray)
    before = float(loss)
    net.backward()
    for name, blobs in net.params.items():
        for blob, core in zip(blobs, net.core.params[name]):
            for which in ("data", "diff"):
                view = getattr(blob, which)
                assert type(view) is np.ndarray and np.array_equal(view, getattr(core, which).get())
    net.params["ip"][0].data[...] = 0.5
    net.params["ip"][1].data[2] = 7
    assert abs(net.forward()["loss"] - before) > 0.1
    weights, bias = (blob.data.get() for blob in net.core.params["ip"])
    assert (weights == 0.5).all() and bias.tolist() == [0, 0, 7, 0, 0]


def test_same_as_on_the_cpu(caffe):
    def work():
        caffe.set_random_seed(3)
        net = caffe.Net("net.prototxt", caffe.TRAIN)
        out = net.forward_all(x=np.concatenate([INPUTS["x"]] * 2)[:9], label=np.concatenate([INPUTS["label"]] * 2)[:9])
        net.blobs["x"].reshape(3, 2, 8, 8)
        net.blobs["label"].reshape(3)
        net.reshape()
        net.blobs["x"].data[...], net.blobs["label"].data[...] = INPUTS["x"][:3], INPUTS["label"][:3]
        net.forward()
        net.clear_param_diffs()
        net.backward()
        return [np.array(out["loss"]), net.blobs["norm"].data.copy(), net.params["conv"][0].diff.copy()]

    for cpu, gpu in zip(*on_both(caffe, work)):
        np.testing.assert_allclose(gpu, cpu, rtol=1e-4, atol=1e-6)


def test_weights_are_saved_and_copied(caffe):
    net = caffe.Net("net.prototxt", caffe.TEST)
    net.params["conv"][0].data[...] = 0.25
    net.save("net.caffemodel")
    other = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
    assert (other.params["conv"][0].data == 0.25).all()
    assert np.array_equal(other.params["ip"][0].data, net.params["ip"][0].data)
    other.params["ip"][0].data[...] = 0
    net.share_with(other)
    assert not net.params["ip"][0].data.any()


def test_a_solver(caffe):
    def work():
        solver = caffe.SGDSolver("solver.prototxt")
        solver.net.blobs["x"].data[...], solver.net.blobs["label"].data[...] = INPUTS["x"], INPUTS["label"]
        solver.step(2)
        solver.net.params["ip"][0].data[...] *= 0.5
        solver.snapshot()
        solver.step(1)
        weights = solver.net.params["ip"][0].data.copy()
        solver.restore("run_iter_2.solverstate")
        solver.step(1)
        assert np.array_equal(weights, solver.net.params["ip"][0].data)
        return weights

    cpu, gpu = on_both(caffe, work)
    np.testing.assert_allclose(gpu, cpu, rtol=1e-4, atol=1e-6)


def test_a_classifier(caffe):
    caffe.Net("deploy.prototxt", caffe.TEST).save("deploy.caffemodel")
    image = np.random.default_rng(0).random((12, 14, 3)).astype("float32")
    cpu, gpu = on_both(caffe, lambda: caffe.Classifier("deploy.prototxt", "deploy.caffemodel",
                                                       image_dims=(10, 10)).predict([image]))
    np.testing.assert_allclose(gpu, cpu, rtol=1e-5)
    assert gpu.shape == (1, 4)


def test_a_label_that_is_no_class_is_an_error(caffe):
    net = caffe.Net("net.prototxt", caffe.TEST)
    net.blobs["label"].data[2] = 7
    with pytest.raises(DataError, match="got 7"):
        net.forward()
    net.blobs["label"].data[2] = 0
    net.forward()
