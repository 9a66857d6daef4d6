"""The nets and solvers of estimators: read from files or texts, or made for the data."""

from __future__ import annotations

import os
from collections.abc import Sequence

from google.protobuf.message import Message

from blobnet.core.registry import declarations
from blobnet.errors import EstimatorError, SolverError
from blobnet.netdef import train_net
from blobnet.netdef.solver_nets import find_net, named_nets
from blobnet.proto.files import read_message
from blobnet.proto.messages import new
from blobnet.proto.text import parse
from blobnet.solvers import read_solver

Source = str | os.PathLike
SCORES = "scores"  # of the classes, in nets that are made here


def read(source: Source, kind: str) -> Message:
    """The message of this kind in a file, or in a text of prototxt. Errors as those of files."""
    if isinstance(source, str) and not os.path.isfile(source) and (":" in source or "{" in source):
        return parse(source, kind)
    return read_message(source, kind)


def definitions(net: Source | None, solver: Source | None, made: Message | None, where: str) -> tuple[Message, Message]:
    """The NetParameter and the SolverParameter of an estimator: those given, else the net that the solver names.

    If there is neither, the net is `made`; without a solver, it is Adam. EstimatorError if `made` is None then.
    """
    settings = default_solver() if solver is None else read_solver(read(solver, "SolverParameter"))
    if net is not None:
        return read(net, "NetParameter"), settings
    try:
        if solver is not None and os.path.isfile(solver):
            for name in named_nets(settings):
                return read_message(find_net(name, solver), "NetParameter"), settings
        return train_net(settings, where)[0], settings
    except SolverError as error:
        if made is None:
            raise EstimatorError(where, expected="a net", got="none", hint="give net=FILE.prototxt, or its text") \
                from error
        return made, settings


def default_solver() -> Message:
    """Adam, 500 iterations."""
    return new("SolverParameter", type="Adam", base_lr=0.005, lr_policy="fixed", momentum=0.9, momentum2=0.999,
               weight_decay=0.0001, max_iter=500)


def perceptron(hidden: Sequence[int], classes: int) -> Message:
    """A net of InnerProduct layers with ReLU between them, for vectors of any size and so many classes."""
    net = new("NetParameter", name="perceptron")
    net.layer.add(name="data", type="Input", top=["data", "label"])
    bottom = "data"
    for number, count in enumerate((*hidden, classes), 1):
        top = f"hidden{number}" if number <= len(hidden) else SCORES
        net.layer.add(name=top, type="InnerProduct", bottom=[bottom], top=[top], inner_product_param={
            "num_output": count, "weight_filler": {"type": "msra"}})
        if top != SCORES:
            net.layer.add(name=f"relu{number}", type="ReLU", bottom=[top], top=[top])
        bottom = top
    net.layer.add(name="loss", type="SoftmaxWithLoss", bottom=[SCORES, "label"], top=["loss"])
    return net


def data_tops(definition: Message, where: str) -> list[str]:
    """The names of what X, and y if there are two, are in a net that is upgraded and filtered; else EstimatorError."""
    found = [top for layer in definition.layer if not layer.bottom and (
        declarations(layer).is_input or declarations(layer).needs_data(layer)) for top in layer.top]
    if len(found) not in (1, 2):
        raise EstimatorError(where, expected="a net that reads X, or X and y", got=", ".join(found) or "one that reads "
                             "nothing", hint="an estimator has nothing else to give")
    return found


def scores_blob(definition: Message, label: str, where: str) -> str:
    """The first bottom of the last loss that reads the blob `label`; EstimatorError if there is none."""
    found = [layer.bottom[0] for layer in definition.layer
             if label in layer.bottom and declarations(layer).default_loss_weight]
    if not found:
        raise EstimatorError(where, expected=f"a loss that reads {label!r}", got="none",
                             hint="give the blob of the scores, blob=…")
    return found[-1]
