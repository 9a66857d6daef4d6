"""Rows of the layers with weights, of pooling and of local normalization."""

import numpy as np
from layer_rows import FILLERS, row

from blobnet.core.context import TEST


def sliding(type_name, values, options, **more):
    return row(type_name, values, f"convolution_param {{ {options} {FILLERS} }}", **more)


def bias(values, options="", **more):
    return row("Bias", values, f'bias_param {{ {options} filler {{ type: "gaussian" }} }}', **more)


def scale(values, options="", **more):
    return row("Scale", values, f'scale_param {{ {options} filler {{ type: "gaussian" }} '
               'bias_filler { type: "gaussian" } }', **more)


def convolution(values, options, **more):
    return sliding("Convolution", values, options, **more)


def pooling(values, options, **more):
    return row("Pooling", values, f"pooling_param {{ {options} }}", **more)


ACTIVITY = np.random.default_rng(2).uniform(0.1, 2, (2, 2, 4, 5)) * (np.arange(5) > 0)  # some windows start with zeros
INDICES = np.array([[0, 2, 2], [4, 0, 2]])
LAST_COUNTS = {"backward_writes_diffs": "Caffe overwrites the diff of a factor that has no axes before it"}
SHARED = {"backward_writes_diffs": "the top's diff is the parameter's, which the reader of the top overwrites",
          "mutation": "there is no backward to break"}


CASES = {
    "InnerProduct": row("InnerProduct", [(2, 2, 2, 2)], f"inner_product_param {{ num_output: 3 {FILLERS} }}"),
    "InnerProduct transpose": row("InnerProduct", [(2, 3, 4)], "inner_product_param { num_output: 3 axis: 2 "
                                  f"transpose: true bias_term: false {FILLERS} }}"),
    "Convolution": convolution([(2, 2, 5, 4)], "num_output: 4 kernel_size: 3 stride: 2 pad: 1 group: 2"),
    "Convolution two": convolution([(2, 2, 4, 4)] * 2, "num_output: 2 kernel_size: 2 dilation: 2 bias_term: false",
                                   tops="y z"),
    "Convolution pointwise": convolution([(2, 4, 3, 3)], "num_output: 3 kernel_size: 1"),
    "Pooling": pooling([(2, 2, 5, 6)], "kernel_size: 3 stride: 2 pad: 1"),
    "Pooling mask": pooling([(2, 2, 4, 5)], "kernel_size: 2 stride: 2", tops="y mask"),
    "Pooling average": pooling([(2, 2, 5, 6)], "pool: AVE kernel_size: 3 stride: 2 pad: 1"),
    "Pooling global": pooling([(2, 3, 3, 2)], "pool: AVE global_pooling: true"),
    "LRN": row("LRN", [(2, 5, 2, 3)], "lrn_param { local_size: 3 alpha: 0.5 k: 2 }"),
    "LRN within": row("LRN", [(2, 2, 4, 3)], "lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }"),
    "Bias": bias([(2, 3, 2, 2)]),
    "Bias scalar": bias([(2, 3)], "num_axes: 0"),
    "Bias to the end": bias([(2, 3, 2)], "axis: 1 num_axes: -1"),
    "Bias last axis": bias([(2, 3, 2)], "axis: -1"),
    "Bias bottom": row("Bias", [(2, 3, 4, 2), (3, 4)]),
    "Bias bottom of rows": row("Bias", [(2, 3, 4), (2, 3)], "bias_param { axis: 0 }"),
    "Scale": scale([(2, 3, 2, 2)], "bias_term: true"),
    "Scale scalar": scale([(2, 3)], "num_axes: 0 bias_term: true"),
    "Scale to the end": scale([(2, 3, 2)], "axis: 1 num_axes: -1"),
    "Scale last axis": scale([(2, 3, 2)], "axis: -1 bias_term: true"),
    "Scale bottom": scale([(2, 3, 4, 2), (3, 4)], "bias_term: true"),
    "Scale bottom of rows": row("Scale", [(2, 3, 4), (2, 3)], "scale_param { axis: 0 }"),
    "Scale bottom of all": row("Scale", [(2, 3)] * 2, "scale_param { axis: 0 }"),
    "Scale one row": scale([(1, 3, 2)], exceptions=LAST_COUNTS),
    "Deconvolution": sliding("Deconvolution", [(2, 4, 3, 2)], "num_output: 2 kernel_size: 3 stride: 2 pad: 1 group: 2"),
    "Deconvolution two": sliding("Deconvolution", [(2, 2, 3, 2)] * 2, "num_output: 3 kernel_h: 2 kernel_w: 3 "
                                 "dilation: 2 bias_term: false", tops="y z"),
    "Deconvolution wide": sliding("Deconvolution", [(2, 3, 2, 2)], "num_output: 9 kernel_size: 3 stride: 2 pad: 1"),
    "Deconvolution 1-D": sliding("Deconvolution", [(2, 2, 4)], "num_output: 3 kernel_size: 3 stride: 2"),
    "Convolution 1-D": sliding("Convolution", [(2, 2, 6)], "num_output: 3 kernel_size: 3 stride: 2 pad: 1"),
    "Convolution 3-D": sliding("Convolution", [(2, 2, 3, 4, 3)], "num_output: 2 kernel_size: 2 pad: 1 stride: 2"),
    "Convolution without space": sliding("Convolution", [(2, 4)], "num_output: 6 group: 2"),
    "Im2col": row("Im2col", [(2, 2, 5, 4)], "convolution_param { kernel_size: 3 stride: 2 pad: 1 }"),
    "Im2col 3-D": row("Im2col", [(2, 2, 3, 4, 3)], "convolution_param { kernel_size: 2 dilation: 2 }"),
    "Im2col axis": row("Im2col", [(2, 3, 4, 5)], "convolution_param { axis: 2 kernel_size: 2 }"),
    "Embed": row("Embed", [INDICES], f"embed_param {{ num_output: 3 input_dim: 5 {FILLERS} }}"),
    "Embed without bias": row("Embed", [INDICES[0]], "embed_param { num_output: 2 input_dim: 5 bias_term: false "
                              'weight_filler { type: "gaussian" } }'),
    "Parameter": row("Parameter", [], "parameter_param { shape { dim: 2 dim: 3 } }", exceptions=SHARED),
    "SPP": row("SPP", [(2, 2, 5, 4)], "spp_param { pyramid_height: 2 }"),
    "SPP average": row("SPP", [(2, 2, 9, 8)], "spp_param { pyramid_height: 3 pool: AVE }"),
    "SPP one grid": row("SPP", [(2, 3, 3, 2)], "spp_param { pyramid_height: 1 }"),
    "SPP stochastic": row("SPP", [ACTIVITY[..., 1:]], "spp_param { pyramid_height: 3 pool: STOCHASTIC }"),
    "SPP stochastic TEST": row("SPP", [ACTIVITY[..., 1:]], "spp_param { pyramid_height: 2 pool: STOCHASTIC }",
                               phase=TEST),
    "Pooling stochastic": pooling([ACTIVITY], "pool: STOCHASTIC kernel_size: 3 stride: 2"),
    "Pooling stochastic TEST": pooling([ACTIVITY], "pool: STOCHASTIC kernel_size: 3 stride: 2", phase=TEST),
    "Pooling wide": pooling([(2, 2, 9, 8)], "kernel_size: 7 stride: 7", tops="y mask"),
    "Pooling 1-D": pooling([(2, 3, 7)], "kernel_size: 3 stride: 2 pad: 1"),
    "Pooling 3-D average": pooling([(2, 2, 4, 3, 5)], "pool: AVE kernel_size: 3 stride: 2 pad: 1"),
}
