"""A layer type of your own, in one file: its parameters, its formulas, and the proof of both its passes.

    python examples/02_plugin_layer.py
    blobnet summary examples/02_plugin_layer.prototxt --plugin examples/02_plugin_layer.py

Any file that registers classes like the one below is a plug-in: give it to a command with --plugin, or load it in
Python with blobnet.load_plugin(path).
"""

from pathlib import Path

import numpy as np

import blobnet
from blobnet.check import check_net, format_table
from blobnet.proto.messages import new
from blobnet.solvers import get_solver
from blobnet.view.summary import summary

NET = Path(__file__).with_suffix(".prototxt")


@blobnet.register
class ScaledTanH(blobnet.Layer):
    """Squash to (-a, a), with a slope of a * s at 0.

    y = a tanh(s x),   dx = dy * s * (a - y^2 / a)

    Bottoms: x (any shape)    Tops: y (as x)    Params: none
    Options: amplitude a (1.7159), steepness s (2/3)
    Paper: LeCun et al., Efficient BackProp, 1998, section 4.4.
    Quirks: none.
    """

    # What a prototxt may write. 2001 is any number that no other field of LayerParameter has.
    schema = """
        message ScaledTanHParameter {
          optional float amplitude = 1 [default = 1.7159];
          optional float steepness = 2 [default = 0.6666667];
        }
        extend LayerParameter { optional ScaledTanHParameter scaled_tanh_param = 2001; }
    """
    options_field = "scaled_tanh_param"  # self.options is this message

    def reshape(self, bottom, top):
        top[0].reshape(bottom[0].shape)

    def formula(self, x):  # never used to compute: the check below compares forward with it
        return self.options.amplitude * np.tanh(self.options.steepness * x)

    def forward(self, bottom, top):
        y = top[0].data
        self.xp.multiply(bottom[0].data, self.options.steepness, out=y)  # xp is numpy, or cupy on a GPU
        self.xp.tanh(y, out=y)
        y *= self.options.amplitude

    def backward(self, top, propagate_down, bottom):
        if propagate_down[0]:
            amplitude = self.options.amplitude
            slope = self.options.steepness * (amplitude - top[0].data ** 2 / amplitude)
            self.xp.multiply(top[0].diff, slope, out=bottom[0].diff)


def main():
    solver = get_solver(new("SolverParameter", net=str(NET), base_lr=0.1, lr_policy="fixed", momentum=0.9,
                            random_seed=1, solver_mode=0))
    print(summary(solver.net), "\n")

    solver.step(1)
    before = solver.loss
    solver.step(200)
    print(f"loss {before:.3f} at first, {solver.loss:.3f} after 200 steps\n")

    print(format_table(check_net(NET)))


if __name__ == "__main__":
    main()
