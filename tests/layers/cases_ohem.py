"""Rows of the losses of box regression, of mining hard examples, and of classes with weights."""

import numpy as np
from layer_rows import row

RNG = np.random.default_rng(12)
WEIGHTS = RNG.uniform(0.2, 2, (2, 4, 3, 2))

CASES = {
    "SmoothL1Loss": row("SmoothL1Loss", [(4, 3, 2)] * 2, "loss_weight: 0.7"),
    "SmoothL1Loss no weight": row("SmoothL1Loss", [(4, 3), (4, 3, 1, 1)]),
    "SmoothL1Loss weights": row("SmoothL1Loss", [(4, 3, 2)] * 2 + [*WEIGHTS],
                                "loss_weight: 0.7 smooth_l1_loss_param { sigma: 1.5 }"),
    "SmoothL1Loss NONE": row("SmoothL1Loss", [(4, 3)] * 2, "loss_param { normalization: NONE } "
                             "smooth_l1_loss_param { sigma: -0.8 } loss_weight: 0.7"),
}
