"""Rows of the layers for segmentation, and of those for video."""

import numpy as np
from layer_rows import FILLERS, row

RNG = np.random.default_rng(11)
PLACES = np.array([[RNG.permutation(18)[:6].reshape(2, 3) for _ in range(2)] for _ in range(2)])  # of 18 in a plane
SCORES = RNG.integers(0, 4, (2, 4, 3, 3)) - 1.5  # some are equal
LABELS = RNG.integers(0, 3, (2, 1, 3, 3))  # none of class 3
NEAREST = {"arity": "an Upsample of one bottom is UpsampleNearest"}
LAST_COUNTS = {"backward_writes_diffs": "the fork overwrites the diffs of the parameters"}
EARLIER = {"reshape": "reset: false keeps the pixels of the batches before"}


def convolution3d(shape, options):
    return row("Convolution3D", [shape], f"convolution3d_param {{ {options} {FILLERS} }}", exceptions=LAST_COUNTS)


def pooling3d(shape, options):
    return row("Pooling3D", [shape], f"pooling3d_param {{ {options} }}")


def shares(x, labels):
    """What the layer gives where every class occurs or is taken."""
    taken, labels = 3 - x[:, ::-1].argmax(1), labels[:, 0]
    right = taken == labels
    overlap = [(right & (labels == i)).sum() / ((taken == i) | (labels == i)).sum() for i in range(4)]
    return np.reshape([right.mean(), np.mean([right[labels == i].mean() for i in range(3)]), np.mean(overlap)],
                      (1, 1, 1, 3))


CASES = {
    "Upsample": row("Upsample", [(2, 2, 2, 3), PLACES], exceptions=NEAREST),
    "Upsample size": row("Upsample", [(2, 2, 2, 3), PLACES], "upsample_param { upsample_h: 5 upsample_w: 7 scale: 9 }"),
    "Upsample scales": row("Upsample", [(2, 2, 2, 3), PLACES], "upsample_param { scale_h: 3 scale_w: 4 }",
                           exceptions=NEAREST),
    "UpsampleNearest": row("UpsampleNearest", [(2, 2, 2, 3)]),
    "UpsampleNearest scales": row("UpsampleNearest", [(2, 1, 3, 2)], "upsample_param { scale_h: 3 scale_w: 1 }"),
    "Upsample odd": row("Upsample", [(2, 2, 2, 3), PLACES], "upsample_param { pad_out_h: true }"),
    "Interp": row("Interp", [(2, 2, 3, 4)], "interp_param { height: 5 width: 6 }"),
    "Interp one row": row("Interp", [(2, 2, 3, 4)], "interp_param { height: 1 width: 2 zoom_factor: 2 "
                          "shrink_factor: 2 }"),
    "Interp zoom": row("Interp", [(2, 2, 3, 4)], "interp_param { zoom_factor: 2 height: 9 width: 9 }"),
    "Interp shrink": row("Interp", [(2, 2, 6, 5)], "interp_param { shrink_factor: 2 pad_beg: -1 }"),
    "Interp both": row("Interp", [(2, 2, 6, 4)], "interp_param { shrink_factor: 2 zoom_factor: 3 pad_end: -1 }"),
    "Interp like": row("Interp", [(2, 2, 3, 4), (1, 1, 5, 2)]),
    "Interp use_blob_size": row("Interp", [(2, 2, 3, 4), (1, 1, 5, 2)],
                                "interp_param { use_blob_size: true shrink_factor: 2 }"),
    "SegAccuracy": row("SegAccuracy", [SCORES, LABELS]),
    "SegAccuracy ignoring": row("SegAccuracy", [SCORES, LABELS * 200], "seg_accuracy_param { ignore_label: 200 "
                                "ignore_label: 400 metric: PixelIOU }"),
    "SegAccuracy adding up": row("SegAccuracy", [SCORES, LABELS], "seg_accuracy_param { reset: false }",
                                 expected=shares, exceptions=EARLIER),
    "Convolution3D": convolution3d((2, 2, 3, 4, 4), "num_output: 3 kernel_size: 3 kernel_depth: 2 pad: 1"),
    "Convolution3D strides": convolution3d((2, 1, 4, 3, 5), "num_output: 2 kernel_size: 2 kernel_depth: 3 stride: 2 "
                                           "temporal_stride: 2 temporal_pad: 1 filter_group: 2 group: 3"),
    "Convolution3D frames": row("Convolution3D", [(2, 2, 3, 3, 2)], "convolution3d_param { num_output: 2 "
                                f"kernel_size: 1 kernel_depth: 2 bias_term: false {FILLERS} }}",
                                exceptions=LAST_COUNTS),
    "Pooling3D": pooling3d((2, 2, 3, 4, 5), "kernel_size: 2 kernel_depth: 2 stride: 2"),
    "Pooling3D clipped": pooling3d((1, 2, 4, 4, 5), "kernel_size: 2 kernel_depth: 3 stride: 3 temporal_stride: 2"),
    "Pooling3D average": pooling3d((2, 2, 3, 4, 5), "pool: AVE kernel_size: 3 kernel_depth: 2 stride: 2 pad: 1 "
                                   "temporal_stride: 2"),
    "Pooling3D average beyond": pooling3d((1, 2, 3, 5, 3), "pool: AVE kernel_size: 1 kernel_depth: 1 stride: 4 "
                                          "temporal_stride: 4"),
}
