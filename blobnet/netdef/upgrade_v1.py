"""The second generation of nets, `layers { type: CONVOLUTION … }`, made into the present one, `layer { … }`.

What changes: the type, an enum that becomes a string, and four parallel lists that become one ParamSpec a parameter.
An early draft had enable and disable for include and exclude.
"""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.netdef.fields import copy_field, layer_where, without

TYPES = {
    "NONE": "", "ABSVAL": "AbsVal", "ACCURACY": "Accuracy", "ARGMAX": "ArgMax", "BN": "BN", "BNLL": "BNLL",
    "CONCAT": "Concat", "CONTRASTIVE_LOSS": "ContrastiveLoss", "CONVOLUTION": "Convolution", "DATA": "Data",
    "DECONVOLUTION": "Deconvolution", "DROPOUT": "Dropout", "DUMMY_DATA": "DummyData", "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss", "EXP": "Exp", "FLATTEN": "Flatten", "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output", "HINGE_LOSS": "HingeLoss", "IM2COL": "Im2col", "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss", "INNER_PRODUCT": "InnerProduct", "LRN": "LRN", "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss", "MVN": "MVN", "POOLING": "Pooling", "POWER": "Power",
    "RELU": "ReLU", "SIGMOID": "Sigmoid", "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence", "SLICE": "Slice", "SOFTMAX": "Softmax", "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split", "TANH": "TanH", "THRESHOLD": "Threshold", "WINDOW_DATA": "WindowData",
    "CONVOLUTION3D": "Convolution3D", "POOLING3D": "Pooling3D", "VIDEO_DATA": "VideoData",  # of C3D
    "IMAGE_SEG_DATA": "ImageSegData", "WINDOW_SEG_DATA": "WindowSegData",  # of DeconvNet
    "CROP": "AutoCrop",  # of FCN's first nets, whose layer found the offset itself
    "BATCH_NORM": "BatchNorm", "ELTWISE_PRODUCT": "Eltwise", "INPUT": "Input", "NORMALIZE": "Normalize",
    "PRELU": "PReLU", "RELU6": "ReLU6", "ROIPOOLING": "ROIPooling",  # of other forks and drafts
}
RULES = {"enable": "include", "disable": "exclude"}  # names in an early draft, and those of today
# parallel lists of the second generation, one entry a parameter: the field of ParamSpec they become
PARAM_LISTS = {"param": "name", "blob_share_mode": "share_mode", "blobs_lr": "lr_mult", "weight_decay": "decay_mult"}
# data layers whose options held fields that moved to transform_param
DATA_OPTIONS = {"Data": "data_param", "ImageData": "image_data_param", "WindowData": "window_data_param"}
TRANSFORM_FIELDS = ("scale", "mean_file", "crop_size", "mirror")


def upgrade_v1(message: Message, origin: str = "") -> Message:
    """`message` with its `layers` made into `layer`; itself if it has none.

    NetError for `layer` and `layers` in one net, and for fields that the present generation does not have.
    Quirks: scale, mean_file, crop_size and mirror inside data_param, image_data_param and window_data_param move to
    transform_param for layers of this generation only; in a present-day `layer` they stay where they are, unread.
    """
    if not message.layers:
        return message
    if message.layer:
        raise NetError(origin or "net", f"both 'layer' ({len(message.layer)}) and 'layers' ({len(message.layers)})",
                       hint='write every layer as layer { type: "Convolution" … }')
    net = without(message, "layers")
    for old in message.layers:
        _upgrade_layer(old, net.layer.add(), origin)
    return net


def _upgrade_layer(old: Message, new: Message, origin: str) -> None:
    for field, value in old.ListFields():
        if field.name == "type":
            name = field.enum_type.values_by_number[value].name
            new.type = TYPES.get(name, name)  # a plug-in's own name stays as it is
            if name == "ELTWISE_PRODUCT":
                new.eltwise_param.operation = new.eltwise_param.PROD
        elif field.name in RULES:
            getattr(new, RULES[field.name]).extend(value)
        elif field.name in PARAM_LISTS:
            while len(new.param) < len(value):
                new.param.add()
            for spec, item in zip(new.param, value):
                setattr(spec, PARAM_LISTS[field.name], item)
        elif field.name in new.DESCRIPTOR.fields_by_name:
            copy_field(value, new, field.name)
        else:
            raise NetError(layer_where(old.name, new.type, origin), f"field {field.name!r} has no place in 'layer'",
                           hint="remove it, or write the net with 'layer' instead of 'layers'")
    options_field = DATA_OPTIONS.get(new.type)
    if options_field and new.HasField(options_field):
        options = getattr(new, options_field)
        for name in TRANSFORM_FIELDS:
            if options.HasField(name):
                setattr(new.transform_param, name, getattr(options, name))
                options.ClearField(name)
