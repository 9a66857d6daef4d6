"""A layer of each kind of arithmetic that the page does itself: prototxt, bottoms, and what the page is told."""

from __future__ import annotations

import numpy as np

LABELS = np.array([[1.0], [4.0], [255.0]])
TARGETS = np.random.default_rng(6).choice([0, 0.25, 1], (3, 5))
RELU_SLOPE = "where(x > 0, 1, 0.1)"


def windows(sizes, kernel, stride, pad, outputs):
    """What the page is told of pooling windows, straight from their definition."""
    rule = {"starts": [], "stops": [], "divisors": []}
    for size, k, s, p, out in zip(sizes, kernel, stride, pad, outputs):
        first = np.arange(out) * s - p
        last = np.minimum(first + k, size + p)
        rule["divisors"].append((last - first).tolist())
        rule["starts"].append(np.maximum(first, 0).tolist())
        rule["stops"].append(np.minimum(last, size).tolist())
    return rule


def convolution(kernel, stride, pad, dilation, group=1, bias=True):
    return {"kind": "convolution", "kernel": kernel, "stride": stride, "pad": pad, "dilation": dilation, "group": group,
            "bias": bias}


def product(rows, inner, outputs, transpose=False, bias=True):
    return {"kind": "product", "rows": rows, "inner": inner, "outputs": outputs, "transpose": transpose, "bias": bias}


def scalar(y, slope):
    return {"kind": "scalar", "y": y, "slope": slope}


def along(grouped, scale=True, bias=False, bottoms=1):
    return {"kind": "along", "scale": scale, "bias": bias, "grouped": grouped, "bottoms": bottoms}


def softmax(grouped, divisor, ignore=None):
    return {"kind": "softmax_loss", "grouped": grouped, "divisor": divisor, "ignore": ignore}


def standardize(grouped, mode="batch", eps=1e-5):
    """Without the statistics of the batch, which depend on the numbers that are drawn."""
    return {"kind": "standardize", "mode": mode, "eps": eps, "grouped": grouped}


WEIGHTS = 'weight_filler { type: "gaussian" std: 0.5 } bias_filler { type: "gaussian" }'
TWO = 'bottom: "a" bottom: "b" top: "y"'
THREE = 'bottom: "a" bottom: "b" bottom: "c" top: "y"'
ONE = 'bottom: "a" top: "y"'
SHAPE = (2, 3, 4, 5)

# name: (type, rest of the layer, bottoms as shapes or arrays, what the page is told)
CASES = {
    "convolution": ("Convolution", f"{ONE} convolution_param {{ num_output: 4 kernel_size: 3 pad: 1 {WEIGHTS} }}",
                    [(2, 3, 6, 5)], convolution([3, 3], [1, 1], [1, 1], [1, 1])),
    "convolution of two, group, stride, pad, dilation": (
        "Convolution", 'bottom: "a" bottom: "b" top: "y" top: "z" convolution_param { num_output: 6 kernel_h: 3 '
        'kernel_w: 2 stride_h: 2 stride_w: 1 pad_h: 2 pad_w: 1 dilation: 2 dilation: 1 group: 2 '
        f'{WEIGHTS} }}', [(2, 4, 7, 6)] * 2, convolution([3, 2], [2, 1], [2, 1], [2, 1], 2)),
    "convolution along a line, without bias": (
        "Convolution", f"{ONE} convolution_param {{ num_output: 3 kernel_size: 4 stride: 3 bias_term: false "
        'weight_filler { type: "gaussian" } }', [(3, 2, 11)], convolution([4], [3], [0], [1], bias=False)),
    "product": ("InnerProduct", f"{ONE} inner_product_param {{ num_output: 7 {WEIGHTS} }}", [SHAPE],
                product(2, 60, 7)),
    "product, transposed, axis 2, without bias": (
        "InnerProduct", f"{ONE} inner_product_param {{ num_output: 3 axis: 2 transpose: true bias_term: false "
        'weight_filler { type: "gaussian" } }', [SHAPE], product(6, 20, 3, True, False)),
    "maximum": ("Pooling", f"{ONE} pooling_param {{ kernel_size: 3 stride: 2 pad: 1 }}", [(2, 2, 6, 7)],
                {"kind": "pool", "method": "MAX", **windows((6, 7), (3, 3), (2, 2), (1, 1), (4, 4))}),
    "maximum among equals, with places": (
        "Pooling", 'bottom: "a" top: "y" top: "z" pooling_param { kernel_size: 3 stride: 2 }',
        [np.random.default_rng(3).integers(0, 3, (2, 3, 7, 6)).astype(float)],
        {"kind": "pool", "method": "MAX", **windows((7, 6), (3, 3), (2, 2), (0, 0), (3, 3))}),
    "mean": ("Pooling", f"{ONE} pooling_param {{ pool: AVE kernel_h: 3 kernel_w: 2 stride: 2 pad_h: 2 pad_w: 1 }}",
             [(2, 2, 6, 7)], {"kind": "pool", "method": "AVE", **windows((6, 7), (3, 2), (2, 2), (2, 1), (4, 4))}),
    "mean of the plane": ("Pooling", f"{ONE} pooling_param {{ pool: AVE global_pooling: true }}", [SHAPE],
                          {"kind": "pool", "method": "AVE", **windows((4, 5), (4, 5), (1, 1), (0, 0), (1, 1))}),
    "sum": ("Eltwise", f"{THREE} eltwise_param {{ coeff: 1 coeff: -0.5 coeff: 2 }}", [SHAPE] * 3,
            {"kind": "eltwise", "operation": "sum", "coefficients": [1, -0.5, 2]}),
    "product of bottoms": ("Eltwise", f"{THREE} eltwise_param {{ operation: PROD }}", [SHAPE] * 3,
                           {"kind": "eltwise", "operation": "prod", "coefficients": [1, 1, 1]}),
    "larger of bottoms": ("Eltwise", f"{THREE} eltwise_param {{ operation: MAX }}",
                          list(np.random.default_rng(4).integers(0, 3, (3, *SHAPE)).astype(float)),
                          {"kind": "eltwise", "operation": "max", "coefficients": [1, 1, 1]}),
    "scale": ("Scale", f'{ONE} scale_param {{ bias_term: true filler {{ type: "gaussian" }} '
              'bias_filler { type: "gaussian" } }', [SHAPE], along([2, 3, 20], bias=True)),
    "scale by a bottom, with bias": (
        "Scale", f'{TWO} scale_param {{ axis: 1 bias_term: true bias_filler {{ type: "gaussian" }} }}',
        [SHAPE, (3, 4)], along([2, 12, 5], bias=True, bottoms=2)),
    "bias": ("Bias", f'{ONE} bias_param {{ filler {{ type: "gaussian" }} }}', [SHAPE],
             along([2, 3, 20], scale=False, bias=True)),
    "bias of a bottom": ("Bias", f"{TWO} bias_param {{ axis: 0 }}", [SHAPE, (2, 3)],
                         along([1, 6, 20], scale=False, bias=True, bottoms=2)),
    "copy": ("Flatten", ONE, [SHAPE], {"kind": "copy"}),
    "copies": ("Split", 'bottom: "a" top: "y" top: "z"', [SHAPE], {"kind": "copy"}),
    "softmax loss": ("SoftmaxWithLoss", f"{TWO} loss_weight: 0.5", [(3, 5), LABELS[:, 0] % 5], softmax([3, 5, 1], 3)),
    "softmax loss with ignored labels": (
        "SoftmaxWithLoss", 'bottom: "a" bottom: "b" top: "y" top: "z" loss_weight: 1 loss_weight: 0 '
        'loss_param { ignore_label: 255 }',
        [(3, 5, 2), np.array([[1.0, 255], [4, 0], [255, 2]])], softmax([3, 5, 2], 4, 255)),
    "difference": ("EuclideanLoss", f"{TWO} loss_weight: 3", [(4, 6)] * 2, {"kind": "difference", "batch": 4}),
    "deconvolution": (
        "Deconvolution", f"{ONE} convolution_param {{ num_output: 4 kernel_size: 3 stride: 2 pad: 1 {WEIGHTS} }}",
        [(2, 3, 4, 5)], {**convolution([3, 3], [2, 2], [1, 1], [1, 1]), "kind": "deconvolution"}),
    "deconvolution of two, group, dilation": (
        "Deconvolution", 'bottom: "a" bottom: "b" top: "y" top: "z" convolution_param { num_output: 6 kernel_h: 3 '
        'kernel_w: 2 stride_h: 1 stride_w: 3 pad_h: 2 pad_w: 0 dilation: 2 dilation: 1 group: 2 bias_term: false '
        'weight_filler { type: "gaussian" } }', [(2, 4, 5, 3)] * 2,
        {**convolution([3, 2], [1, 3], [2, 0], [2, 1], 2, False), "kind": "deconvolution"}),
    "a filter for each channel": (
        "ConvolutionDepthwise", f"{ONE} convolution_param {{ kernel_size: 3 stride: 2 pad: 1 {WEIGHTS} }}",
        [(2, 3, 6, 5)], convolution([3, 3], [2, 2], [1, 1], [1, 1], 3)),
    "copies of several": ("Gather", 'bottom: "a" bottom: "b" top: "y" top: "z"', [SHAPE, (2, 2)], {"kind": "copy"}),
    "concat": ("Concat", THREE, [(2, 2, 3), (2, 1, 3), (2, 4, 3)], {"kind": "concat", "axis": 1}),
    "concat of rows": ("Concat", f"{TWO} concat_param {{ axis: 0 }}", [(1, 4), (3, 4)], {"kind": "concat", "axis": 0}),
    "slice": ("Slice", 'bottom: "a" top: "x" top: "y" top: "z" slice_param { axis: 2 slice_point: 1 slice_point: 3 }',
              [SHAPE], {"kind": "slice", "axis": 2, "points": [0, 1, 3]}),
    "batch statistics": ("BatchNorm", ONE, [(3, 2, 4, 5)], standardize([3, 2, 20])),
    "batch statistics of rows": ("BatchNorm", f"{ONE} batch_norm_param {{ eps: 0.01 }}", [(6, 4)],
                                 standardize([6, 4, 1], eps=0.01)),
    "stored statistics": ("BatchNorm", f"{ONE} batch_norm_param {{ use_global_stats: true }}", [(3, 2, 4)],
                          standardize([3, 2, 4], "stored")),
    "softmax": ("Softmax", ONE, [(3, 5)], {"kind": "softmax", "grouped": [3, 5, 1]}),
    "softmax of places": ("Softmax", f"{ONE} softmax_param {{ axis: 2 }}", [SHAPE],
                          {"kind": "softmax", "grouped": [6, 4, 5]}),
    "sigmoid loss": ("SigmoidCrossEntropyLoss", f"{TWO} loss_weight: 2", [(3, 5), TARGETS],
                     {"kind": "sigmoid_loss", "divisor": 3, "ignore": None}),
    "sigmoid loss with ignored targets": (
        "SigmoidCrossEntropyLoss", f"{TWO} loss_param {{ ignore_label: 1 normalization: VALID }}", [(3, 5), TARGETS],
        {"kind": "sigmoid_loss", "divisor": float((TARGETS < 1).sum()), "ignore": 1}),
    "hashing loss": ("HashingLoss", f"{TWO} loss_weight: 2 hashing_loss_param {{ bi_margin: 6 tradeoff: 0.25 "
                     "gradient: EXACT }", [(6, 3), np.array([0.0, 1, 0, 2, 1, 1])],
                     {"kind": "hashing_loss", "margin": 6, "tradeoff": 0.25, "factor": 2}),
    "hashing loss, as published": (
        "HashingLoss", f"{TWO} hashing_loss_param {{ bi_margin: 6 }}",
        [(6, 3, 1, 1), np.eye(6, 4) + np.eye(6, 4, 1)],
        {"kind": "hashing_loss", "margin": 6, "tradeoff": 0.01, "factor": 1}),
    "ReLU": ("ReLU", f"{ONE} relu_param {{ negative_slope: 0.1 }}", [SHAPE],
             scalar("max(x, 0) + 0.1 * min(x, 0)", RELU_SLOPE)),
    "ELU": ("ELU", f"{ONE} elu_param {{ alpha: 1.5 }}", [SHAPE],
            scalar("where(x > 0, x, 1.5 * (exp(min(x, 0)) - 1))", "where(x > 0, 1, y + 1.5)")),
    "Sigmoid": ("Sigmoid", ONE, [SHAPE], scalar("1 / (1 + exp(-x))", "y * (1 - y)")),
    "TanH": ("TanH", ONE, [SHAPE], scalar("tanh(x)", "1 - y * y")),
    "AbsVal": ("AbsVal", ONE, [SHAPE], scalar("abs(x)", "sign(x)")),
    "BNLL": ("BNLL", ONE, [SHAPE], scalar("max(x, 0) + log1p(exp(-abs(x)))", "1 - exp(-y)")),
    "Power": ("Power", f"{ONE} power_param {{ power: 3 scale: 0.5 shift: -1.25 }}", [SHAPE],
              scalar("pow(-1.25 + 0.5 * x, 3)", "1.5e0 * (-1.25 + .5 * x) ** 2")),
    "Clip": ("Clip", f"{ONE} clip_param {{ min: -0.5 max: 0.75 }}", [SHAPE],
             scalar("min(max(x, -0.5), 0.75)", "(x >= -0.5) * (x <= 0.75)")),
    "Dropout": ("Dropout", f"{ONE} dropout_param {{ dropout_ratio: 0.4 }}", [SHAPE],
                {"kind": "masked", "factor": 1 / 0.6}),
}
