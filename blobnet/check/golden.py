"""Comparison with figures measured on Caffe 1.0.

A case is a mapping of arrays, such as an .npz file. Parameters are numbered in the order of the net.
A case of layers holds prototxt, phase ("TRAIN" or "TEST"), steps (how many forwards to run), in/<blob> and param/<i>;
the results were out/<blob> and param_after/<i>, and with topdiff/<blob> given, bottomdiff/<blob> and paramdiff/<i>.
A case of a solver holds net, solver, in/<blob>[step] and param0/<i>; the results were loss[step], and param/<i> after
the last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from blobnet.backend import to_host
from blobnet.core.blob import Blob
from blobnet.core.context import TEST, TRAIN
from blobnet.core.net import Net
from blobnet.errors import ShapeError
from blobnet.proto.text import parse
from blobnet.solvers import get_solver

TOLERANCE = 2e-5  # float32 sums in another order
SMALL = 1e-2      # errors are relative to no less: smaller numbers may be what rounding left of a sum that is 0


def compare(case: Mapping[str, np.ndarray], device: str = "cpu") -> dict[str, float]:
    """The largest error of every measured array, relative to that array's largest number, at least SMALL.

    An array that is not finite has the error inf. ShapeError if a shape or the number of parameters differs.
    """
    return _compare_solver(case, device) if "solver" in case else _compare_net(case, device)


def _compare_net(case: Mapping[str, np.ndarray], device: str) -> dict[str, float]:
    phase = {"TRAIN": TRAIN, "TEST": TEST}[str(case["phase"])]
    net = Net(parse(str(case["prototxt"]), "NetParameter"), phase, random_seed=0, device=device)
    params = _fill_parameters(net, case, "param/")
    for _ in range(int(case["steps"])):
        net.forward(**_under("in/", case))
    errors = {f"out/{name}": _error(name, net.blobs[name].data, want) for name, want in _under("out/", case).items()}
    errors |= _parameter_errors("param_after/", case, [blob.data for blob in params])
    if _under("bottomdiff/", case) or _under("paramdiff/", case):
        for name, diff in _under("topdiff/", case).items():
            net.blobs[name].diff[...] = net.xp.asarray(diff)
        net.backward()
        errors |= {f"bottomdiff/{name}": _error(name, net.blobs[name].diff, want)
                   for name, want in _under("bottomdiff/", case).items()}
        errors |= _parameter_errors("paramdiff/", case, [blob.diff for blob in params])
    return errors


def _compare_solver(case: Mapping[str, np.ndarray], device: str) -> dict[str, float]:
    settings = parse(str(case["solver"]), "SolverParameter")
    settings.net_param.CopyFrom(parse(str(case["net"]), "NetParameter"))
    settings.snapshot_after_train = False
    solver = get_solver(settings, device=device)
    params, losses = _fill_parameters(solver.net, case, "param0/"), []
    for step in range(len(case["loss"])):
        for name, values in _under("in/", case).items():
            solver.net.blobs[name].data[...] = solver.net.xp.asarray(values[step])
        solver.step(1)
        losses.append(float(solver.net.blobs["loss"].data))
    return {"loss": _error("loss", np.array(losses), case["loss"])} | _parameter_errors(
        "param/", case, [blob.data for blob in params])


def _under(prefix: str, case: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {key.removeprefix(prefix): case[key] for key in case if key.startswith(prefix)}


def _fill_parameters(net: Net, case: Mapping[str, np.ndarray], prefix: str) -> list[Blob]:
    params, values = [blob for layer in net.layers for blob in layer.blobs], _under(prefix, case)
    if len(params) != len(values):
        raise ShapeError(f"net {net.name!r}", expected=f"{len(values)} parameters", got=len(params))
    for i, blob in enumerate(params):
        blob.data[...] = net.xp.asarray(values[str(i)])
        blob.diff.fill(0)
    return params


def _parameter_errors(prefix: str, case: Mapping[str, np.ndarray], arrays: list) -> dict[str, float]:
    return {f"{prefix}{i}": _error(f"{prefix}{i}", arrays[int(i)], want) for i, want in _under(prefix, case).items()}


def _error(name: str, got, want: np.ndarray) -> float:
    got = to_host(got)
    if got.shape != want.shape:
        raise ShapeError(name, expected=want.shape, got=got.shape)
    difference = np.abs(got.astype(np.float64) - want)
    if not np.isfinite(difference).all():
        return np.inf
    return float(difference.max(initial=0) / max(np.abs(want).max(initial=0), SMALL))
