"""Rows of the layers of DNNH."""

import numpy as np
from layer_rows import row

from blobnet.core.context import TEST

CODES = np.array([[0.1, 0.3, 0.45, 0.5], [0.55, 0.7, 0.9, 0.02], [-1, 2, 0.71, 0.29]])


def triplets(options, transform="", **more):
    return row("TripletData", [], f'data_param {{ source: "FOLDER/lmdb" backend: LMDB {options} }} '
               f"transform_param {{ {transform} }}", tops="x l", **more)


CASES = {
    "PiecewiseThreshold": row("PiecewiseThreshold", [CODES]),
    "PiecewiseThreshold narrow": row("PiecewiseThreshold", [CODES], "piecewise_threshold_param { epsilon: 0.1 }"),
    "TripletData": triplets("batch_size: 6", "crop_size: 3 mirror: true"),
    "TripletData TEST": triplets("batch_size: 4", "crop_size: 3", phase=TEST),
}
