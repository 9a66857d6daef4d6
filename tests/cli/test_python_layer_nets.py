"""Nets with Python layers that were written for pycaffe, on the command line."""

import os
import subprocess
import sys
from pathlib import Path

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
    run = subprocess.run([sys.executable, "-m", "blobnet", "train", "-solver", "solver.prototxt"], cwd=tmp_path,
                         capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert run.returncode == 0, run.stderr
    # The gradient of every weight and of the bias is 3, over two rows 6; after a step of 0.5 a row is 3 * (4 * -3).
    assert ", loss = 0\n" in run.stderr and "Iteration 1, loss = -72\n" in run.stderr
