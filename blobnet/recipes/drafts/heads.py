"""What a drafted net has from its features to its losses: the heads of prototxt/hashing."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.core.context import TRAIN
from blobnet.netdef.load import load_filtered
from blobnet.published import ROOT

NET = "hashing/train_test"  # of prototxt/; its stages are methods
CODE = "code"               # the layer and the blob of real numbers whose signs are the bits, in that net and in drafts
METHODS = ("dsh", "hashnet")


def read_head(method: str, top: str, bits: int, rates: tuple[float, float] | None = None) -> list[Message]:
    """The layers from the blob `top` on for codes of so many bits, by one of METHODS.

    What depends on the length follows it: DSH's margin is 2 K, HashNet's alpha 10 / K. `rates` are the lr_mult of the
    weights and the biases of the layer of the codes, if they are not those of that net.
    """
    layers = method_layers(method)
    head = layers[[layer.name for layer in layers].index(CODE):]
    head[0].bottom[0], head[0].inner_product_param.num_output = top, bits
    for rule, rate in zip(head[0].param, rates or ()):
        rule.lr_mult = rate
    for layer in head:
        layer.ClearField("include")
        if layer.type == "HashingLoss":
            layer.hashing_loss_param.bi_margin = 2 * bits
        if layer.type == "PairwiseLoss":
            layer.pairwise_param.sigmoid_param = 10 / bits
    return head


def method_layers(method: str) -> list[Message]:
    """The layers of that net in the stage of a method, without those that read the images."""
    path = ROOT / "prototxt" / f"{NET}.prototxt"
    return [layer for layer in load_filtered(path, TRAIN, 0, [method], str(path)).layer if layer.bottom]
