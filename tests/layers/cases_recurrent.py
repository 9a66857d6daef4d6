"""Rows of the table of layers: batch statistics, and layers that carry a state."""

import numpy as np
from layer_rows import FILLERS, row

from blobnet.core.context import TEST

KEEPS = {"forward_writes_tops": "the running statistics are kept in the parameters, as in Caffe"}
SQUASHES = {"in_place": "Caffe's gradient in place overwrites dy before it is done with it"}
CONT = np.array([[1, 0], [1, 1], [0, 1], [1, 1]])  # (T, N)
STATE, STATIC = (1, 2, 3), (2, 2, 2)
# No gradient goes through the states handed in and out, so neither is asked for, and the sum of the first top is the
# objective.
EXPOSED = "loss_weight: 1 propagate_down: true propagate_down: false "


def batch_norm(shape, options="", **more):
    return row("BatchNorm", [shape], f"batch_norm_param {{ {options} }}", **more)


def mvn(shape, options="", **more):
    return row("MVN", [shape], f"mvn_param {{ {options} }}", **more)


def recurrent(kind, values, options="", more="", tops="y"):
    options = f"recurrent_param {{ num_output: 3 {FILLERS} {options} }} {more}"
    return row(kind, [(4, 2, 3), CONT, *values], options, tops)


def node(options, values):
    fillers = " ".join(f'{gate}_weight_filler {{ type: "xavier" }} {gate}_bias_filler {{ type: "gaussian" std: 0.3 }}'
                       for gate in ("input", "input_gate", "forget_gate", "output_gate"))
    return row("LSTMNode", values, f"lstmnode_param {{ {options} {fillers} }}", tops="h c")


CASES = {
    "BatchNorm": batch_norm((3, 2, 2, 3), exceptions=KEEPS),
    "BatchNorm rows": batch_norm((4, 3), "eps: 0.1 moving_average_fraction: 0.9", exceptions=KEEPS),
    "BatchNorm one axis": batch_norm((4,), exceptions=KEEPS),
    "BatchNorm batch in TEST": batch_norm((3, 2, 4), "use_global_stats: false", phase=TEST, exceptions=KEEPS),
    "BatchNorm TEST": batch_norm((3, 2, 2, 3), phase=TEST),
    "BatchNorm global": batch_norm((3, 2, 4), "use_global_stats: true"),
    "MVN": mvn((2, 3, 2, 3), exceptions=SQUASHES),
    "MVN mean": mvn((2, 3, 2, 3), "normalize_variance: false"),
    "MVN across": mvn((2, 3, 2, 2), "across_channels: true", exceptions=SQUASHES),
    "MVN across, mean": mvn((2, 3, 4, 1), "across_channels: true normalize_variance: false"),
    "LSTM": recurrent("LSTM", []),
    "LSTM static": recurrent("LSTM", [STATIC]),
    "LSTM exposed": recurrent("LSTM", [STATE, STATE], "expose_hidden: true", EXPOSED + "propagate_down: false "
                              "propagate_down: false loss_weight: 0 loss_weight: 0", "y h c"),
    "LSTM static, exposed": recurrent(
        "LSTM", [STATIC, STATE, STATE], "expose_hidden: true", EXPOSED + "propagate_down: true propagate_down: false "
        "propagate_down: false loss_weight: 0 loss_weight: 0", "y h c"),
    "RNN": recurrent("RNN", []),
    "RNN static": recurrent("RNN", [STATIC]),
    "RNN exposed": recurrent("RNN", [STATE], "expose_hidden: true", EXPOSED + "propagate_down: false loss_weight: 0",
                             "y h"),
    "LSTMNode": node("num_cells: 2", [(3, 4), (3, 2)]),
    "LSTMNode images": node("num_cells: 3", [(2, 2, 1, 3), (2, 3, 1, 1), np.array([[1], [0]])]),
    "LSTMNode no bias": node("num_cells: 2 bias_term: false", [(3, 4), (3, 2), np.array([0, 1, 1])]),
    "LSTMUnit": row("LSTMUnit", [(1, 3, 2), (1, 3, 8), np.array([[1, 0, 1]])], tops="c h"),
}
