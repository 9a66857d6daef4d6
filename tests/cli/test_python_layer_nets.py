"""Nets with Python layers that were written for pycaffe, on the command line."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from blobnet.cli import main

ROOT = Path(__file__).resolve().parents[2]
MODULE = """
import caffe


class Scaled(caffe.Layer):
    def setup(self, bottom, top):
        self.factor = float(self.param_str)

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        top[0].data[...] = self.factor * bottom[0].data

    def backward(self, top, propagate_down, bottom):
        bottom[0].diff[...] = self.factor * top[0].diff
"""
NET = """
layer { name: "data" type: "DummyData" top: "data"
        dummy_data_param { shape { dim: 2 dim: 3 } data_filler { value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 1 } }
layer { name: "scaled" type: "Python" bottom: "ip" top: "scaled"
        python_param { module: "scaled_layer" layer: "Scaled" param_str: "3" } }
layer { name: "loss" type: "Reduction" bottom: "scaled" top: "loss" loss_weight: 1 }
"""
SOLVER = 'net: "net.prototxt" base_lr: 0.5 lr_policy: "fixed" max_iter: 1 display: 1 snapshot_prefix: "run"'


def test_a_layer_that_imports_caffe_trains(tmp_path):
    for name, text in (("scaled_layer.py", MODULE), ("net.prototxt", NET), ("solver.prototxt", SOLVER)):
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "blobnet", "train", "-python_layers", "-solver", "solver.prototxt"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True,
                         env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert run.returncode == 0, run.stderr
    # The gradient of every weight and of the bias is 3, over two rows 6; after a step of 0.5 a row is 3 * (4 * -3).
    assert ", loss = 0\n" in run.stderr and "Iteration 1, loss = -72\n" in run.stderr


@pytest.fixture
def noted(tmp_path, monkeypatch):
    """A net whose Python layer notes in a file that its module ran; whether it did."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "noting_layer.py").write_text(f"open('ran', 'w').close(){MODULE}")
    for name, text in (("net.prototxt", NET.replace("scaled_layer", "noting_layer")), ("solver.prototxt", SOLVER)):
        (tmp_path / name).write_text(text)
    yield (tmp_path / "ran").exists
    sys.modules.pop("noting_layer", None)


REFUSED = [  # with the exit status without the flag, and with it
    ("summary net.prototxt", 1, 0), ("check net.prototxt", 1, 0), ("train -solver solver.prototxt", 1, 0),
    ("time -model net.prototxt -iterations 1", 1, 0), ("draw_net net.prototxt net.svg", 0, 0),
    ("test -model net.prototxt -weights run_iter_1.caffemodel -iterations 1", 1, 1),  # there are no such weights
    ("extract_features run_iter_1.caffemodel net.prototxt scaled out.npz 1 npz", 1, 1),
]
PRINTING = ["summarize net.prototxt", "convert net.prototxt net.yaml",
            "upgrade_net_proto_text net.prototxt new.prototxt"]


@pytest.mark.parametrize("line, without, with_flag", REFUSED, ids=[row[0] for row in REFUSED])
def test_commands_run_modules_only_when_told(noted, capsys, line, without, with_flag):
    assert main(line.split()) == without
    output = capsys.readouterr()
    assert not noted()
    assert re.search(r"net.prototxt:5:30: layer 'scaled' \(Python\): asks for class 'Scaled' of the Python module "
                     "'noting_layer', whose code would run; if you trust it, give --python-layers",
                     output.out + output.err)
    assert main([*line.split(), "--python-layers"]) == with_flag
    assert noted()


@pytest.mark.parametrize("line", PRINTING)
def test_commands_that_only_read_the_file_never_do(noted, line):
    assert main(line.split()) == 0 and not noted()
