"""Rows for the element-wise layers: every mode and every option that changes the computation."""

import numpy as np
from layer_rows import row

from blobnet.core.context import TEST

BY_OUTPUT = {"in_place": "Caffe's gradient in place takes the top for the bottom"}
SQUARED = {"in_place": "Caffe's gradient in place is the square of the slope at the top"}
POSITIVE = np.random.default_rng(2).uniform(0.5, 2, (2, 3, 4))


def power(values, options, **more):
    return row("Power", values, f"power_param {{ {options} }}", **more)


CASES = {
    "ReLU": row("ReLU", [(2, 3, 4)]),
    "ReLU slope": row("ReLU", [(2, 3, 4)], "relu_param { negative_slope: 0.1 }"),
    "Sigmoid": row("Sigmoid", [(2, 3, 4)]),
    "TanH": row("TanH", [(2, 3, 4)]),
    "Power": power([(2, 3)], "power: 3 scale: 0.5 shift: 4", exceptions=SQUARED),
    "Power root": power([POSITIVE], "power: 0.5 shift: 1", exceptions=SQUARED),
    "Power square": power([(2, 3)], "power: 2 scale: -1.5 shift: 1", exceptions=SQUARED),
    "Power linear": power([(2, 3)], "scale: -2 shift: 1", exceptions=SQUARED),
    "Power constant": power([(2, 3)], "scale: 0 shift: 3 power: 2"),
    "Dropout": row("Dropout", [(4, 5)], "dropout_param { dropout_ratio: 0.3 }"),
    "Dropout TEST": row("Dropout", [(4, 5)], phase=TEST),
    "Dropout unscaled": row("Dropout", [(4, 5)], "dropout_param { dropout_ratio: 0.3 scale_train: false }"),
    "Dropout unscaled TEST": row("Dropout", [(4, 5)], "dropout_param { scale_train: false }", phase=TEST),
    "Dropout sampled": row("Dropout", [(4, 5)], "dropout_param { sample_weights_test: true }", phase=TEST),
    "AbsVal": row("AbsVal", [(2, 3, 4)]),
    "BNLL": row("BNLL", [(2, 3, 4)], exceptions=BY_OUTPUT),
    "Clip": row("Clip", [(2, 3, 4)], "clip_param { min: -0.5 max: 0.8 }", exceptions=BY_OUTPUT),
    "ELU": row("ELU", [(2, 3, 4)]),
    "ELU alpha": row("ELU", [(2, 3, 4)], "elu_param { alpha: 0.3 }"),
    "Exp": row("Exp", [(2, 3, 4)]),
    "Exp natural": row("Exp", [(2, 3, 4)], "exp_param { scale: -0.75 shift: 0.5 }"),
    "Exp base": row("Exp", [(2, 3, 4)], "exp_param { base: 3 scale: 0.5 shift: -1 }"),
    "Log": row("Log", [POSITIVE], exceptions=SQUARED),
    "Log base": row("Log", [POSITIVE], "log_param { base: 0.5 scale: 2 shift: 1 }", exceptions=SQUARED),
    "PReLU": row("PReLU", [(2, 3, 2, 2)]),
    "PReLU rows": row("PReLU", [(4, 3)], 'prelu_param { filler { type: "gaussian" } }'),
    "PReLU shared": row("PReLU", [(2, 3, 4)], "prelu_param { channel_shared: true }"),
    "Swish": row("Swish", [(2, 3, 4)]),
    "Swish beta": row("Swish", [(2, 3, 4)], "swish_param { beta: -1.7 }"),
    "Threshold": row("Threshold", [(2, 3, 4)], "threshold_param { threshold: 0.25 }", expected=lambda x: x > 0.25,
                     exceptions={"in_place": "without a backward the blob keeps the diff of the top"}),
}
