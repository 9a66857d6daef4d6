"""What layers refuse, and how they say it: where, expected, got, and what to do."""

import numpy as np
import pytest
from layer_rows import build

from blobnet.errors import BlobnetError, DataError, MissingFile, NetError, ShapeError

X, Y, MAP = np.ones((2, 3, 4)), np.ones((2, 3)), np.ones((2, 4, 8, 8))
FILM = np.ones((1, 2, 3, 4, 4))

REFUSED = [  # type, bottoms, options, tops, error, parts of the message
    ("InnerProduct", [X], "", "y", NetError, "expected num_output above 0, got 0; write inner_product_param"),
    ("Convolution", [MAP], "convolution_param { kernel_size: 3 }", "y", NetError,
     "num_output above 0, got 0; write num_output, the channels of the top, in convolution_param"),
    ("Convolution", [MAP], "convolution_param { num_output: 4 }", "y", NetError,
     "kernel_size once or 2 times got 0 times; write convolution_param { kernel_size: 3 } for 3 x 3"),
    ("Convolution", [MAP], "convolution_param { num_output: 8 kernel_size: 3 group: 3 }", "y", NetError,
     "group to divide the channels of the bottom (4), got group 3; write divides channels and num_output: 1, 2, 4"),
    ("Deconvolution", [MAP], "convolution_param { num_output: 6 kernel_size: 3 group: 4 }", "y", NetError,
     "group to divide num_output (6), got group 4; divides channels and num_output: 1, 2"),
    ("InnerProduct", [X], "inner_product_param { num_output: 2 axis: 3 }", "y", ShapeError,
     "expected an axis in [-3, 3) got axis 3"),
    ("Slice", [X], "slice_param { slice_point: 1 }", "a b c", NetError, "expected 2 slice points for 3 tops, got 1"),
    ("Slice", [X], "slice_param { slice_point: 4 }", "a b", ShapeError,
     "slice points that rise within 0 and 3 got [4]"),
    ("Slice", [X], "slice_param { slice_point: 2 slice_point: 1 }", "a b c", ShapeError, "rise got [2, 1]"),
    ("Slice", [X], "", "a b", ShapeError,
     "axis 1 to be a multiple of the 2 tops got (2, 3, 4); give slice_point"),
    ("Slice", [X], "slice_param { axis: -4 }", "a", ShapeError, "got axis -4"),
    ("Concat", [X, Y], "", "y", ShapeError, "bottom 1 'x1' expected shape (2, 3, 4) but for axis 1, got (2, 3)"),
    ("Concat", [X, np.ones((3, 3, 4))], "", "y", ShapeError, "got (3, 3, 4)"),
    ("Concat", [Y, Y], "concat_param { axis: 2 }", "y", ShapeError, "got axis 2"),
    ("Flatten", [X], "flatten_param { axis: 2 end_axis: 0 }", "y", ShapeError,
     "expected end_axis not before axis 2, got 0"),
    ("Eltwise", [X, Y], "", "y", ShapeError, "bottom 1 'x1' expected shape (2, 3, 4), got (2, 3)"),
    ("Eltwise", [X, X], "eltwise_param { coeff: 1 }", "y", NetError, "expected no coeff or one a bottom (2), got 1"),
    ("Eltwise", [X, X], "eltwise_param { operation: PROD coeff: 1 coeff: 2 }", "y", NetError, "PROD; remove coeff"),
    ("Dropout", [X], "dropout_param { dropout_ratio: -0.5 }", "y", NetError, "dropout_ratio < 1, got -0.5"),
    ("Dropout", [X], "dropout_param { dropout_ratio: 1 }", "y", NetError, "got 1.0"),
    ("Softmax", [Y], "softmax_param { axis: 2 }", "y", ShapeError, "got axis 2"),
    ("SoftmaxWithLoss", [Y, np.ones(3)], "", "y", ShapeError, "(2,) rows in both got (2, 3) and (3,)"),
    ("SoftmaxWithLoss", [Y, Y], "", "y", ShapeError,
     "expected 2 labels got 6 one integer label a position; a one-hot row"),
    ("SoftmaxWithLoss", [Y, [0, 1]], "loss_weight: 1", "y p", NetError,
     "one a top (2), got 1; write 0 for tops that are no loss"),
    ("EuclideanLoss", [X, Y], "", "y", ShapeError,
     "as many elements a row in both bottoms, got (2, 3, 4) and (2, 3)"),
    ("EuclideanLoss", [Y, np.ones((3, 3))], "", "y", ShapeError, "rows in both got (2, 3) and (3, 3)"),
    ("Accuracy", [Y, np.ones(3)], "", "y", ShapeError, "expected 2 labels got 3"),
    ("Accuracy", [Y, np.ones(2)], "accuracy_param { top_k: 4 }", "y", ShapeError, "top_k at most the 3 classes, got 4"),
    ("HashingLoss", [np.ones((0, 3)), []], "hashing_loss_param { bi_margin: 6 }", "y", ShapeError,
     "N at least 1, got (0, 3)"),
    ("HashingLoss", [X, [0, 1]], "hashing_loss_param { bi_margin: 24 }", "y", ShapeError,
     "codes (N, K) further axes of size 1, got (2, 3, 4) Flatten"),
    ("HashingLoss", [Y, [0, 1, 2]], "hashing_loss_param { bi_margin: 6 }", "y", ShapeError, "got (2, 3) and (3,)"),
    ("RegionLoss", [MAP, Y], "region_loss_param { num: 2 biases: 1 biases: 2 }", "y", NetError,
     "expected biases above 0, width and height of each of 2 anchors, got [1.0, 2.0]"),
    ("RegionLoss", [MAP, Y], "region_loss_param { num: 1 biases: 1 biases: 0 }", "y", NetError, "got [1.0, 0.0]"),
    ("RegionLoss", [MAP, Y], "region_loss_param { num: 0 }", "y", NetError, "each of 0 anchors"),
    ("RegionLoss", [MAP, Y], "region_loss_param { coords: 5 }", "y", NetError, "coords: 4 and num_class of at least 1, "
     "got 5 and 20"),
    ("RegionLoss", [MAP, Y], 'region_loss_param { softmax_tree: "9k.tree" }', "y", NetError, "not supported; leave"),
    ("RegionLoss", [MAP, Y], "region_loss_param { num: 1 num_class: 1 biases: 1 biases: 1 }", "y", ShapeError,
     "predictions (N, 6, H, W), of 1 anchors, got (2, 4, 8, 8)"),
    ("RegionLoss", [np.ones((2, 6, 3, 3)), Y], "region_loss_param { num: 1 num_class: 1 biases: 1 biases: 1 }", "y",
     ShapeError, "labels (2, ...) of 5 numbers a box, or (1, 1, G, 8), got (2, 3)"),
    ("Yolov3", [MAP, Y], "yolov3_param { num_class: 0 }", "y", NetError,
     "at least 1, label_smooth_eps in [0, 1], got 0, 32 and 0.1"),
    ("Yolov3", [MAP, Y], "yolov3_param { anchors_scale: 0 label_smooth_eps: nan }", "y", NetError, "20, 0 and nan"),
    ("Yolov3", [MAP, Y], "yolov3_param { num: 1 mask: 0 }", "y", NetError, "biases above 0 of each of 0 anchors"),
    ("Yolov3", [MAP, Y], "yolov3_param { num: 1 biases: 1 biases: 1 mask: 1 }", "y", NetError,
     "expected mask, 1 different numbers below 1, which biases have, got [1]"),
    ("Yolov3", [MAP, Y], "yolov3_param { num: 2 biases: [1, 1, 2, 2] mask: [0, 0] }", "y", NetError, "got [0, 0]"),
    ("Yolov3", [MAP, Y], "yolov3_param { num: 1 biases: 1 biases: 1 mask: 0 num_class: 1 }", "y", ShapeError,
     "predictions (N, 6, H, W), of 1 anchors, got (2, 4, 8, 8)"),
    ("YoloSeg", [MAP, MAP], "yolo_seg_param { object_scale: nan }", "y", NetError, "a finite object_scale, got nan"),
    ("YoloSeg", [MAP, Y], "", "y", ShapeError, "as many shares, got (2, 4, 8, 8) and (2, 3)"),
    ("YoloSeg", [MAP, MAP, Y], "", "y", ShapeError, "bottom 2 'x2' expected places (2, 4), got (2, 3)"),
    ("YoloDetectionOutput", [MAP], "yolo_detection_output_param { num_box: 0 }", "y", NetError, "got 20, 0 and 0.45"),
    ("YoloDetectionOutput", [MAP], "yolo_detection_output_param { nms_threshold: 0 }", "y", NetError, "20, 5 and 0"),
    ("YoloDetectionOutput", [MAP], "yolo_detection_output_param { coords: 5 }", "y", NetError, "coords: 4, got 5"),
    ("YoloDetectionOutput", [MAP], "yolo_detection_output_param { num_box: 1 biases: [1, nan] }", "y", NetError,
     "biases above 0, width and height of each of 1 anchors, got [1.0, nan]"),
    ("YoloDetectionOutput", [MAP], "yolo_detection_output_param { num_box: 1 biases: [1, 1] }", "y", ShapeError,
     "bottom 0 'x0' expected predictions (2, 25, H, W), of 1 anchors, got (2, 4, 8, 8)"),
    ("Yolov3DetectionOutput", [MAP], "yolov3_detection_output_param { }", "y", NetError,
     "expected mask_group_num: 1, as many anchors_scale above 0, got 2 and []"),
    ("Yolov3DetectionOutput", [MAP], "yolov3_detection_output_param { mask_group_num: 1 anchors_scale: 0 }", "y",
     NetError, "got 1 and [0]"),
    ("Yolov3DetectionOutput", [MAP], "yolov3_detection_output_param { mask_group_num: 1 anchors_scale: 8 biases: "
     "[1, 1] mask: 0 }", "y", NetError, "expected mask, 3 numbers for 1 maps of 3 anchors, got 1"),
    ("EvalDetection", [Y, Y], "eval_detection_param { side: 0 }", "y", NetError, "got 0, 20 and 2"),
    ("EvalDetection", [Y, Y], "eval_detection_param { side: 100000 }", "y", NetError,
     "no more than 16777216 numbers an image"),
    ("EvalDetection", [Y, Y], "eval_detection_param { threshold: 0 }", "y", NetError,
     "threshold above 0, got 0 and -1"),
    ("EvalDetection", [Y, Y], "eval_detection_param { nms: nan }", "y", NetError, "a number for nms"),
    ("EvalDetection", [Y, Y], "eval_detection_param { side: 1 num_class: 1 num_object: 1 }", "y", ShapeError,
     "bottom 0 'x0' expected (N, …) of 6 numbers an image, got (2, 3)"),
    ("EvalDetection", [np.ones((2, 6)), Y], "eval_detection_param { side: 1 num_class: 1 num_object: 1 }", "y",
     ShapeError, "bottom 1 'x1' expected (N, …) of 7 numbers an image, got (2, 3)"),
    ("EvalDetection", [np.ones((2, 6)), Y], "eval_detection_param { side: 1 num_class: 1 num_object: 1 biases: 1 "
     "biases: 1 }", "y", ShapeError, "expected predictions (N, C, 1, 1), got (2, 6)"),
    ("EvalDetection", [np.ones((2, 6, 1, 1)), Y], "eval_detection_param { side: 1 num_class: 1 num_object: 1 biases: 1 "
     "biases: 1 }", "y", ShapeError, "expected true boxes (1, 1, G, 8), got (2, 3)"),
    ("LSTMNode", [Y, Y], "", "h c", NetError, "expected num_cells of at least 1, got 0; write lstmnode_param"),
    ("LSTMNode", [Y, Y], "lstmnode_param { num_cells: 2 }", "h c", ShapeError,
     "bottom 1 'x1' expected 4 numbers beside x (2, 3), got (2, 3)"),
    ("LSTMNode", [Y, Y, Y], "lstmnode_param { num_cells: 3 }", "h c", ShapeError,
     "bottom 2 'x2' expected 2 numbers beside x (2, 3), got (2, 3)"),
    ("AutoCrop", [MAP, Y], "", "y", ShapeError, "bottom 1 'x1' expected 4 axes (N, C, H, W), got (2, 3)"),
    ("AutoCrop", [MAP, np.ones((1, 1, 8, 7))], "crop_param { offset: 0 offset: 2 }", "y", ShapeError,
     "8 x 7 places after 0 and 2, got (2, 4, 8, 8); 'x1' is (1, 1, 8, 7)"),
    ("Gather", [X, Y], "", "y", NetError, "as many tops as bottoms, got 2 bottoms and 1 tops"),
    ("ConvolutionDepthwise", [MAP], "convolution_param { kernel_size: 3 pad: 1 }", "y", NetError,
     "stride once or twice, 1 or more, got none; no default for it: write stride: 1"),
    ("ConvolutionDepthwise", [MAP], "convolution_param { kernel_size: 3 stride: 1 pad_h: 1 }", "y", NetError,
     "pad once or twice, 0 or more, got none; no default for it: write pad: 0"),
    ("ConvolutionDepthwise", [MAP], "convolution_param { kernel_size: [3, 3, 3] stride: 1 pad: 1 }", "y", NetError,
     "kernel_size once or twice, 1 or more, got (3, 3, 3)"),
    ("ConvolutionDepthwise", [X], "convolution_param { kernel_size: 3 stride: 1 pad: 1 }", "y", ShapeError,
     "4 axes (N, C, H, W), got (2, 3, 4)"),
    ("DepthwiseConvolution", [MAP], "convolution_param { num_output: 4 kernel_size: 3 group: 3 }", "y", NetError,
     "group to divide the channels of the bottom (4), got group 3"),
    ("Permute", [X], "permute_param { order: 1 order: 1 }", "y", NetError,
     "order with different axes in 0 ... 2 of (2, 3, 4), got [1, 1]"),
    ("Permute", [X], "permute_param { order: 3 }", "y", NetError, "got [3]"),
    ("Transpose", [X], "transpose_param { dim: 1 dim: 0 }", "y", NetError,
     "dim once for each of the 3 axes of (2, 3, 4), got [1, 0]; Permute"),
    ("Transpose", [Y], "transpose_param { dim: 1 dim: -2 }", "y", NetError, "different axes in 0 ... 1 got [1, -2]"),
    ("Reverse", [X], "reverse_param { axis: -1 }", "y", ShapeError, "an axis in [0, 3) got axis -1"),
    ("Flip", [X], "", "y", ShapeError, "4 axes (N, C, H, W), got (2, 3, 4)"),
    ("ShuffleChannel", [MAP], "shuffle_channel_param { group: 3 }", "y", NetError,
     "group to divide the channels of the bottom (4), got group 3"),
    ("ShuffleChannel", [MAP], "shuffle_channel_param { group: 0 }", "y", NetError, "got group 0"),
    ("ShuffleChannel", [[1, 2]], "", "y", ShapeError, "2 to 4 axes got (2,)"),
    ("Reorg", [MAP], "", "y", NetError, "stride of at least 1, got none"),
    ("Reorg", [X], "reorg_param { stride: 2 }", "y", ShapeError, "4 axes got (2, 3, 4)"),
    ("Reorg", [MAP], "reorg_param { stride: 4 reverse: true }", "y", ShapeError,
     "channels in multiples of 16, got (2, 4, 8, 8)"),
    ("Reorg", [np.ones((1, 9, 8, 3))], "reorg_param { stride: 3 }", "y", ShapeError, "multiples of the stride 3, got"),
    ("DotProductSimilarity", [X, Y], "", "y", ShapeError,
     "two bottoms (N, ...) with as many elements a row, got (2, 3, 4) and (2, 3)"),
    ("EuclideanSimilarity", [X, X.reshape(3, 2, 4)], "", "y", ShapeError, "got (2, 3, 4) and (3, 2, 4)"),
    ("PairwiseRankingLoss", [X, Y], "", "y", ShapeError, "as many similarities in both bottoms"),
    ("Upsample", [MAP, MAP], "upsample_param { scale: 1 }", "y", NetError, "sizes and scales above 1, got (1, 1)"),
    ("Upsample", [MAP, MAP], "upsample_param { scale_h: 2 }", "y", NetError,
     "expected scale, or scale_h and scale_w, or upsample_h and upsample_w, got scale_h"),
    ("Upsample", [MAP, MAP], "upsample_param { scale: 3 pad_out_w: true }", "y", NetError,
     "expected a scale of 2 where pad_out_h or pad_out_w is true, got (3, 3)"),
    ("Upsample", [MAP, MAP[:, :2]], "", "y", ShapeError, "one shape (N, C, H, W), got (2, 4, 8, 8) and (2, 2, 8, 8)"),
    ("Upsample", [MAP], "upsample_param { scale: 0 }", "y", NetError, "scales of at least 1, got (0, 0)"),
    ("Upsample", [MAP], "upsample_param { scale_w: 2 }", "y", NetError, "scale, or scale_h and scale_w, got scale_w"),
    ("Upsample", [MAP], "upsample_param { upsample_h: 9 }", "y", NetError, "expected 2 bottom blobs, got 1"),
    ("Upsample", [X], "", "y", ShapeError, "axes (N, C, H, W), got (2, 3, 4)"),
    ("Interp", [MAP], "", "y", NetError, "expected height and width, zoom_factor or shrink_factor, got none of them"),
    ("BatchNorm", [MAP], "batch_norm_param { stats_batch_size: 1 use_global_stats: false }", "y", NetError,
     "expected a batch of 1, as stats_batch_size is, got 2"),
    ("Pooling", [MAP], "pooling_param { kernel_size: 20 }", "y", ShapeError,
     "a plane that fits a (20, 20) window, got (2, 4, 8, 8); take larger images, lower kernel_size"),
    ("Interp", [MAP], "interp_param { use_blob_size: true height: 2 width: 2 }", "y", NetError,
     "expected a second bottom, as use_blob_size is true, got 1 bottom"),
    ("Interp", [MAP], "interp_param { zoom_factor: 2 pad_beg: 1 }", "y", NetError, "at most 0 got 1 and 0"),
    ("Interp", [MAP], "interp_param { zoom_factor: 0 }", "y", NetError, "at least 1, got 1 and 0"),
    ("Interp", [MAP], "interp_param { zoom_factor: 2 pad_beg: -4 pad_end: -4 }", "y", ShapeError,
     "a plane that is not empty, got (0, 0)"),
    ("Interp", [X], "interp_param { zoom_factor: 2 }", "y", ShapeError, "axes (N, C, H, W), got (2, 3, 4)"),
    ("SegAccuracy", [MAP, MAP], "", "y", ShapeError,
     "scores (N, C, H, W) and labels (N, 1, H, W), got (2, 4, 8, 8) and (2, 4, 8, 8)"),
    ("Convolution3D", [MAP], "", "y", ShapeError, "axes (N, C, L, H, W), got (2, 4, 8, 8)"),
    ("Convolution3D", [FILM], "convolution3d_param { num_output: 2 kernel_size: 3 }", "y", NetError,
     "expected kernel_depth above 0, got 0; write it in convolution3d_param"),
    ("Convolution3D", [FILM], "convolution3d_param { num_output: 3 kernel_size: 1 kernel_depth: 1 filter_group: 2 }",
     "y", NetError, "filter_group to divide num_output (3), got 2"),
    ("Convolution3D", [FILM], "convolution3d_param { num_output: 3 kernel_size: 1 kernel_depth: 4 }", "y", ShapeError,
     "the kernel (4, 1, 1) fits into, got (1, 2, 3, 4, 4); lower kernel_size or kernel_depth"),
    ("Pooling3D", [MAP], "pooling3d_param { kernel_size: 2 kernel_depth: 2 }", "y", ShapeError, "axes (N, C, L, H, W)"),
    ("Pooling3D", [FILM], "pooling3d_param { kernel_size: 2 }", "y", NetError, "expected kernel_depth above 0, got 0"),
    ("Pooling3D", [FILM], "pooling3d_param { kernel_size: 2 kernel_depth: 1 pad: 1 }", "y", NetError,
     "expected pad 0 with pool: MAX, got 1"),
    ("Pooling3D", [FILM], "pooling3d_param { kernel_size: 2 kernel_depth: 1 pool: STOCHASTIC }", "y", NetError,
     "expected pool: MAX or AVE, got STOCHASTIC"),
    ("Pooling3D", [FILM], "pooling3d_param { kernel_size: 2 kernel_depth: 5 }", "y", ShapeError,
     "frames and planes that fit a (5, 2, 2) window, got (1, 2, 3, 4, 4)"),
    ("Softmax", [X], "loss_weight: 1 loss_weight: 1", "y", NetError, "one a top (1), got 2"),
    ("InnerProduct", [X], "inner_product_param { num_output: 2 }", "x0", NetError,
     "cannot work in place; give the top a name"),
    ("InnerProduct", [X], 'inner_product_param { num_output: 2 weight_filler { type: "xavir" } }', "y", NetError,
     "unknown filler 'xavir'; did you mean 'xavier'?"),
]


@pytest.mark.parametrize(("kind", "values", "options", "tops", "error", "parts"), REFUSED)
def test_refused(kind, values, options, tops, error, parts):
    with pytest.raises(error) as caught:
        build(kind, values, options, tops)
    message = str(caught.value)
    assert message.startswith(f"layer 'it' ({kind}): ")
    assert "\n" not in message
    position = 0
    for part in parts.split():  # the words in this order, others may stand between
        position = message.index(part, position) + len(part)


NO_FILE = "no such file: there is no folder '{0}/no'"
MISSING = [  # type, bottoms, options, tops, error, parts of the message; {0} is a folder with lists
    ("ImageData", [], 'image_data_param { source: "{0}/no/list" batch_size: 1 }', "d l", MissingFile, NO_FILE),
    ("ImageData", [], 'image_data_param { source: "{0}/images" batch_size: 1 }', "d l", MissingFile,
     "{0}/images:1: {0}/no/a.png: " + NO_FILE + "; root_folder"),
    ("ImageData", [],
     'image_data_param { source: "{0}/images" batch_size: 1 } transform_param { mean_file: "{0}/no/m" }', "d l",
     MissingFile, "{0}/no/m: " + NO_FILE),
    ("HDF5Data", [], 'hdf5_data_param { source: "{0}/no/list" batch_size: 1 }', "d", MissingFile, NO_FILE),
    ("HDF5Data", [], 'hdf5_data_param { source: "{0}/files" batch_size: 1 }', "d", MissingFile,
     "{0}/files, file 1: {0}/no/a.h5: " + NO_FILE),
    ("WindowData", [], 'window_data_param { source: "{0}/no/w" batch_size: 1 } transform_param { crop_size: 4 }', "d l",
     MissingFile, NO_FILE),
    ("AnnotatedData", [], 'data_param { source: "{0}/no/db" batch_size: 1 }', "d l", DataError,
     "database '{0}/no/db': no such folder"),
    ("Data", [], 'data_param { source: "{0}/no/db" batch_size: 1 }', "d l", DataError,
     "database '{0}/no/db': no such folder"),
    ("InfogainLoss", [Y, [0, 1]], 'infogain_loss_param { source: "{0}/no/H" }', "y", MissingFile,
     "{0}/no/H: " + NO_FILE),
]


@pytest.mark.parametrize(("kind", "values", "options", "tops", "error", "parts"), MISSING)
def test_missing_files(kind, values, options, tops, error, parts, tmp_path):
    (tmp_path / "images").write_text(f"{tmp_path}/no/a.png 1\n")
    (tmp_path / "files").write_text(f"{tmp_path}/no/a.h5\n")
    with pytest.raises(error) as caught:
        build(kind, values, options.replace("{0}", str(tmp_path)), tops)
    message, position = str(caught.value), 0
    for part in parts.replace("{0}", str(tmp_path)).split():
        position = message.index(part, position) + len(part)


@pytest.mark.parametrize(("kind", "first", "second", "options"), [
    ("InnerProduct", (2, 3), (2, 4), "inner_product_param { num_output: 2 }"),
    ("Slice", (2, 4), (2, 5), "slice_param { }")])
def test_new_shapes_are_checked_before_forward(kind, first, second, options):
    alone = build(kind, [np.ones(first)], options, "a b" if kind == "Slice" else "y")
    alone.forward()
    alone.values = [np.ones(second)]
    with pytest.raises(ShapeError) as caught:
        alone.forward()
    assert caught.value.expected is not None
    assert str(second) in str(caught.value)


@pytest.mark.parametrize(("kind", "label"), [("SoftmaxWithLoss", 3), ("SoftmaxWithLoss", -1), ("Accuracy", 3)])
def test_labels_are_checked_in_forward(kind, label):
    alone = build(kind, [np.ones((2, 3)), [0, label]])
    with pytest.raises(DataError, match=f"0 ... 2, got {label}") as caught:
        alone.forward()
    assert isinstance(caught.value, BlobnetError)
