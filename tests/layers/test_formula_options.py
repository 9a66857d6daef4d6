"""Forward is the formula of the page where options and numbers are odd; the contract has the usual ones."""

import warnings

import numpy as np
import pytest
from layer_rows import FILLERS, row

from blobnet.check.forward import check_forward
from blobnet.core.context import TEST

X, SCORES, NONE = (2, 3, 4, 5), (4, 3, 2), np.full((4, 2), 9)
LABELS, CLASSES = np.arange(8).reshape(4, 2) % 3, np.array([0, 2, 1, 2])
FAR = np.random.default_rng(1).normal(0, 300, (4, 3, 2))  # exp overflows, and the smallest probabilities are 0
TARGETS = np.random.default_rng(2).uniform(-1.5, 1.5, (4, 3, 2))
SETS = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1], [-1, 0, 0]])  # all labels; none in common; fewer than none
MATRIX, CONT = np.random.default_rng(3).uniform(size=(3, 3)), np.array([[1, 0.5], [0, 1], [1, 1]])
TIES = np.array([[1, 1, 0], [2, 2, 3], [0, np.nan, 1], [1, 2, 3]])


def loss(kind, values, options, **more):
    return row(kind, values, f"loss_param {{ {options} }}", **more)


ROWS = [
    row("LRN", [X], "lrn_param { local_size: 7 alpha: 2 beta: 0.5 k: 3 }"),
    row("LRN", [X], "lrn_param { local_size: 5 alpha: 2 beta: 1.5 k: 3 norm_region: WITHIN_CHANNEL }"),
    row("BatchNorm", [X], "batch_norm_param { eps: 0.3 }", phase=TEST),
    row("BatchNorm", [X], "batch_norm_param { use_global_stats: false eps: 0.3 }", phase=TEST),
    row("MVN", [(2, 3)], "mvn_param { eps: 0.5 across_channels: true }"),
    row("MVN", [(2, 3, 4)], "mvn_param { eps: 0.5 }"),
    row("Softmax", [FAR], "softmax_param { axis: 0 }"),
    *(loss("SoftmaxWithLoss", [FAR, LABELS], f"ignore_label: {label} {mode}")
      for label in (0, 9) for mode in ("normalization: NONE", "normalization: BATCH_SIZE", "normalization: FULL",
                                       "normalize: false", "normalize: true", "")),
    loss("SoftmaxWithLoss", [SCORES, NONE], "ignore_label: 9"),
    row("SoftmaxWithLoss", [(4, 2, 3), LABELS], "softmax_param { axis: -1 } loss_weight: 1 loss_weight: 0", "y p"),
    *(loss("SigmoidCrossEntropyLoss", [FAR, TARGETS], f"ignore_label: {label} {mode}")
      for label in (0, 9) for mode in ("normalization: NONE", "normalization: VALID", "normalization: FULL",
                                       "normalize: false", "normalize: true", "")),
    *(loss("InfogainLoss", [FAR, LABELS, MATRIX], f"ignore_label: {label} {mode}")
      for label in (0, 9) for mode in ("normalization: NONE", "normalization: BATCH_SIZE", "normalization: FULL", "")),
    loss("HingeLoss", [(4, 3), CLASSES], "ignore_label: 2 normalization: NONE"),
    row("HingeLoss", [SCORES, CLASSES], "hinge_loss_param { norm: L2 }"),
    loss("MultinomialLogisticLoss", [np.eye(4), CLASSES], "ignore_label: 2 normalization: NONE"),
    *(row("BatchTripletLoss", [(4, 3), labels], f"triplet_loss_param {{ {options} }}", "y accuracy figures")
      for labels in ([0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 0])
      for options in ("margin: 2", "margin: 2 mu: 0.4", "margin: 2 sample: true")),
    row("LiftedStructSimilaritySoftmaxLoss", [(4, 3), [1, 1, 1, 1]]),
    row("LiftedStructSimilaritySoftmaxLoss", [(4, 3), SETS * (SETS > 0)]),
    row("CenterLoss", [(4, 3, 2), CLASSES],
        'center_loss_param { num_output: 3 center_filler { type: "gaussian" } }'),
    row("HashingLoss", [(1, 3), [0]], "hashing_loss_param { bi_margin: 6 }"),
    row("HashingLoss", [(4, 3, 1), SETS], "hashing_loss_param { bi_margin: 2 tradeoff: 0.3 }"),
    *(row("PairwiseLoss", [(4, 5), SETS], f"pairwise_param {{ {options} }}")
      for options in ("l_lambda: 0", "q_gamma: 0 class_num: 0.1", "l_threshold: 0 q_threshold: 0.5", "threshold: -1",
                      "threshold: 0", "threshold: 0.5", "weighted: true class_num: 3", "weighted: false")),
    *(row("PairwiseLoss", [(4, 5, 1), SETS], f"pairwise_param {{ {options} }}")
      for options in ("", "threshold: 0.3", "weighted: true")),
    row("PairwiseLoss", [FAR.reshape(4, 6), SETS], "pairwise_param { l_lambda: 2 }"),
    row("PairwiseLoss", [(1, 5), [0]], "pairwise_param { weighted: true }"),
    row("PairwiseLoss", [(4, 5), CLASSES], "pairwise_param { weighted: true sigmoid_param: 0.2 }"),
    row("QuantizationLoss", [(4, 5)], "quantization_param { threshold: 0.2 }"),
    row("BlockSoftmax", [FAR * 3], "block_param { block_size: 3 }"),
    row("MeanEntropyLoss", [np.eye(4, 6)], "block_param { block_size: 3 }"),
    row("BatchEntropyLoss", [np.eye(4, 6)], "block_param { block_size: 3 }"),
    row("CrossEntropySimilarity", [FAR[:2], FAR[2:]]),
    row("Accuracy", [TIES, CLASSES], "accuracy_param { ignore_label: 0 }", "y each"),
    row("Accuracy", [SCORES, LABELS], "accuracy_param { top_k: 2 ignore_label: 1 }"),
    row("Scale", [X, (3, 4)], 'scale_param { bias_term: true bias_filler { type: "gaussian" } }'),
    row("InnerProduct", [X], f"inner_product_param {{ num_output: 2 axis: -2 transpose: true {FILLERS} }}"),
    *(row(kind, [(3, 2, 4)] + [CONT] + [(2, 3)] + [(1, 2, 5)] * states * exposed, "recurrent_param { num_output: 5 "
          f"expose_hidden: {str(exposed).lower()} {FILLERS} }}", " ".join("yhc"[:1 + states * exposed]))
      for kind, states in (("LSTM", 2), ("RNN", 1)) for exposed in (True, False)),
    row("LSTMUnit", [(2, 3, 2), (2, 3, 8), [[1, 0, 1], [0, 1, 0.5]]], tops="c h"),
    row("PReLU", [X], "prelu_param { channel_shared: true }"),
    row("BNLL", [FAR]),
    row("ELU", [X], "elu_param { alpha: 0.3 }"),
    *(row(kind, [np.abs(FAR) / 300], f"{kind.lower()}_param {{ shift: 0.5 scale: {options} }}")
      for kind, options in (("Exp", "2"), ("Exp", "2 base: 0.3"), ("Log", "2"), ("Log", "2 base: 0.3"),
                            ("Power", "2 power: 0"), ("Power", "2 power: -2.5"), ("Power", "0 power: 3"))),
    row("Swish", [X], "swish_param { beta: -2 }"),
    *(row("ScaleTanH", [X], f"scale_tanh_param {{ step_size: {size} gamma: 0.5 power: 0.5 init_scale: 2 }}")
      for size in (1, 2, 3)),
]


@pytest.mark.parametrize("case", ROWS, ids=lambda case: f"{case.type.__name__}")
def test_forward_is_the_formula(case):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of margins that are not the paper's, and of exp
        alone = case.build()
        for values in alone.parameters:
            values += np.random.default_rng(0).uniform(0.5, 2, values.shape)  # statistics begin at 0
        result = check_forward(alone)
    assert result.passed, result.note
    assert result.error is not None, result.note
