"""Binary deep neural networks: weights by L-BFGS and binary codes in turn.

Paper: Do, Doan and Cheung, Learning to Hash with Binary Deep Neural Network, ECCV 2016.

The net reads a whole training set from Input layers and is known by these names (see prototxt/bdnn):

    inputs   data (N, D) x; binary (N, K) the codes b, -1 and +1; and, with supervision, label (N,)
    blob     code (N, K) h, what the net makes of the data; its signs are the bits of an image
    layers   equality, the EuclideanLoss of code and binary, of weight lambda_2; without supervision decoder, an
             InnerProduct of binary, and reconstruction, the EuclideanLoss of its top and data
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from blobnet.backend import single_threaded_blas, to_host
from blobnet.core.net import Net
from blobnet.errors import SolverError
from blobnet.hashing.alternation import Alternation
from blobnet.hashing.discrete_codes import cyclic_descent, signs
from blobnet.hashing.vector_net import fill_inputs, objective, start_from_axes
from blobnet.solvers.solver import Solver

ROUNDING = 100  # how far the objective may seem to rise, in units of the precision of the net


def alternate(solver: Solver, data: np.ndarray, binary: np.ndarray, labels: np.ndarray | None = None, rounds: int = 10,
              steps: int = 2, note: Callable[[str], object] = lambda text: None, centre: bool = True,
              score: Callable[[], float] | None = None, keep: bool = False) -> list[float]:
    """Train the solver's net on data (N, D), from the codes `binary` (N, K), such as ITQ's; return the objective.

    The layers up to the code start from the principal axes of what they read (about their mean, or with `centre` False
    about 0), the decoder from the identity. Then the weights (`steps` iterations of the solver, of type LBFGS) and the
    codes are improved in turn: after the weights of the first codes, `rounds` times codes and weights. The objective is
    returned as it was at the start and after each half step, 2 + 2 rounds numbers; it never rises, and SolverError is
    raised if it does.

    score: measures the net as it is, higher is better; it may fill the input "data". The first round that is no better
    than the best so far is the last, and the weights of the best are taken.
    keep: keep the state beside the solver's snapshots after each of its iterations. A call with the same arguments goes
    on from there, and ends with the same bits.
    """
    net = solver.net
    fill_inputs(net, data=data, binary=binary, **({} if labels is None else {"label": labels}))
    start_from_axes(net, "code", centre)
    if "decoder" in net.layer_dict:
        weight, bias = net.params["decoder"]
        weight.data[...] = net.xp.eye(*weight.shape)
        bias.data.fill(0)
    state = Alternation(solver, binary, steps, keep)
    if state.resume():
        fill_inputs(net, binary=state.binary)
        note(f"goes on from iteration {solver.iter}")
    else:
        state.history.append(objective(solver))
    while True:
        state.improve_weights()
        _record(solver, state.history, "weights")
        if state.half:
            text = f"round {state.half} of {rounds}, objective {state.history[-1]:.6g}"
            if score is not None:
                better = state.judge(score())
                fill_inputs(net, data=data)
                text += f", score {state.scores[-1]:.4f}"
            note(text)
            if state.half == rounds or score is not None and not better:
                break
        objective(solver)
        state.binary = improve_codes(net)
        fill_inputs(net, binary=state.binary)
        _record(solver, state.history, "codes")
        state.half += 1
    state.take_best()
    return state.history


def _record(solver: Solver, history: list[float], half: str) -> None:
    """Append the objective after a half step; SolverError if it rose."""
    history.append(objective(solver))
    if history[-1] > history[-2] + ROUNDING * np.finfo(solver.net.dtype).eps * abs(history[-2]):
        raise SolverError(solver.where, f"the objective rose with the {half}", expected=f"at most {history[-2]:g}",
                          got=f"{history[-1]:g}", hint="is a gradient of the net not the derivative of its loss?")


def improve_codes(net: Net) -> np.ndarray:
    """The binary codes (N, K) of a smaller objective, or the same, for the weights as they are; after a forward.

    With a decoder x = W b + c: cyclic coordinate descent on r ||x - W b - c||^2 + e ||h - b||^2, for the loss weights
    r and e. Without one, b = sgn(h), the minimum of the equality term, the only one that has b.
    """
    code, binary = (to_host(net.blobs[name].data) for name in ("code", "binary"))
    if "decoder" not in net.layer_dict:
        return signs(code)
    weight, bias = (to_host(blob.data) for blob in net.params["decoder"])
    data = to_host(net.blobs["data"].data)
    scale = net.layer_dict["equality"].loss_weights[0] / net.layer_dict["reconstruction"].loss_weights[0]
    with single_threaded_blas():
        return cyclic_descent(binary, (data - bias) @ weight + scale * code, weight.T @ weight)
