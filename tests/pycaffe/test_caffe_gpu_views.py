"""Arrays of the host over a device: copied when asked for, written back before the device computes.

The device is played by a class of arrays that count their copies, so that this runs without a GPU.
"""

from __future__ import annotations

import types

import caffe
import numpy as np
import pytest

from blobnet.core.blob import Blob as CoreBlob
from blobnet.pycaffe import blob as blob_module
from blobnet.pycaffe.blob import Blob, BlobVec, write_back

copies = {"to host": 0, "to device": 0}


class DeviceArray(np.ndarray):
    def get(self, out=None):
        copies["to host"] += 1
        if out is None:
            return np.array(self)
        out[...] = np.asarray(self)

    def set(self, host):
        copies["to device"] += 1
        np.asarray(self)[...] = host


class Device(types.ModuleType):
    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def zeros(shape, dtype="float32"):
        return np.zeros(shape, dtype).view(DeviceArray)


device = Device("device")


@pytest.fixture(autouse=True)
def nothing_borrowed():
    blob_module._borrowed.clear()
    copies.update({"to host": 0, "to device": 0})


def test_reading_and_writing():
    core = CoreBlob((2, 3), device)
    core.data[...] = 1
    blob = Blob(core)
    view = blob.data
    assert type(view) is np.ndarray and view.shape == (2, 3) and (view == 1).all()
    view[0] = 5
    assert core.data[0, 0] == 1 and blob.data[0, 0] == 5  # not there yet, and not copied anew
    write_back()
    assert core.data[0, 0] == 5 and core.diff.sum() == 0
    core.data[...] = 7
    assert (blob.data == 7).all() and (view == 7).all()  # the same memory, as in Caffe
    assert copies == {"to host": 2, "to device": 1}
    write_back()
    write_back()
    assert copies["to device"] == 2


def test_blobs_that_share_values_share_the_copy():
    first, second = CoreBlob((4,), device), CoreBlob((2, 2), device)
    second.share_data(first)
    first_face, second_face = Blob(first), Blob(second)
    first_face.data[...] = 3
    second_face.data[0, 0] = 4
    assert first_face.data.tolist() == [4, 3, 3, 3]
    second_face.diff[...] = 1
    write_back()
    assert first.data.tolist() == [4, 3, 3, 3] and not first.diff.any() and second.diff.all()


def test_reshape():
    core = CoreBlob((4,), device)
    blob = Blob(core)
    blob.data[...] = [1, 2, 3, 4]
    blob.reshape(2)
    assert blob.data.tolist() == [1, 2]
    blob.reshape(6, 1)
    blob.data[...] = 8
    write_back()
    assert core.data.shape == (6, 1) and (core.data == 8).all()
    blob.reshape(0, 3)
    assert type(blob.data) is np.ndarray and blob.data.shape == (0, 3)


def test_parameters():
    blobs = BlobVec([CoreBlob((2,), device), CoreBlob((), device)])
    for blob in blobs:
        blob.data[...] = 2
    write_back()
    assert all(blob.core.data.sum() == 2 * blob.count for blob in blobs) and blobs[0] is blobs[-2]


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


def test_a_net_with_a_python_layer(tmp_path, monkeypatch):
    (tmp_path / "net.prototxt").write_text("force_backward: true" + NET)
    (tmp_path / "gpu_view_users.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("blobnet.core.net.device_module", lambda name: device)
    net = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TRAIN)
    assert type(net.core.blobs["x"].data) is DeviceArray and net.core.params["it"][0].data.tolist() == [1]
    x = net.blobs["x"].data
    x[...] = 4
    assert (net.forward()["z"] == 9).all() and (net.core.blobs["z"].data == 9).all()
    net.params["it"][0].data[...] = 3
    seen = []
    net.after_forward(lambda i: seen.append(net.blobs["y"].data.copy()))
    assert (net.forward(x=np.ones((2, 3)))["z"] == 5).all()
    assert [array[0, 0] for array in seen] == [8, 2, 2]
    assert (net.backward()["x"] == 2).all() and net.params["it"][0].diff.tolist() == [6]
    net.params["it"][0].diff[...] = 5
    net.clear_param_diffs()
    assert net.params["it"][0].diff.tolist() == [0]


def test_a_notebook_shows_what_was_written_and_takes_nothing_back():
    """The user goes on writing into the array that was asked for before."""
    core = CoreBlob((2, 3), device, name="here")
    core.data[...] = core.diff[...] = 0
    blob = Blob(core)
    view = blob.data
    view[...] = 7
    page = blob._repr_html_()
    assert "&lt;Blob 2x3 float32&gt;" in page and "from 7 to 7" in page
    view[...] = 8
    write_back()
    assert (core.data == 8).all()
