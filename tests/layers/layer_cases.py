"""One table of layers to try: the contract, the gradient check and the mutation test run over all of it.

Every registered type has a row at least. FOLDER stands for a folder of made-up data (fixture `data_folder`).
"""

import numpy as np

from blobnet.check import Case
from blobnet.check.standalone import standalone
from blobnet.core.context import TEST


def layer(type_name, bottoms, tops, options=""):
    """The prototxt of a layer called 'it'; names of blobs in one text each."""
    bottoms = " ".join(f'bottom: "{name}"' for name in bottoms.split())
    tops = " ".join(f'top: "{name}"' for name in tops.split())
    return f'layer {{ name: "it" type: "{type_name}" {bottoms} {tops} {options} }}'


def row(type_name, values, options="", tops="y", **more):
    """A case with bottoms x0, x1, … of these values, or of these shapes."""
    return Case(layer(type_name, " ".join(f"x{i}" for i in range(len(values))), tops, options), values, **more)


def build(type_name, values, options="", tops="y", **more):
    """The layer of such a row, set up; `more` as for blobnet.check.standalone.standalone."""
    return standalone(row(type_name, values, options, tops).source, *values, **more)


def convolution(values, options, **more):
    return row("Convolution", values, f"convolution_param {{ {options} {FILLERS} }}", **more)


def pooling(values, options, **more):
    return row("Pooling", values, f"pooling_param {{ {options} }}", **more)


def power(values, options, **more):
    return row("Power", values, f"power_param {{ {options} }}", **more)


FILLERS = 'weight_filler { type: "xavier" } bias_filler { type: "gaussian" std: 0.1 }'
SQUARED = {"in_place": "Caffe's gradient in place is the square of the slope"}
POSITIVE = np.random.default_rng(1).uniform(0.5, 2, (2, 3))
LABELS = np.array([0, 2, 1, 2])
LABEL_MAP = np.arange(12).reshape(2, 1, 2, 3) % 4
TWO_HOT = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]])

CASES = {
    # activation
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
    # weighted
    "InnerProduct": row("InnerProduct", [(2, 2, 2, 2)], f"inner_product_param {{ num_output: 3 {FILLERS} }}"),
    "InnerProduct transpose": row("InnerProduct", [(2, 3, 4)], "inner_product_param { num_output: 3 axis: 2 "
                                  f"transpose: true bias_term: false {FILLERS} }}"),
    "Convolution": convolution([(2, 2, 5, 4)], "num_output: 4 kernel_size: 3 stride: 2 pad: 1 group: 2"),
    "Convolution two": convolution([(2, 2, 4, 4)] * 2, "num_output: 2 kernel_size: 2 dilation: 2 bias_term: false",
                                   tops="y z"),
    "Convolution pointwise": convolution([(2, 4, 3, 3)], "num_output: 3 kernel_size: 1"),
    # pooling, normalization
    "Pooling": pooling([(2, 2, 5, 6)], "kernel_size: 3 stride: 2 pad: 1"),
    "Pooling mask": pooling([(2, 2, 4, 5)], "kernel_size: 2 stride: 2", tops="y mask"),
    "Pooling average": pooling([(2, 2, 5, 6)], "pool: AVE kernel_size: 3 stride: 2 pad: 1"),
    "Pooling global": pooling([(2, 3, 3, 2)], "pool: AVE global_pooling: true"),
    "LRN": row("LRN", [(2, 5, 2, 3)], "lrn_param { local_size: 3 alpha: 0.5 k: 2 }"),
    "LRN within": row("LRN", [(2, 2, 4, 3)], "lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }"),
    # shape
    "Split": row("Split", [(2, 3)], tops="a b c"),
    "Flatten": row("Flatten", [(2, 3, 2, 2)]),
    "Flatten middle": row("Flatten", [(2, 3, 2, 2)], "flatten_param { axis: -3 end_axis: 2 }"),
    "Concat": row("Concat", [(2, 3, 2), (2, 1, 2)]),
    "Concat rows": row("Concat", [(2, 3)] * 3, "concat_param { axis: 0 }"),
    "Slice": row("Slice", [(2, 5, 2)], "slice_param { slice_point: 1 slice_point: 2 }", tops="a b c"),
    "Slice equal": row("Slice", [(2, 3, 4)], "slice_param { axis: -1 }", tops="a b"),
    "Silence": row("Silence", [(2, 3), (4,)], tops=""),
    # reduction
    "Softmax": row("Softmax", [(3, 4)]),
    "Softmax axis": row("Softmax", [(2, 3, 4)], "softmax_param { axis: -2 }"),
    "Eltwise": row("Eltwise", [(2, 3)] * 3, "eltwise_param { coeff: 1 coeff: -2 coeff: 0.5 }"),
    "Eltwise product": row("Eltwise", [(2, 3)] * 3, "eltwise_param { operation: PROD }"),
    "Eltwise quotient": row("Eltwise", [(2, 3)] * 2, "eltwise_param { operation: PROD stable_prod_grad: false }"),
    "Eltwise maximum": row("Eltwise", [(2, 3)] * 3, "eltwise_param { operation: MAX }"),
    # loss
    "SoftmaxWithLoss": row("SoftmaxWithLoss", [(4, 3), LABELS], "loss_weight: 0.7"),
    "SoftmaxWithLoss map": row("SoftmaxWithLoss", [(2, 4, 2, 3), LABEL_MAP], "loss_weight: 2 loss_weight: 0 "
                               "loss_param { ignore_label: 3 normalization: FULL }", tops="loss p"),
    "EuclideanLoss": row("EuclideanLoss", [(3, 4)] * 2, "loss_weight: 0.7"),
    # hashing
    "HashingLoss": row("HashingLoss", [(4, 5), LABELS],
                       "loss_weight: 0.7 hashing_loss_param { bi_margin: 10 tradeoff: 0.1 }"),
    "HashingLoss multi-label": row("HashingLoss", [(4, 5), TWO_HOT], "hashing_loss_param { bi_margin: 10 }"),
    "DotProductSimilarity": row("DotProductSimilarity", [(3, 4)] * 2),
    "EuclideanSimilarity": row("EuclideanSimilarity", [(3, 2, 2)] * 2),
    "PairwiseRankingLoss": row("PairwiseRankingLoss", [(4, 1, 1, 1)] * 2, "loss_weight: 0.7"),
    # metric
    "Accuracy": row("Accuracy", [(4, 3), LABELS], "accuracy_param { top_k: 2 }", tops="y each"),
    # data
    "Input": row("Input", [], "input_param { shape { dim: 2 dim: 3 } }", tops="x y"),
    "DummyData": row("DummyData", [], 'dummy_data_param { shape { dim: 2 } data_filler { type: "gaussian" } }'),
    "Data": row("Data", [], 'data_param { source: "FOLDER/lmdb" backend: LMDB batch_size: 3 } '
                "transform_param { crop_size: 3 mirror: true }", tops="x l"),
}
