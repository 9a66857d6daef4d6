"""Rows of the table of layers: shapes, reductions and losses."""

import numpy as np
from layer_rows import row

LABELS = np.array([0, 2, 1, 2])
LABEL_MAP = np.arange(12).reshape(2, 1, 2, 3) % 4
MATRIX = np.random.default_rng(2).uniform(0, 1, (1, 1, 4, 4))
ALIKE = np.array([1, 0, 0, 2, 0])
APART = np.random.default_rng(6).normal(0, 2, (2, 5, 4))  # distances of 2 and more
PROBABILITIES = np.random.default_rng(3).dirichlet(np.ones(3), 4)
TARGETS = np.random.default_rng(4).uniform(0, 1, (4, 3))
MARKS = np.array([1, 0, 0.5, -1])


def reshape(values, options, **more):
    return row("Reshape", values, f"reshape_param {{ {options} }}", **more)


def reduction(values, options, **more):
    return row("Reduction", values, f"reduction_param {{ {options} }}", **more)


def top_3(x):
    rows = -x.reshape(len(x), -1)
    return np.stack([rows.argsort(axis=1)[:, :3], -np.sort(rows, axis=1)[:, :3]], axis=1)


CASES = {
    "Split": row("Split", [(2, 3)], tops="a b c"),
    "Flatten": row("Flatten", [(2, 3, 2, 2)]),
    "Flatten middle": row("Flatten", [(2, 3, 2, 2)], "flatten_param { axis: -3 end_axis: 2 }"),
    "Concat": row("Concat", [(2, 3, 2), (2, 1, 2)]),
    "Concat rows": row("Concat", [(2, 3)] * 3, "concat_param { axis: 0 }"),
    "Slice": row("Slice", [(2, 5, 2)], "slice_param { slice_point: 1 slice_point: 2 }", tops="a b c"),
    "Slice equal": row("Slice", [(2, 3, 4)], "slice_param { axis: -1 }", tops="a b"),
    "Silence": row("Silence", [(2, 3), (4,)], tops=""),
    "Softmax": row("Softmax", [(3, 4)]),
    "Softmax axis": row("Softmax", [(2, 3, 4)], "softmax_param { axis: -2 }"),
    "Eltwise": row("Eltwise", [(2, 3)] * 3, "eltwise_param { coeff: 1 coeff: -2 coeff: 0.5 }"),
    "Eltwise product": row("Eltwise", [(2, 3)] * 3, "eltwise_param { operation: PROD }"),
    "Eltwise quotient": row("Eltwise", [(2, 3)] * 2, "eltwise_param { operation: PROD stable_prod_grad: false }",
                            expected=np.multiply),
    "Eltwise maximum": row("Eltwise", [(2, 3)] * 3, "eltwise_param { operation: MAX }"),
    "SoftmaxWithLoss": row("SoftmaxWithLoss", [(4, 3), LABELS], "loss_weight: 0.7"),
    "SoftmaxWithLoss map": row("SoftmaxWithLoss", [(2, 4, 2, 3), LABEL_MAP], "loss_weight: 2 loss_weight: 0 "
                               "loss_param { ignore_label: 3 normalization: FULL }", tops="loss p"),
    "EuclideanLoss": row("EuclideanLoss", [(3, 4)] * 2, "loss_weight: 0.7"),
    "Accuracy": row("Accuracy", [(4, 3), LABELS], "accuracy_param { top_k: 2 }", tops="y each"),
    "Accuracy of distances": row("Accuracy", [(4, 3), LABELS], "accuracy_param { min_is_better: true }"),
    # shape
    "BatchReindex": row("BatchReindex", [(4, 3, 2), np.array([3, 0, 0, 1, 3, 3])]),
    "BatchReindex fewer": row("BatchReindex", [(4, 3), np.array([2, 1])]),
    "Crop": row("Crop", [(2, 3, 5, 6), (1, 1, 3, 2)], "crop_param { offset: 1 offset: 2 }"),
    "Crop one offset": row("Crop", [(2, 3, 5, 6), (2, 1, 3, 5)], "crop_param { axis: -3 offset: 1 }"),
    "Crop without offset": row("Crop", [(2, 3, 5, 6), (2, 3, 4, 6)], "crop_param { axis: 1 }"),
    "Filter": row("Filter", [(4, 3, 2), MARKS]),
    "Filter two": row("Filter", [(4, 3), (4, 2, 2), MARKS.reshape(4, 1, 1)], tops="y z"),
    "Filter nothing": row("Filter", [(4, 3), np.zeros(4)]),
    "Reshape": reshape([(2, 3, 4)], "shape { dim: 0 dim: -1 }"),
    "Reshape middle": reshape([(2, 4, 3, 5)], "shape { dim: 2 dim: -1 } axis: 1 num_axes: 2"),
    "Reshape insert": reshape([(2, 3)], "shape { dim: 1 dim: 1 } axis: -2 num_axes: 0"),
    "Tile": row("Tile", [(2, 3, 2)], "tile_param { tiles: 3 }"),
    "Tile rows": row("Tile", [(2, 3)], "tile_param { axis: -2 tiles: 2 }"),
    # reduction
    "ArgMax": row("ArgMax", [(2, 3, 4)], "argmax_param { top_k: 3 out_max_val: true }", expected=top_3),
    "ArgMax first": row("ArgMax", [(3, 5)], expected=lambda x: x.argmax(axis=1)),
    "ArgMax axis": row("ArgMax", [(2, 3, 4)], "argmax_param { top_k: 2 axis: -2 }",
                       expected=lambda x: np.argsort(-x, axis=1)[:, :2]),
    "ArgMax values": row("ArgMax", [(2, 3, 4)], "argmax_param { axis: 1 out_max_val: true }",
                         expected=lambda x: x.max(axis=1)),
    "Reduction": reduction([(2, 3, 4)], "coeff: -2"),
    "Reduction absolute": reduction([(2, 3, 4)], "operation: ASUM axis: 1 coeff: 0.5"),
    "Reduction squares": reduction([(2, 3, 4)], "operation: SUMSQ axis: -1 coeff: 3"),
    "Reduction mean": reduction([(2, 3, 4)], "operation: MEAN axis: 1 coeff: 2"),
    "Reduction loss": row("Reduction", [(3, 4)], "loss_weight: -0.7 reduction_param { operation: SUMSQ }"),
    # loss
    "ContrastiveLoss": row("ContrastiveLoss", [*APART, ALIKE], "loss_weight: 0.7 contrastive_loss_param { margin: 7 }"),
    "ContrastiveLoss legacy": row("ContrastiveLoss", [*APART, ALIKE], "contrastive_loss_param { margin: 30 "
                                  "legacy_version: true }"),
    "HingeLoss": row("HingeLoss", [(4, 3), LABELS], "loss_weight: 0.7"),
    "HingeLoss L2": row("HingeLoss", [(4, 3, 1, 1), LABELS], "loss_weight: 0.7 hinge_loss_param { norm: L2 }"),
    "InfogainLoss": row("InfogainLoss", [(2, 4, 2, 3), LABEL_MAP, MATRIX], "loss_weight: 2 loss_weight: 0 "
                        "loss_param { ignore_label: 3 normalization: BATCH_SIZE }", tops="loss p"),
    "InfogainLoss file": row("InfogainLoss", [(2, 3, 4), LABEL_MAP[0, 0].reshape(2, 3)], "loss_weight: 0.7 "
                             'infogain_loss_param { axis: -1 source: "FOLDER/infogain.binaryproto" }'),
    "MultinomialLogisticLoss": row("MultinomialLogisticLoss", [PROBABILITIES, LABELS], "loss_weight: 0.7"),
    "SigmoidCrossEntropyLoss": row("SigmoidCrossEntropyLoss", [(4, 3), TARGETS], "loss_weight: 0.7"),
    "SigmoidCrossEntropyLoss ignore": row("SigmoidCrossEntropyLoss", [(2, 4, 2, 3), np.tile(LABEL_MAP, (1, 4, 1, 1))],
                                          "loss_weight: 2 loss_param { ignore_label: 2 normalization: VALID }"),
}
