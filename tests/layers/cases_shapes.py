"""Rows of the layers of forks that move numbers, and of their convolutions."""

from layer_rows import FILLERS, row


def convolution(type_name, values, options, **more):
    return row(type_name, values, f"convolution_param {{ {options} {FILLERS} }}", **more)


CASES = {
    "Permute": row("Permute", [(2, 3, 4, 5)], "permute_param { order: 0 order: 2 order: 3 order: 1 }"),
    "Permute first": row("Permute", [(2, 3, 4)], "permute_param { order: 2 }"),
    "Permute natural": row("Permute", [(2, 3, 4)], "permute_param { order: 0 order: 1 }"),
    "Transpose": row("Transpose", [(2, 3, 4)], "transpose_param { dim: 2 dim: 0 dim: 1 }"),
    "Reverse": row("Reverse", [(4, 3)]),
    "Reverse axis": row("Reverse", [(2, 4, 3)], "reverse_param { axis: 1 }"),
    "Flip": row("Flip", [(2, 2, 3, 4)]),
    "Flip both": row("Flip", [(2, 2, 3, 4)], "flip_param { flip_height: true }"),
    "Flip height": row("Flip", [(2, 2, 3, 4)], "flip_param { flip_width: false flip_height: true }"),
    "ShuffleChannel": row("ShuffleChannel", [(2, 6, 2, 3)], "shuffle_channel_param { group: 2 }"),
    "ShuffleChannel of two axes": row("ShuffleChannel", [(2, 6)], "shuffle_channel_param { group: 3 }"),
    "Reorg": row("Reorg", [(2, 4, 4, 6)], "reorg_param { stride: 2 }"),
    "Reorg reverse": row("Reorg", [(2, 8, 3, 2)], "reorg_param { stride: 2 reverse: true }"),
    "AutoCrop": row("AutoCrop", [(2, 3, 5, 6), (1, 1, 3, 2)], "crop_param { offset: 1 offset: 2 }"),
    "AutoCrop of one size": row("AutoCrop", [(2, 3, 4, 5), (1, 2, 4, 5)]),
    "Gather": row("Gather", [(2, 3, 4)]),
    "Gather two": row("Gather", [(4, 3), (4,)], "loss_weight: 2 loss_weight: 0.7", tops="y z"),
    "ConvolutionDepthwise": convolution("ConvolutionDepthwise", [(2, 3, 5, 4)], "kernel_size: 3 stride: 2 pad: 1"),
    "ConvolutionDepthwise sides": convolution(
        "ConvolutionDepthwise", [(2, 2, 5, 4)], "num_output: 7 group: 5 kernel_size: 5 kernel_h: 2 kernel_w: 3 "
        "pad_h: 0 pad_w: 1 pad: 3 stride: 1 stride_w: 2 dilation: 2 dilation: 1 bias_term: false"),
    "ConvolutionDepthwise two sizes": convolution("ConvolutionDepthwise", [(1, 2, 6, 5)], "kernel_size: 3 "
                                                  "kernel_size: 2 stride: 1 stride: 2 pad: 1 pad: 0"),
    "DepthwiseConvolution": convolution("DepthwiseConvolution", [(2, 4, 5, 4)], "num_output: 4 group: 4 kernel_size: 3 "
                                        "stride: 2 pad: 1"),
    "DepthwiseConvolution of groups": convolution("DepthwiseConvolution", [(2, 4, 5, 3)] * 2, "num_output: 6 group: 2 "
                                                  "kernel_size: 2 dilation: 2 bias_term: false", tops="y z"),
    "DepthwiseConvolution 1-D": convolution("DepthwiseConvolution", [(2, 3, 5)], "num_output: 3 group: 3 "
                                            "kernel_size: 2 pad: 1 stride: 3"),
}
