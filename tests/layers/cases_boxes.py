"""Rows of layers that work with boxes."""

import numpy as np
from layer_rows import row

BOXES = np.array([[0, 0.3, 1.2, 4.4, 5.1], [1, 2.1, 0.2, 2.2, 0.3], [0, -3.3, -1.4, 3.6, 2.7], [1, 3.1, 3.2, 9.3, 8.8],
                  [0, 4.2, 4.1, 1.3, 0.2]])


def roi(values, options):
    return row("ROIPooling", values, f"roi_pooling_param {{ {options} }}")


def psroi(values, options):
    return row("PSROIPooling", values, f"psroi_pooling_param {{ {options} }}")


def prior(options):
    return row("PriorBox", [(2, 3, 2, 3), (2, 3, 20, 24)], f"prior_box_param {{ {options} }}")


RNG = np.random.default_rng(6)
SCORES, SHIFTS = RNG.permutation(2 * 6 * 3 * 4).reshape(1, 12, 3, 4) / 144, RNG.normal(size=(1, 24, 3, 4)) / 3
INFO = np.array([[48, 64, 1.5, 0.75]])


def proposal(values, options, tops="boxes scores"):
    return row("Proposal", values, f"proposal_param {{ {options} }}", tops,
               exceptions={"reshape": "one image only"})


CASES = {
    "ROIPooling": roi([(2, 3, 5, 6), BOXES], "pooled_h: 3 pooled_w: 2"),
    "ROIPooling scale": roi([(2, 2, 5, 6), BOXES.reshape(5, 5, 1, 1)], "pooled_h: 2 pooled_w: 4 spatial_scale: 0.6"),
    "PSROIPooling": psroi([(2, 8, 5, 6), BOXES], "spatial_scale: 1 output_dim: 2 group_size: 2"),
    "PSROIPooling scale": psroi([(2, 9, 5, 6), BOXES.reshape(5, 5, 1, 1)], "spatial_scale: 0.7 output_dim: 1 "
                                "group_size: 3"),
    "PriorBox": prior("min_size: 8.7 max_size: 12 min_size: 4 max_size: 5.5 aspect_ratio: 2 aspect_ratio: 1 "
                      "aspect_ratio: 0.5"),
    "PriorBox clip": prior("min_size: 8 aspect_ratio: 2 flip: false clip: true step: 7 offset: 0.3 img_size: 30 "
                           "variance: 0.1 variance: 0.2 variance: 0.3 variance: 0.4"),
    "PriorBox sides": prior("min_size: 8 step_h: 7 step_w: 6 img_h: 30 img_w: 20 variance: 0.2"),
    "Proposal": proposal([SCORES, SHIFTS, INFO], "feat_stride: 8 base_size: 8 min_size: 6 ratio: 0.5 ratio: 1 ratio: 2 "
                         "scale: 1 scale: 2 pre_nms_topn: 60 post_nms_topn: 12 nms_thresh: 0.6"),
    "Proposal all": proposal([SCORES, SHIFTS, INFO[:, :3]], "ratio: 0.667 scale: 1 scale: 2 scale: 3 ratio: 1.5 "
                             "min_size: 20 nms_thresh: 0.3", tops="boxes"),
}
