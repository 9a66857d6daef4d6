"""Arrays of the host over a device: copied when asked for, written back before the device computes."""

from __future__ import annotations

import caffe
import numpy as np
import pytest

from blobnet.core.blob import Blob as CoreBlob
from blobnet.pycaffe import blob as blob_module
from blobnet.pycaffe.blob import Blob, BlobVec, write_back


@pytest.fixture(autouse=True)
def device(stand_in):
    """The stand-in for CuPy, with nothing borrowed, and nothing copied so far."""
    blob_module._borrowed.clear()
    stand_in.reset()
    return stand_in


def copies(device):
    """How many there were to the host, and to the device."""
    return device.counts["waits"], device.counts["HtoD"]


def values(array):
    """Those of an array of the device."""
    return array.get().tolist()


def test_reading_and_writing(device):
    core = CoreBlob((2, 3), device)
    core.data[...] = 1
    blob = Blob(core)
    view = blob.data
    assert type(view) is np.ndarray and view.shape == (2, 3) and (view == 1).all()
    view[0] = 5
    assert blob.data[0, 0] == 5 and copies(device) == (1, 0)  # not copied anew
    assert values(core.data) == [[1] * 3] * 2  # and not there yet
    write_back()
    assert values(core.data) == [[5] * 3, [1] * 3] and values(core.diff) == [[0] * 3] * 2
    core.data[...] = 7
    device.reset()
    assert (blob.data == 7).all() and (view == 7).all()  # the same memory, as in Caffe
    write_back()
    write_back()
    assert copies(device) == (1, 1)


def test_blobs_that_share_values_share_the_copy(device):
    first, second = CoreBlob((4,), device), CoreBlob((2, 2), device)
    second.share_data(first)
    first_face, second_face = Blob(first), Blob(second)
    first_face.data[...] = 3
    second_face.data[0, 0] = 4
    assert first_face.data.tolist() == [4, 3, 3, 3]
    second_face.diff[...] = 1
    write_back()
    assert values(first.data) == [4, 3, 3, 3] and values(first.diff) == [0] * 4 and values(second.diff) == [[1, 1]] * 2


def test_reshape(device):
    core = CoreBlob((4,), device)
    blob = Blob(core)
    blob.data[...] = [1, 2, 3, 4]
    blob.reshape(2)
    assert blob.data.tolist() == [1, 2]
    blob.reshape(6, 1)
    blob.data[...] = 8
    write_back()
    assert values(core.data) == [[8]] * 6
    blob.reshape(0, 3)
    assert type(blob.data) is np.ndarray and blob.data.shape == (0, 3)


def test_parameters(device):
    blobs = BlobVec([CoreBlob((2,), device), CoreBlob((), device)])
    for blob in blobs:
        blob.data[...] = 2
    write_back()
    assert [values(blob.core.data) for blob in blobs] == [[2, 2], 2] and blobs[0] is blobs[-2]


NET = '''
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }
layer { name: "double" type: "Power" bottom: "x" top: "y" power_param { scale: 2 } }
layer { name: "it" type: "Python" bottom: "y" top: "z" loss_weight: 1
  python_param { module: "gpu_view_users" layer: "AddOne" } }
'''
MODULE = '''
import caffe
class AddOne(caffe.Layer):
    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        self.blobs[0].data[0] = 1
    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].shape)
    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data + self.blobs[0].data
    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = top[0].diff
        self.blobs[0].diff[0] += top[0].diff.sum()
'''


def test_a_net_with_a_python_layer(tmp_path, monkeypatch, device):
    (tmp_path / "net.prototxt").write_text("force_backward: true" + NET)
    (tmp_path / "gpu_view_users.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    caffe.set_mode_gpu()
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TRAIN)
    assert net.core.xp is device and values(net.core.params["it"][0].data) == [1]
    x = net.blobs["x"].data
    x[...] = 4
    assert (net.forward()["z"] == 9).all() and values(net.core.blobs["z"].data) == [[9] * 3] * 2
    net.params["it"][0].data[...] = 3
    seen = []
    net.after_forward(lambda i: seen.append(net.blobs["y"].data.copy()))
    assert (net.forward(x=np.ones((2, 3)))["z"] == 5).all()
    assert [array[0, 0] for array in seen] == [8, 2, 2]
    assert (net.backward()["x"] == 2).all() and net.params["it"][0].diff.tolist() == [6]
    net.params["it"][0].diff[...] = 5
    net.clear_param_diffs()
    assert net.params["it"][0].diff.tolist() == [0]


def test_a_notebook_shows_what_was_written_and_takes_nothing_back(device):
    """The user goes on writing into the array that was asked for before."""
    core = CoreBlob((2, 3), device, name="here")
    core.data[...], core.diff[...] = 0, 0
    blob = Blob(core)
    view = blob.data
    view[...] = 7
    page = blob._repr_html_()
    assert "&lt;Blob 2x3 float32&gt;" in page and "from 7 to 7" in page
    view[...] = 8
    write_back()
    assert values(core.data) == [[8] * 3] * 2
