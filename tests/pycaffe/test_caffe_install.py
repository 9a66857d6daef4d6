"""`import caffe`: the names of the package, and the three ways to have it."""

from __future__ import annotations

import importlib
import logging
import os
import subprocess
import sys
import types
from pathlib import Path

import caffe
import pytest

import blobnet
from blobnet.errors import DeviceError
from blobnet.pycaffe import modes

ROOT = Path(__file__).resolve().parents[2]
NAMES = """Net SGDSolver NesterovSolver AdaGradSolver RMSPropSolver AdaDeltaSolver AdamSolver NCCL Timer init_log log
set_mode_cpu set_mode_gpu set_device Layer get_solver layer_type_list set_random_seed solver_count set_solver_count
solver_rank set_solver_rank set_multiprocess has_nccl __version__ TRAIN TEST Classifier Detector io layers params
NetSpec to_proto proto""".split()


def test_names():
    assert not [name for name in NAMES if not hasattr(caffe, name)]
    assert (caffe.TRAIN, caffe.TEST, caffe.__version__) == (0, 1, "1.0.0")
    assert {"Data", "Convolution", "Python"} <= set(caffe.layer_type_list())
    assert caffe.layer_type_list() == sorted(caffe.layer_type_list())


@pytest.mark.parametrize("name", ["caffe.io", "caffe.proto", "caffe.proto.caffe_pb2", "caffe.net_spec", "caffe.pycaffe",
                                  "caffe.coord_map", "caffe.draw", "caffe.classifier", "caffe.detector",
                                  "caffe._caffe"])
def test_submodules(name):
    assert importlib.import_module(name) is importlib.import_module(name.replace("caffe", "blobnet.pycaffe", 1))


def test_names_of_submodules():
    assert caffe._caffe.Net is caffe.pycaffe.Net is caffe.Net and caffe._caffe.__version__ == caffe.__version__
    assert caffe.net_spec.caffe_pb2 is caffe.proto.caffe_pb2 and caffe.net_spec._param_names["Pooling"] == "pooling"
    assert caffe.coord_map.L is caffe.layers and caffe.pycaffe.np.ndarray and caffe.pycaffe.OrderedDict() == {}
    assert caffe.pycaffe._Net_forward is caffe.Net.forward and caffe.pycaffe._Net_batch is caffe.Net._batch
    assert not hasattr(caffe.net_spec, "_param_name") and not hasattr(caffe.io, "scimage")


def test_messages_of_the_compiled_module():
    assert caffe._caffe.SolverParameter is caffe.proto.caffe_pb2.SolverParameter
    assert caffe._caffe.LayerParameter is caffe.proto.caffe_pb2.LayerParameter
    assert not hasattr(caffe._caffe, "NetParameter") and caffe.draw.caffe_pb2 is caffe.proto.caffe_pb2
    styles = caffe.draw.LAYER_STYLE_DEFAULT, caffe.draw.NEURON_LAYER_STYLE, caffe.draw.BLOB_STYLE
    assert [style["shape"] for style in styles] == ["record", "record", "octagon"]
    assert styles[0]["fillcolor"] == caffe.draw.choose_color_by_layertype("ReLU")


@pytest.mark.parametrize("name, good, bad", [
    ("StringVec", "ab", 1), ("IntVec", (1, -2), 1.5), ("DtypeVec", (1.5, 2), "1"), ("BoolVec", (True, False), 1),
    ("NetVec", (), 1), ("LayerVec", (), 1), ("RawBlobVec", (), 1)])
def test_vectors(name, good, bad):
    vector = getattr(caffe._caffe, name)()
    vector.extend(good)
    assert list(vector) == list(good) and type(vector[:1]) is type(vector) and vector[:1] == list(good)[:1]
    for change in (vector.append, lambda item: vector.extend([item]), lambda item: vector.insert(0, item),
                   lambda item: vector.__setitem__(slice(0, 0), [item])):
        with pytest.raises(TypeError, match=f"{name} holds items of"):
            change(bad)
    if good:
        vector[0] = good[1]
        with pytest.raises(TypeError):
            vector[0] = bad
        del vector[1]
        assert list(vector) == [good[1]] and good[1] in vector


def test_scikit_image_in_io(monkeypatch):
    for name in ("skimage", "skimage.io", "skimage.transform"):
        monkeypatch.setitem(sys.modules, name, None)
    assert not hasattr(caffe.io, "skimage") and not hasattr(caffe.io, "resize")
    there = types.ModuleType("skimage")
    there.io = there.transform = types.SimpleNamespace(resize=len)
    for name in ("skimage", "skimage.io", "skimage.transform"):
        monkeypatch.setitem(sys.modules, name, there)
    assert caffe.io.skimage is there and caffe.io.resize is len and callable(caffe.io.zoom)


def test_it_can_be_called_twice_and_takes_the_place_of_another(monkeypatch):
    from caffe.pycaffe import Net, SGDSolver

    monkeypatch.setitem(sys.modules, "caffe", logging)
    monkeypatch.setitem(sys.modules, "caffe.io", logging)
    monkeypatch.setitem(sys.modules, "caffe.test", logging)
    blobnet.install_as_caffe()
    again = importlib.import_module("caffe")
    assert again is caffe and again.Net is Net and again.SGDSolver is SGDSolver
    assert sys.modules["caffe.io"] is caffe.io and "caffe.test" not in sys.modules


SCRIPT = '''
import sys
import beside
import caffe
from caffe import layers as L
from caffe.proto import caffe_pb2
if __name__ == "__main__":
    caffe.log("hello")
    print(caffe.__name__, beside.caffe is caffe, sys.argv, caffe_pb2.NetParameter(name="n").name)
'''


def run(folder, *arguments, input=None, **environment):
    return subprocess.run([sys.executable, *arguments], cwd=folder, text=True, capture_output=True, input=input,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environment})


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/script.py").write_text(SCRIPT)
    (tmp_path / "sub/beside.py").write_text("import caffe\n")
    return tmp_path


def test_as_a_command(folder):
    done = run(folder, "-m", "blobnet.pycaffe", "sub/script.py", "--flag", "1")
    assert done.stdout == "blobnet.pycaffe True ['sub/script.py', '--flag', '1'] n\n"
    assert "script.py:8] hello" in done.stderr
    assert run(folder, "-m", "blobnet.pycaffe", "sub/script.py", GLOG_minloglevel="2").stderr == ""
    assert "usage" in run(folder, "-m", "blobnet.pycaffe").stderr
    assert "no script 'nowhere.py'" in run(folder, "-m", "blobnet.pycaffe", "nowhere.py").stderr


def test_a_module_as_a_command(folder):
    (folder / "sub/__init__.py").write_text("")
    main = folder / "sub/__main__.py"
    main.write_text("import caffe, sys\nprint(caffe.__name__, sys.argv, sys.path[0], __name__)\n")
    (folder / "beside.py").write_text("import caffe\n")
    done = run(folder, "-m", "blobnet.pycaffe", "-m", "sub", "-m", "--flag", "-")
    assert done.stdout == f"blobnet.pycaffe {[str(main), '-m', '--flag', '-']} {folder} __main__\n"
    script = str(folder / "sub/script.py")
    done = run(folder, "-m", "blobnet.pycaffe", "-m", "sub.script", "1")
    assert done.stdout == f"blobnet.pycaffe True {[script, '1']} n\n" and "hello" in done.stderr
    (folder / "test_it.py").write_text("import caffe\ndef test(): assert caffe.__name__ == 'blobnet.pycaffe'\n")
    assert "1 passed" in run(folder, "-m", "blobnet.pycaffe", "-m", "pytest", "-q", "test_it.py").stdout
    for name in ("nowhere", "nowhere.deep", "test_it.deep", ""):
        assert run(folder, "-m", "blobnet.pycaffe", "-m", name).stderr == f"blobnet: no module {name!r}\n"
    (folder / "sub/__init__.py").write_text("import nowhere\n")
    said = run(folder, "-m", "blobnet.pycaffe", "-m", "sub.x").stderr
    assert "ModuleNotFoundError: No module named 'nowhere'" in said
    assert "-m needs a module" in run(folder, "-m", "blobnet.pycaffe", "-m").stderr


CODE = """import caffe, pickle, sys
class Here: pass
print(caffe.__name__, sys.argv, repr(sys.path[0]), __name__, pickle.loads(pickle.dumps(Here())).__class__ is Here)
"""


def test_code_as_a_command(folder):
    done = run(folder, "-m", "blobnet.pycaffe", "-c", CODE, "-m", "1")
    assert done.stdout == "blobnet.pycaffe ['-c', '-m', '1'] '' __main__ True\n"
    done = run(folder, "-m", "blobnet.pycaffe", "-", "1", input=CODE)
    assert done.stdout == "blobnet.pycaffe ['-', '1'] '' __main__ True\n"
    done = run(folder, "-m", "blobnet.pycaffe", "-c", "annotation: nowhere", "1")
    assert "NameError" in done.stderr and done.returncode == 1
    assert "-c needs code" in run(folder, "-m", "blobnet.pycaffe", "-c").stderr
    assert "usage" in run(folder, "-m", "blobnet.pycaffe", "-x").stderr


@pytest.mark.parametrize("level, shown", [("0", True), ("1", False)])
def test_a_script_sets_the_level_of_the_log(folder, level, shown):
    (folder / "quiet.py").write_text(f"import os\nos.environ['GLOG_minloglevel'] = '{level}'\n"
                                     "import caffe\ncaffe.log('hello')\ncaffe.set_mode_gpu()\n")
    said = run(folder, "-m", "blobnet.pycaffe", "quiet.py", CUDA_VISIBLE_DEVICES="").stderr
    assert ("hello" in said) == shown and "going on with the CPU" in said


CHILDREN = '''
import multiprocessing
import subprocess
import sys

import caffe

def work(text):
    caffe.log(text)
    return caffe.Net.__module__

if __name__ == "__main__":
    for method in ("spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(pool.map(work, [method]))
    code = "import caffe; from caffe.proto import caffe_pb2; print(caffe.Net.__module__)"
    subprocess.run([sys.executable, "-c", code], check=True)
'''


def test_processes_that_a_script_starts_have_caffe(folder):
    (folder / "sub/children.py").write_text(CHILDREN)
    done = run(ROOT, "-m", "blobnet.pycaffe", str(folder / "sub/children.py"), PYTHONPATH="")
    assert sorted(done.stdout.splitlines()) == ["['blobnet.pycaffe.net']"] * 2 + ["blobnet.pycaffe.net"], done.stderr
    assert "] spawn" in done.stderr and "] forkserver" in done.stderr


def test_caffe_is_not_found_by_accident(tmp_path):
    code = "import blobnet.pycaffe.net, importlib.util; print(importlib.util.find_spec('caffe'))"
    assert run(tmp_path, "-c", code).stdout.strip() == "None"


def test_as_a_file_of_two_lines(folder):
    (folder / "sub/caffe.py").write_text("import blobnet\nblobnet.install_as_caffe()\n")
    done = run(folder, "sub/script.py")
    assert done.stdout.startswith("blobnet.pycaffe True") and done.stderr == ""


def test_the_package_itself_stays_light(tmp_path):
    code = "import sys, blobnet; print([name for name in sys.modules if 'pycaffe' in name or name == 'caffe'])"
    assert run(tmp_path, "-c", code).stdout.strip() == "[]"


def test_mode_without_a_gpu(monkeypatch, caplog):
    monkeypatch.setattr(modes, "gpu_available", lambda: False)
    caffe.set_device(3)
    caffe.set_mode_gpu()
    assert modes.device() == "cpu" and "going on with the CPU" in caplog.text


def test_mode_with_gpus(monkeypatch):
    def device_module(name):
        if name == "gpu:9":
            raise DeviceError("device 'gpu:9'", "no such GPU")

    monkeypatch.setattr(modes, "gpu_available", lambda: True)
    monkeypatch.setattr(modes, "device_module", device_module)
    caffe.set_device(1)
    assert modes.device() == "cpu"
    caffe.set_mode_gpu()
    assert modes.device() == "gpu:1"
    caffe.set_mode_cpu()
    assert modes.device() == "cpu"
    with pytest.raises(DeviceError, match="no such GPU"):
        caffe.set_device(9)


def test_log(capsys, monkeypatch):
    root = logging.getLogger("blobnet")
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.NOTSET)
    caffe.log("unseen")
    caffe.init_log()
    caffe.log("100% seen")
    caffe.init_log(1)
    caffe.log("unseen")
    caffe.init_log(0, True)
    caffe.log("once more")
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("] ")[1] for line in lines] == ["100% seen", "once more"]
    assert lines[0].startswith("I") and "test_caffe_install.py:" in lines[0]


def test_timer(monkeypatch):
    now = [10.0]
    monkeypatch.setattr(modes.time, "perf_counter", lambda: now[0])
    timer = caffe.Timer()
    timer.stop()
    assert timer.ms == 0
    timer.start()
    now[0] = 10.25
    timer.start()  # it runs already
    now[0] = 10.5
    timer.stop()
    now[0] = 11
    timer.stop()
    assert timer.ms == 500
    timer.start()
    now[0] = 11.25
    assert timer.ms == 250  # asking stops it
    now[0] = 12
    assert timer.ms == 250
