"""What a drafted net has between its images and its codes: the layers of a published net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from blobnet.errors import DataError, close_matches
from blobnet.proto.files import read_message
from blobnet.published import ROOT
from blobnet.recipes.drafts.heads import CODE, METHODS, NET, method_layers

SMALL = "small"
PLAIN, LONGEST = 32, 4  # the side of images that the small net was made for; its longest step


@dataclass(frozen=True)
class Trunk:
    """layers: LayerParameters from the blob "data" on; top: the blob that they end in; crop: the side of the images
    that they take, 0 for any; means: of the channels of these, blue, green, red, () if the mean is that of the data.
    """

    layers: Sequence[Message]
    top: str
    crop: int = 0
    means: Sequence[float] = ()


NETS = {SMALL: NET, "alexnet": "alexnet/train_val", "vgg16": "vgg/train_val_16", "vgg19": "vgg/train_val_19",
        "resnet50": "resnet/train_val_50", "resnet101": "resnet/train_val_101", "resnet152": "resnet/train_val_152"}


def read_trunk(name: str, size: tuple[int, int]) -> Trunk:
    """The trunk of that name, one of NETS, for images of `size` (H, W): what lies before the codes, or in a published
    net before the last InnerProduct; DataError for unknown ones.

    The small net is that of prototxt/hashing, made for images of 32 x 32: its first convolution takes longer steps
    through larger ones, so that they cost hardly more.
    """
    if name not in NETS:
        raise DataError(f"net {name!r}", "is not known", hint=close_matches(name, NETS))
    if name == SMALL:
        layers = method_layers(METHODS[0])
        layers = layers[:[layer.name for layer in layers].index(CODE)]
        stride = min(min(size) // PLAIN, LONGEST)
        if stride > 1:
            options = layers[0].convolution_param
            options.stride.append(stride)
            options.kernel_size[0], options.pad[0] = 2 * stride - 1, stride - 1
        return Trunk(layers, layers[-1].top[0])
    net = read_message(ROOT / "prototxt" / f"{NETS[name]}.prototxt", "NetParameter")
    last = max(i for i, layer in enumerate(net.layer) if layer.type == "InnerProduct")
    reader = net.layer[0].transform_param
    return Trunk([layer for layer in net.layer[:last] if layer.bottom], net.layer[last].bottom[0], reader.crop_size,
                 tuple(reader.mean_value))
