"""The same bits with any number of threads; forks, several threads, copies."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import blobnet
from blobnet import backend
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.errors import NetError, SolverError
from blobnet.proto.messages import new
from blobnet.proto.text import parse

HEAD = """
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 40 dim: 4 dim: 15 dim: 14 } shape { dim: 40 } data_filler { type: "gaussian" std: 2 }
  data_filler { type: "constant" value: 1 } } }
"""
FILL = 'weight_filler { type: "xavier" }'
BODIES = {
    "convolution": f"""
layer {{ name: "c1" type: "Convolution" bottom: "data" top: "c1"
  convolution_param {{ num_output: 24 kernel_size: 3 pad: 1 {FILL} }} }}
layer {{ name: "lrn" type: "LRN" bottom: "c1" top: "lrn" }}
layer {{ name: "pool" type: "Pooling" bottom: "lrn" top: "pool" pooling_param {{ kernel_size: 3 stride: 2 }} }}
layer {{ name: "c2" type: "Convolution" bottom: "pool" top: "c2"
  convolution_param {{ num_output: 16 kernel_size: 3 stride: 2 group: 4 {FILL} }} }}
layer {{ name: "prelu" type: "PReLU" bottom: "c2" top: "c2" }}""",
    "normalized": f"""
layer {{ name: "c1" type: "Convolution" bottom: "data" top: "c1"
  convolution_param {{ num_output: 32 kernel_size: 1 {FILL} }} }}
layer {{ name: "bn" type: "BatchNorm" bottom: "c1" top: "bn" }}
layer {{ name: "scale" type: "Scale" bottom: "bn" top: "scale" scale_param {{ bias_term: true }} }}
layer {{ name: "tanh" type: "TanH" bottom: "scale" top: "tanh" }}
layer {{ name: "drop" type: "Dropout" bottom: "tanh" top: "tanh" }}
layer {{ name: "up" type: "Deconvolution" bottom: "tanh" top: "up"
  convolution_param {{ num_output: 4 kernel_size: 4 stride: 2 {FILL} }} }}
layer {{ name: "ave" type: "Pooling" bottom: "up" top: "ave"
  pooling_param {{ pool: AVE kernel_size: 3 stride: 2 }} }}""",
    "wide": f"""
layer {{ name: "ip" type: "InnerProduct" bottom: "data" top: "wide" inner_product_param {{ num_output: 1100 {FILL} }} }}
layer {{ name: "relu" type: "ReLU" bottom: "wide" top: "wide" relu_param {{ negative_slope: 0.1 }} }}""",
    "recurrent": f"""
layer {{ name: "cont" type: "DummyData" top: "cont" dummy_data_param {{
  shape {{ dim: 40 dim: 4 }} data_filler {{ value: 1 }} }} }}
layer {{ name: "lstm" type: "LSTM" bottom: "data" bottom: "cont" top: "lstm"
  recurrent_param {{ num_output: 20 {FILL} }} }}""",
}
TAIL = f"""
layer {{ name: "code" type: "InnerProduct" bottom: "LAST" top: "code" inner_product_param {{ num_output: 12 {FILL} }} }}
layer {{ name: "hash" type: "HashingLoss" bottom: "code" bottom: "label" top: "hash"
  hashing_loss_param {{ bi_margin: 24 tradeoff: 0.01 }} }}
layer {{ name: "softmax" type: "SoftmaxWithLoss" bottom: "code" bottom: "label" top: "softmax" }}"""
TYPES = {"SGD": "momentum: 0.9 clip_gradients: 5", "Nesterov": "momentum: 0.9", "AdaGrad": "", "RMSProp": "",
         "AdaDelta": "momentum: 0.9", "Adam": "momentum: 0.9", "LBFGS": "clip_gradients: -1"}


def definition(body):
    text = BODIES[body]
    last = text.rsplit('top: "', 1)[1].split('"')[0]
    return HEAD + text + TAIL.replace("LAST", last)


def train(body, kind, iterations=8):
    """All values and gradients of the net after some iterations."""
    text = f'type: "{kind}" {TYPES[kind]} base_lr: 0.01 lr_policy: "fixed" weight_decay: 0.001 random_seed: 3 ' \
        f'snapshot_after_train: false net_param {{ {definition(body)} }}'
    solver = blobnet.get_solver(parse(text, "SolverParameter"), device="cpu")
    solver.step(iterations)
    blobs = [*solver.net.blobs.values(), *(parameter.blob for parameter in solver.net.parameters)]
    return [array.copy() for blob in blobs for array in (blob.data, blob.diff)]


@pytest.mark.parametrize("body, kind", [*((body, "Adam") for body in BODIES),
                                        *(("convolution", kind) for kind in TYPES if kind not in ("Adam", "LBFGS")),
                                        ("recurrent", "LBFGS")])
def test_the_bits_do_not_depend_on_the_number_of_threads(monkeypatch, body, kind):
    found = {}
    for threads in (1, 2, 3, 5, 16):
        monkeypatch.setenv("BLOBNET_NUM_THREADS", str(threads))
        found[threads] = train(body, kind, 1 if kind == "LBFGS" else 8)
    assert np.isfinite(found[1][-1]).all() and any(array.any() for array in found[1])
    for threads, arrays in found.items():
        assert all(np.array_equal(mine, first) for mine, first in zip(arrays, found[1])), threads


@pytest.mark.parametrize("n", [0, 1, 2, 3, 17, 100, 12345])
@pytest.mark.parametrize("most", [0.5, 1, 3, 64, 1e9])
def test_pieces_cover_everything_once(n, most):
    for least in (None, 1, 10):
        pieces = backend.cut(n, most, least)
        assert [i for piece in pieces for i in range(piece.start, piece.stop)] == list(range(n))
        assert all(piece.start < piece.stop for piece in pieces)
        assert most > 1e8 or backend.longest(pieces) <= 2 * max(most, 1)


def test_sums_in_turn_have_one_order_and_pass_errors_on(monkeypatch):
    monkeypatch.setenv("BLOBNET_NUM_THREADS", "5")
    found = []
    backend.share_in_order(lambda i: i, found.append, list(range(100)))
    assert found == list(range(100))

    def fail(i):
        if i == 7:
            raise ZeroDivisionError
        return i

    with pytest.raises(ZeroDivisionError):
        backend.share_in_order(fail, found.append, list(range(100)))


FORK = """
import os, sys
import numpy as np
import blobnet
sys.path.insert(0, TESTS)
from test_threads import definition
from blobnet.proto.text import parse
net = blobnet.Net(parse(definition("convolution"), "NetParameter"), blobnet.TRAIN, random_seed=1)
net.forward(); net.backward()
wanted = net.params["c1"][0].diff.copy()
child = os.fork()
net.clear_param_diffs(); net.seek(0); net.forward(); net.backward()
same = np.array_equal(net.params["c1"][0].diff, wanted)
if not child:
    os._exit(0 if same else 3)
sys.exit(0 if same and os.waitpid(child, 0)[1] == 0 else 4)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_runs_the_net(tmp_path):
    script = FORK.replace("TESTS", repr(str(Path(__file__).parent)))
    environment = {**os.environ, "BLOBNET_NUM_THREADS": "3"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], timeout=60, check=True, env=environment)


PREFETCH = """
import os, sys
from blobnet.data.batches.prefetch import Prefetch
from blobnet.data.images.files import in_parallel
prefetch = Prefetch(lambda n, reuse: n, 2)
assert [prefetch.take(), prefetch.take()] == [0, 1] and in_parallel(abs, range(9)) == list(range(9))
child = os.fork()
right = [prefetch.take(), prefetch.take()] == [2, 3] and in_parallel(abs, range(9)) == list(range(9))
prefetch.close()
if not child:
    os._exit(0 if right else 3)
sys.exit(0 if right and os.waitpid(child, 0)[1] == 0 else 4)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_reads_on():
    environment = {**os.environ, "BLOBNET_NUM_THREADS": "3"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", PREFETCH], timeout=60, check=True, env=environment)


DATA = """
layer { name: "data" type: "Data" top: "data" top: "label" data_param { source: "lmdb" backend: LMDB batch_size: 4 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 8 kernel_size: 3
  weight_filler { type: "xavier" } } }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 10
  weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
FORK_WITH_DATA = """
import os, sys
import numpy as np
import blobnet
net = blobnet.Net("net.prototxt", blobnet.TRAIN, random_seed=1)
def right(batch):
    net.clear_param_diffs(); net.forward(); net.backward()
    wanted = np.arange(4 * batch, 4 * batch + 4) % 10
    data, label = net.blobs["data"].data, net.blobs["label"].data
    return (label.ravel() == wanted).all() and (data == wanted[:, None, None, None]).all() \\
        and net.params["conv"][0].diff.any()
assert right(0)
child = os.fork()
fine = all([right(batch) for batch in range(1, 9)])
if not child:
    os._exit(0 if fine else 3)
sys.exit(0 if fine and os.waitpid(child, 0)[1] == 0 else 4)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_reads_its_own_batches(tmp_path):
    (tmp_path / "net.prototxt").write_text(DATA)
    with LmdbWriter(tmp_path / "lmdb") as writer:
        for i in range(10):
            writer.put(b"%08d" % i, array_to_datum(np.full((3, 9, 9), i, np.uint8), i).SerializeToString())
    environment = {**os.environ, "BLOBNET_NUM_THREADS": "3"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORK_WITH_DATA], timeout=60, check=True, env=environment,
                   cwd=tmp_path)



def test_the_last_to_leave_restores_the_threads_of_blas():
    def threads():
        return [library["num_threads"] for library in ThreadpoolController().info()
                if library["user_api"] == "blas" and "numpy" in library["filepath"]]  # others come with FAISS, OpenCV

    before, inside, leave = threads(), threading.Event(), threading.Event()
    assert before

    def other():
        with backend.single_threaded_blas(), backend.single_threaded_blas():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with backend.single_threaded_blas():
        thread.start()
        assert inside.wait(10) and set(threads()) <= {1}
    assert set(threads()) <= {1}  # the other is inside
    leave.set()
    thread.join()
    assert threads() == before


class Waiting(blobnet.Layer):
    """Lets a test run code in the middle of a forward."""

    call = staticmethod(lambda: None)

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def forward(self, bottom, top):
        Waiting.call()
        top[0].data[...] = bottom[0].data

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = top[0].diff


@pytest.fixture
def waiting(monkeypatch):
    from blobnet.core.registry import LAYERS
    monkeypatch.setitem(LAYERS, "Waiting", Waiting)
    text = 'name: "it" layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }' \
        'layer { name: "w" type: "Waiting" bottom: "x" top: "y" }'
    return lambda: blobnet.Net(parse(text, "NetParameter"))


@pytest.mark.parametrize("what", ["forward", "backward", "reshape"])
def test_a_net_runs_in_one_thread_at_a_time(monkeypatch, waiting, what):
    net, other, found = waiting(), waiting(), []

    def attempt():
        try:
            getattr(net, what)()
        except NetError as error:
            found.append(str(error))
        other.reshape()  # another net runs at the same time

    def call():
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        other.reshape()

    monkeypatch.setattr(Waiting, "call", staticmethod(call))
    net.forward()
    assert len(found) == 1 and "net 'it'" in found[0] and "another thread" in found[0] and "share_with" in found[0]
    monkeypatch.setattr(Waiting, "call", staticmethod(lambda: None))
    attempt()
    assert len(found) == 1


def test_a_layer_may_run_its_own_net(monkeypatch, waiting):
    net, depth = waiting(), []

    def call():
        if len(depth) < 3:
            depth.append(1)
            net.forward()

    monkeypatch.setattr(Waiting, "call", staticmethod(call))
    net.forward()
    assert len(depth) == 3


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda value: pickle.loads(pickle.dumps(value))}


@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_copies_of_blobs_are_apart_from_them_and_share_with_each_other(make):
    first, second, empty = blobnet.Blob((2, 3)), blobnet.Blob((3, 2)), blobnet.Blob((4,), dtype="float64")
    first.data[...], first.diff[...] = 1, 2
    second.share_data(first)
    mine, other, nothing = make((first, second, empty))
    mine.data[0, 0] = 9
    assert other.data[0, 0] == 9 and first.data[0, 0] == 1
    assert (mine.shape, other.shape) == ((2, 3), (3, 2)) and mine.diff.tolist() == [[2] * 3] * 2
    assert nothing.dtype == np.float64 and not nothing.data.any()


def test_a_copied_blob_has_values_of_its_own():
    blob = blobnet.Blob((2,))
    blob.data[...] = 1
    other = copy.copy(blob)
    other.data[...] = 5
    assert blob.data.tolist() == [1, 1] and other.shape == (2,)


@pytest.mark.parametrize("make", [copy.copy, *COPIES.values()])
def test_nets_and_solvers_say_what_to_do_instead_of_copying(make, waiting):
    net = waiting()
    with pytest.raises(NetError, match="net 'it'.*cannot be copied or pickled.*share_with"):
        make(net)
    solver = blobnet.get_solver(new("SolverParameter", net_param=net.definition, base_lr=1, lr_policy="fixed",
                                    snapshot_after_train=False), device="cpu")
    with pytest.raises(SolverError, match="snapshot.*restore"):
        make(solver)


def test_the_remedy_for_a_copy_works():
    net = blobnet.Net(parse(definition("wide"), "NetParameter"), blobnet.TRAIN, random_seed=1)
    other = blobnet.Net(net.definition, net.phase, random_seed=2)
    other.share_with(net)
    assert all(a.blob.data is not None and np.shares_memory(a.blob.data, b.blob.data)
               for a, b in zip(net.parameters, other.parameters))
