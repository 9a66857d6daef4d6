"""A solver type of your own, in one file: its settings, its formulas, and a race against the others.

    python examples/03_plugin_solver.py
    blobnet train --solver examples/03_plugin_solver.prototxt --plugin examples/03_plugin_solver.py

A solver turns gradients into updates. Everything else (rates, weight decay, clipping, snapshots of its memory, exact
resuming, tests) is the base class's. Give the file to a command with --plugin, or load it in Python with
blobnet.load_plugin(path).
"""

import tempfile
from pathlib import Path

import numpy as np

import blobnet
from blobnet.errors import SolverError
from blobnet.solvers.settings import read_solver

SOLVER = Path(__file__).with_suffix(".prototxt")
RIVALS = {"SGD": (0.1, 0.9), "Nesterov": (0.1, 0.9), "AdaGrad": (0.1, 0), "Adam": (0.01, 0.9)}  # base_lr, momentum


@blobnet.register_solver
class Lion(blobnet.Solver):
    """Steps of one length in every element; only the signs come from gradients, past and present.

    values <- values - rate * sign(beta1 * m + (1 - beta1) * g)        m <- beta2 * m + (1 - beta2) * g

    History: m. Settings: beta1 (0.9), beta2 (0.99), both in [0, 1].
    Paper: Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023, algorithm 2.
    """

    # What a solver file may write. 2001 is any number that no other field of SolverParameter has.
    schema = """
        message LionParameter {
          optional float beta1 = 1 [default = 0.9];
          optional float beta2 = 2 [default = 0.99];
        }
        extend SolverParameter { optional LionParameter lion_param = 2001; }
    """
    num_histories = 1  # arrays to remember for every parameter

    def check(self):
        for name in ("beta1", "beta2"):
            value = getattr(self.param.lion_param, name)
            if not 0 <= value <= 1:
                raise SolverError(self.where, expected=f"{name} in [0, 1] for Lion", got=value)

    def update(self, rate, values, gradient, scratch, mean):
        """Turn `gradient` into what is subtracted from the values; all arrays are flat, and `values` stays as it is."""
        xp, beta1, beta2 = self.net.xp, self.param.lion_param.beta1, self.param.lion_param.beta2
        xp.subtract(mean, gradient, out=scratch)
        scratch *= beta1
        scratch += gradient                # g + beta1 (m - g)
        mean -= gradient
        mean *= beta2
        mean += gradient                   # g + beta2 (m - g)
        xp.sign(scratch, out=gradient)
        gradient *= rate


def train(kind, base_lr, momentum):
    """The loss at first and after max_iter iterations of the solver type `kind` on the net of SOLVER."""
    param = read_solver(SOLVER)
    param.type, param.base_lr, param.momentum = kind, base_lr, momentum
    solver = blobnet.get_solver(param)
    solver.step(1)
    before = solver.loss
    solver.solve()
    solver.net.forward()
    return before, solver.net.loss


def resumes_exactly():
    """Whether a run that stops and continues from its snapshot ends with the same weights as one that does not stop."""
    whole, first, second = (blobnet.get_solver(SOLVER) for _ in range(3))
    whole.step(40)
    with tempfile.TemporaryDirectory() as folder:
        first.param.snapshot_prefix = str(Path(folder) / "lion")
        first.step(15)
        second.restore(first.snapshot()[1])
    second.step(25)
    return all(np.array_equal(mine.blob.data, other.blob.data)
               for mine, other in zip(second.net.parameters, whole.net.parameters))


def main():
    for kind, (base_lr, momentum) in {"Lion": (0.01, 0), **RIVALS}.items():
        before, after = train(kind, base_lr, momentum)
        print(f"{kind:8}  loss {before:.3f} at first, {after:.4f} after training")
    print("a resumed run is the uninterrupted one:", "yes" if resumes_exactly() else "no")


if __name__ == "__main__":
    main()
