"""Commands with --gpu: what they print and write is what they do on the CPU."""

import re

import numpy as np
import pytest

from blobnet.cli import main
from blobnet.data.stores.datum import array_to_datum
from blobnet.data.stores.lmdb_writer import LmdbWriter
from blobnet.hashing.codes import Codes

NET = '''layer { name: "data" type: "Data" top: "data" top: "label"
        data_param { source: "lmdb" backend: LMDB batch_size: 4 } transform_param { scale: 0.01 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
        inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
'''
SOLVER = '''net: "net.prototxt" base_lr: 0.1 momentum: 0.9 lr_policy: "fixed" max_iter: 4 display: 1 random_seed: 1
test_interval: 2 test_iter: 2 '''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "net.prototxt").write_text(NET)
    for name, more in {"cpu": "solver_mode: CPU", "gpu": ""}.items():
        (folder / f"{name}.prototxt").write_text(f'{SOLVER} snapshot_prefix: "{name}" {more}')
    rng = np.random.default_rng(0)
    with LmdbWriter(folder / "lmdb") as writer:
        for i in range(10):
            datum = array_to_datum(rng.integers(0, 256, (3, 6, 8), np.uint8), i % 3)
            writer.put(b"%08d" % i, datum.SerializeToString())
    return folder


@pytest.fixture(scope="module")
def trained(folder, gpu):
    """Both devices trained; the GPU's run is the one that the solver file means where nothing is said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("cpu", "gpu"):
            assert main(["train", "--solver", f"{name}.prototxt"]) == 0
        assert main(["train", "--solver", "gpu.prototxt", "--gpu", "0", "--snapshot", "gpu_iter_4.solverstate"]) == 0
    return folder


@pytest.fixture
def run(trained, monkeypatch, capsys):
    """Runs a line, and returns what it printed."""
    monkeypatch.chdir(trained)

    def run(line):
        assert main(line.split()) == 0, capsys.readouterr().err
        captured = capsys.readouterr()
        return captured.out + captured.err
    return run


def test_training_gives_the_weights_of_the_cpu(run):
    for name in ("cpu", "gpu"):
        run(f"extract_features {name}_iter_4.caffemodel net.prototxt ip {name}.npz 2 npz")
    np.testing.assert_allclose(*({**np.load(f"{name}.npz")}["ip"] for name in ("cpu", "gpu")), rtol=1e-4, atol=1e-5)


def test_test(run):
    words = "test -model net.prototxt -weights gpu_iter_4.caffemodel -iterations 2"
    cpu, gpu = run(words), run(f"{words} -gpu 0")
    assert "Use CPU." in cpu and "Use GPU with device ID 0" in gpu
    cpu, gpu = (dict(re.findall(r"] (Batch .*|Loss)(?: = |: )(.*)", text)) for text in (cpu, gpu))
    assert cpu.keys() == gpu.keys() >= {"Batch 1, accuracy", "Batch 1, loss", "Loss"}
    assert [float(gpu[name]) for name in cpu] == pytest.approx([float(value) for value in cpu.values()], rel=1e-4)


def test_extract_features(run):
    for name, more in {"cpu": "CPU", "gpu": "GPU 0"}.items():
        run(f"extract_features gpu_iter_4.caffemodel net.prototxt ip,label {name}_a.npz,{name}_b.npz 2 npz {more}")
    for part in "ab":
        cpu, gpu = (np.load(f"{name}_{part}.npz") for name in ("cpu", "gpu"))
        for key in cpu:
            np.testing.assert_allclose(gpu[key], cpu[key], rtol=1e-5)


def test_encode_and_search(run):
    found = []
    for name, more in {"cpu": "", "gpu": "--gpu 0"}.items():
        said = run(f"encode net.prototxt --weights gpu_iter_4.caffemodel --blob ip --out {name}_codes.npz {more}")
        assert "10 codes of 3 bits" in said
        found.append(run(f"search --codes {name}_codes.npz --queries {name}_codes.npz --top 2"))
        found.append(run(f"evaluate --queries {name}_codes.npz --protocol dsh-authors").replace(name, "own"))
    assert found[:2] == found[2:]
    cpu, gpu = (Codes.load(f"{name}_codes.npz") for name in ("cpu", "gpu"))
    assert np.array_equal(cpu.packed, gpu.packed) and np.array_equal(cpu.labels, gpu.labels)


@pytest.mark.parametrize("line, says", [
    ("time -model net.prototxt -gpu 0 -iterations 2", "*** Benchmark ends ***"),
    ("time -model net.prototxt -gpu all -phase TEST -iterations 1", "accuracy\tforward: "),
    ("device_query", "Querying GPUs 0"), ("device_query -gpu 0", "Total global memory"),
])
def test_they_run(line, says, run):
    assert says in run(line)


@pytest.mark.parametrize("line", ["train --solver gpu.prototxt --gpu 9", "time -model net.prototxt -gpu 9",
                                  "device_query -gpu 9", "check net.prototxt --shape data=2,3,6,8 --gpu 9"])
def test_a_gpu_that_is_not_there(line, trained, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    assert main(line.split()) == 1
    assert "expected a GPU number below" in capsys.readouterr().err
