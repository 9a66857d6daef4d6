"""The generation of a net, and the programs whose layers or fields it has."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import Message

PROGRAMS = {  # what tells a program: layer types, or fields of layers with dots between them
    "SSD": {"AnnotatedData", "PriorBox", "MultiBoxLoss", "DetectionOutput", "DetectionEvaluate", "Permute",
            "norm_param", "transform_param.resize_param", "transform_param.emit_constraint",
            "transform_param.distort_param"},
    "Faster R-CNN": {"ROIPooling", "SmoothL1Loss", "Proposal"},
    "R-FCN": {"PSROIPooling", "BoxAnnotatorOHEM", "SmoothL1LossOHEM", "SoftmaxWithLossOHEM"},
    "SegNet": {"Upsample", "DenseImageData", "dense_image_data_param", "bn_param.scale_filler", "bn_param.bn_mode"},
    "PSPNet": {"Interp", "SegAccuracy", "bn_param.slope_filler", "ImageSegData"},
    "C3D": {"Convolution3D", "Pooling3D", "convolution3d_param", "pooling3d_param"},
    "NVIDIA's Caffe": {"batch_norm_param.scale_bias", "batch_norm_param.scale_filler", "L1Loss",
                       "forward_type", "backward_type"},
    "Intel's Caffe": {"transform_param.random_resize_param", "convolution_param.quantization_param"},
    "the Windows fork": {"InnerDistance", "GeneralTripletLoss", "GeneralContrastiveLoss", "Flip", "Gather"},
    "CTPN": {"Lstm", "Transpose", "Reverse"},
    "YOLO": {"Reorg", "RegionLoss", "EvalDetection", "Yolov3", "YoloSeg", "YoloDetectionOutput",
             "Yolov3DetectionOutput"},
    "SENet": {"Axpy"}, "ShuffleNet": {"ShuffleChannel"}, "SphereFace": {"MarginInnerProduct"},
    "MobileNet": {"DepthwiseConvolution", "ConvolutionDepthwise"},
    "DSH": {"HashingLoss", "hashing_loss_param"}, "HashNet": {"pairwise_param", "ScaleTanH"},
    "center loss": {"CenterLoss"}, "DNNH": {"TripletRankingHingeLoss", "PiecewiseThreshold"},
}


def generation(net: Message) -> str:
    """ "V0", "V1" or "today", by how the layers of a net, as it was read, are written."""
    if any(layer.HasField("layer") for layer in net.layers):
        return "V0"
    return "V1" if net.layers else "today"


def programs(net: Message) -> list[str]:
    """The programs beside Caffe 1.0 that an upgraded net shows signs of, those with the most signs first."""
    signs = set()
    for layer in net.layer:
        signs |= {layer.type, *_fields(layer)}
    shown = {name: len(signs & theirs) for name, theirs in PROGRAMS.items()}
    return sorted((name for name, count in shown.items() if count), key=lambda name: -shown[name])


def _fields(message: Message) -> Iterator[str]:
    """The fields that are set, and those of their messages."""
    for field, value in message.ListFields():
        yield field.name
        if field.message_type and not field.is_repeated:
            for inner, _ in value.ListFields():
                yield f"{field.name}.{inner.name}"
