"""Rows of the forks' layers that normalise, and of what stands beside them in their nets."""

import numpy as np
from layer_rows import row

from blobnet.core.context import TEST

NEAR_6 = np.random.default_rng(12).uniform(-6, 10, (3, 4, 2))
LEARNED = {field: f'{field}_filler {{ type: "gaussian" }}' for field in ("slope", "bias", "scale", "shift")}
SLOPE, SCALE = (" ".join(LEARNED[field] for field in pair) for pair in (("slope", "bias"), ("scale", "shift")))
FACTOR = LEARNED["scale"]
KEEPS = {"forward_writes_tops": "the running statistics are kept in the parameters, as in the fork"}
LAST_COUNTS = {"backward_writes_diffs": "the fork's gradients of the parameters overwrite what was there"}
IN_PLACE = {"in_place": "the fork's gradient of the scale reads y for x"}
SUM = LAST_COUNTS | dict.fromkeys(["mutation", "dtypes"], "a sum of normalised numbers has no slope but noise")
FOUR_AXES = dict.fromkeys(["coordinates", "in_place"], "the top has four axes, so the diff of a bottom in place has")
ONLY_Y = "loss_weight: 1 loss_weight: 0 loss_weight: 0"


def psp(shape, options="", more="", **kinds):
    return row("BN", [shape], f"bn_param {{ {SLOPE} {options} }} {more}", **kinds)


def segnet(shape, options="", more="", tops="y", **kinds):
    return row("BN", [shape], f"bn_param {{ {SCALE} {options} }} {more}", tops, **kinds)


def normalize(shape, options="", tops="y", **kinds):
    return row("Normalize", [shape], options, tops, **kinds)


CASES = {
    "PSPNetBN": psp((3, 2, 2, 3), exceptions=KEEPS),
    "PSPNetBN rows": psp((4, 3), "momentum: 0.5 eps: 0.1 engine: CUDNN", exceptions=KEEPS),
    "PSPNetBN TEST": psp((3, 2, 2, 2), "eps: 0.5", phase=TEST),
    "PSPNetBN TEST exact": psp((3, 2, 2, 2), "eps: 0.5 gradient: EXACT", phase=TEST),
    "PSPNetBN frozen": psp((3, 2, 2, 2), "frozen: true", "param { lr_mult: 1 }"),
    "PSPNetBN frozen TEST": psp((3, 2, 4), "frozen: true eps: 0.3", phase=TEST),
    "PSPNetBN by its params": row("BN", [(3, 2, 2)], "param { } " * 4, exceptions=KEEPS | {
        "mutation": "without fillers y is 0"}),
    "SegNetBN": segnet((3, 2, 2, 3), exceptions=LAST_COUNTS),
    "SegNetBN rows in TEST": segnet((4, 3), "bn_mode: LEARN", phase=TEST, exceptions=LAST_COUNTS),
    "SegNetBN mean": segnet((3, 2, 3), tops="y m", more="loss_weight: 1 loss_weight: 0", exceptions=SUM),
    "SegNetBN mean and variance": segnet((3, 2, 2, 3), tops="y m v", more=ONLY_Y, exceptions=SUM),
    "SegNetBN inference": segnet((3, 2, 2, 3), "bn_mode: INFERENCE", exceptions=LAST_COUNTS | IN_PLACE),
    "SSDNormalize": normalize((3, 2, 2, 2), f"norm_param {{ {FACTOR} }}"),
    "SSDNormalize channels": normalize((3, 2, 2, 2), f"norm_param {{ {FACTOR} across_spatial: false "
                                       "channel_shared: false eps: 0.5 }"),
    "SSDNormalize samples": normalize((3, 4, 2), f"norm_param {{ {FACTOR} channel_shared: false }}"),
    "SSDNormalize published": normalize((3, 4), f"norm_param {{ {FACTOR} across_spatial: false }}"),
    "ChannelNormalize": normalize((3, 4, 2, 2), "normalize_param { }"),
    "ChannelNormalize bare": normalize((3, 4, 1, 1)),
    "ChannelNormalize rows": normalize((3, 4), exceptions=FOUR_AXES),
    "ChannelNormalize L1": normalize((3, 4, 2, 1), 'normalize_param { normalize_type: "L1" fix_gradient: true }'),
    "ChannelNormalize lengths": normalize((3, 4, 2, 1), "normalize_param { bp_norm: true }", "y r"),
    "ChannelNormalize L1 lengths": normalize((3, 4, 1, 2), 'normalize_param { normalize_type: "L1" bp_norm: true }',
                                             "y r"),
    "ChannelNormalize lengths aside": normalize((3, 4, 1, 1), "normalize_param { } loss_weight: 1 loss_weight: 0",
                                                "y r"),
    "Axpy": row("Axpy", [(2, 3, 1, 1), (2, 3, 2, 2), (2, 3, 2, 2)]),
    "Axpy vectors": row("Axpy", [(3, 4), (3, 4, 2), (3, 4, 2)]),
    "ReLU6": row("ReLU6", [NEAR_6]),
    "ReLU6 options": row("ReLU6", [NEAR_6], "relu6_param { n: 2.5 negative_slope: 0.3 }"),
}
