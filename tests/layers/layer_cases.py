"""One table of layers to try: the contract, the gradient check and the mutation test run over all of it.

Every registered type has a row at least. FOLDER stands for a folder of made-up data (fixture `data_folder`).
"""

import numpy as np

from blobnet.check import Case
from blobnet.core.context import TEST


def positive(*shape):
    return np.random.default_rng(1).uniform(0.5, 2, shape)


def layer(type_name, bottoms, tops, options=""):
    blobs = "".join(f'bottom: "{name}" ' for name in bottoms.split()) + "".join(f'top: "{name}" ' for name in tops.split())
    return f'layer {{ name: "it" type: "{type_name}" {blobs} {options} }}'


XAVIER = 'weight_filler { type: "xavier" } bias_filler { type: "gaussian" std: 0.1 }'
LABELS = np.array([0, 2, 1, 2])
MAP_LABELS = np.arange(12).reshape(2, 1, 2, 3) % 4
TWO_HOT = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
SIMILARITIES = [(4, 1, 1, 1), (4, 1, 1, 1)]

CASES = {
    # activation
    "ReLU": Case(layer("ReLU", "x", "y"), [(2, 3, 4)]),
    "ReLU slope": Case(layer("ReLU", "x", "y", "relu_param { negative_slope: 0.1 }"), [(2, 3, 4)]),
    "Sigmoid": Case(layer("Sigmoid", "x", "y"), [(2, 3, 4)]),
    "TanH": Case(layer("TanH", "x", "y"), [(2, 3, 4)]),
    "Power": Case(layer("Power", "x", "y", "power_param { power: 3 scale: 0.5 shift: 4 }"), [(2, 3)],
                  exceptions={"in_place": "Caffe's gradient in place is the square of the slope"}),
    "Power root": Case(layer("Power", "x", "y", "power_param { power: 0.5 shift: 1 }"), [positive(2, 3)],
                       exceptions={"in_place": "Caffe's gradient in place is the square of the slope"}),
    "Power square": Case(layer("Power", "x", "y", "power_param { power: 2 scale: -1.5 shift: 1 }"), [(2, 3)],
                         exceptions={"in_place": "Caffe's gradient in place is the square of the slope"}),
    "Power linear": Case(layer("Power", "x", "y", "power_param { scale: -2 shift: 1 }"), [(2, 3)],
                         exceptions={"in_place": "Caffe's gradient in place is the square of the slope"}),
    "Power constant": Case(layer("Power", "x", "y", "power_param { scale: 0 shift: 3 power: 2 }"), [(2, 3)]),
    "Dropout": Case(layer("Dropout", "x", "y", "dropout_param { dropout_ratio: 0.3 }"), [(4, 5)]),
    "Dropout TEST": Case(layer("Dropout", "x", "y"), [(4, 5)], phase=TEST),
    # weighted
    "InnerProduct": Case(layer("InnerProduct", "x", "y", f"inner_product_param {{ num_output: 3 {XAVIER} }}"), [(2, 2, 2, 2)]),
    "InnerProduct transpose": Case(layer("InnerProduct", "x", "y", "inner_product_param { num_output: 3 axis: 2 "
                                         f"transpose: true bias_term: false {XAVIER} }}"), [(2, 3, 4)]),
    "Convolution": Case(layer("Convolution", "x", "y", "convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad: 1 "
                              f"group: 2 {XAVIER} }}"), [(2, 2, 5, 4)]),
    "Convolution dilation": Case(layer("Convolution", "x z", "y w", "convolution_param { num_output: 2 kernel_size: 2 "
                                       f"dilation: 2 bias_term: false {XAVIER} }}"), [(2, 2, 4, 4), (2, 2, 4, 4)]),
    "Convolution pointwise": Case(layer("Convolution", "x", "y", f"convolution_param {{ num_output: 3 kernel_size: 1 {XAVIER} }}"),
                                  [(2, 4, 3, 3)]),
    # pooling, normalization
    "Pooling": Case(layer("Pooling", "x", "y", "pooling_param { kernel_size: 3 stride: 2 pad: 1 }"), [(2, 2, 5, 6)]),
    "Pooling mask": Case(layer("Pooling", "x", "y mask", "pooling_param { kernel_size: 2 stride: 2 }"), [(2, 2, 4, 5)]),
    "Pooling average": Case(layer("Pooling", "x", "y", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }"),
                            [(2, 2, 5, 6)]),
    "Pooling global": Case(layer("Pooling", "x", "y", "pooling_param { pool: AVE global_pooling: true }"), [(2, 3, 3, 2)]),
    "LRN": Case(layer("LRN", "x", "y", "lrn_param { local_size: 3 alpha: 0.5 k: 2 }"), [(2, 5, 2, 3)]),
    "LRN within": Case(layer("LRN", "x", "y", "lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }"), [(2, 2, 4, 3)]),
    # shape
    "Split": Case(layer("Split", "x", "a b c"), [(2, 3)]),
    "Flatten": Case(layer("Flatten", "x", "y"), [(2, 3, 2, 2)]),
    "Flatten middle": Case(layer("Flatten", "x", "y", "flatten_param { axis: -3 end_axis: 2 }"), [(2, 3, 2, 2)]),
    "Concat": Case(layer("Concat", "a b", "y"), [(2, 3, 2), (2, 1, 2)]),
    "Concat rows": Case(layer("Concat", "a b c", "y", "concat_param { axis: 0 }"), [(2, 3), (2, 3), (2, 3)]),
    "Slice": Case(layer("Slice", "x", "a b c", "slice_param { slice_point: 1 slice_point: 2 }"), [(2, 5, 2)]),
    "Slice equal": Case(layer("Slice", "x", "a b", "slice_param { axis: -1 }"), [(2, 3, 4)]),
    "Silence": Case(layer("Silence", "a b", ""), [(2, 3), (4,)]),
    # reduction
    "Softmax": Case(layer("Softmax", "x", "y"), [(3, 4)]),
    "Softmax axis": Case(layer("Softmax", "x", "y", "softmax_param { axis: -2 }"), [(2, 3, 4)]),
    "Eltwise": Case(layer("Eltwise", "a b c", "y", "eltwise_param { coeff: 1 coeff: -2 coeff: 0.5 }"), [(2, 3)] * 3),
    "Eltwise product": Case(layer("Eltwise", "a b c", "y", "eltwise_param { operation: PROD }"), [(2, 3)] * 3),
    "Eltwise quotient": Case(layer("Eltwise", "a b", "y", "eltwise_param { operation: PROD stable_prod_grad: false }"), [(2, 3)] * 2),
    "Eltwise maximum": Case(layer("Eltwise", "a b c", "y", "eltwise_param { operation: MAX }"), [(2, 3)] * 3),
    # loss
    "SoftmaxWithLoss": Case(layer("SoftmaxWithLoss", "x l", "loss", "loss_weight: 0.7"), [(4, 3), LABELS]),
    "SoftmaxWithLoss map": Case(layer("SoftmaxWithLoss", "x l", "loss p", "loss_weight: 2 loss_weight: 0 "
                                      "loss_param { ignore_label: 3 normalization: FULL }"), [(2, 4, 2, 3), MAP_LABELS]),
    "EuclideanLoss": Case(layer("EuclideanLoss", "a b", "loss", "loss_weight: 0.7"), [(3, 4), (3, 4)]),
    # hashing
    "HashingLoss": Case(layer("HashingLoss", "u l", "loss", "loss_weight: 0.7 hashing_loss_param { bi_margin: 10 tradeoff: 0.1 }"),
                        [(4, 5), LABELS]),
    "HashingLoss multi-label": Case(layer("HashingLoss", "u l", "loss", "hashing_loss_param { bi_margin: 10 }"),
                                    [(4, 5), TWO_HOT]),
    "DotProductSimilarity": Case(layer("DotProductSimilarity", "a b", "y"), [(3, 4), (3, 4)]),
    "EuclideanSimilarity": Case(layer("EuclideanSimilarity", "a b", "y"), [(3, 2, 2), (3, 2, 2)]),
    "PairwiseRankingLoss": Case(layer("PairwiseRankingLoss", "p q", "loss", "loss_weight: 0.7"), SIMILARITIES),
    # metric
    "Accuracy": Case(layer("Accuracy", "x l", "y each", "accuracy_param { top_k: 2 }"), [(4, 3), LABELS]),
    # data
    "Input": Case(layer("Input", "", "x y", "input_param { shape { dim: 2 dim: 3 } }")),
    "DummyData": Case(layer("DummyData", "", "x", 'dummy_data_param { shape { dim: 2 } data_filler { type: "gaussian" } }')),
    "Data": Case(layer("Data", "", "x l", 'data_param { source: "FOLDER/lmdb" backend: LMDB batch_size: 3 } '
                       "transform_param { crop_size: 3 mirror: true }")),
}
