"""What to do about a field that a message does not have: where it belongs, or what was meant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from google.protobuf.descriptor import Descriptor

from blobnet.errors import VERY_NEAR, close_matches, did_you_mean, nearest

LAYERS = ("LayerParameter", "V1LayerParameter")
ROOTS = ("NetParameter", "SolverParameter")
UNWRITTEN = ("BlobProto", "V0LayerParameter", "V1LayerParameter")  # messages that nobody should begin to write
OLD_RULES = {"blobs_lr": "lr_mult", "weight_decay": "decay_mult"}  # of the old layers { }, and their names of today
PLUGIN = ("write it as a plug-in (such as examples/02_plugin_layer.py; `blobnet prototxt copy examples` writes it) and "
          "give it to --plugin or blobnet.load_plugin")


@cache
def unknown_field(name: str, messages: Sequence[Descriptor], layer_type: str = "", net: str = "") -> str:
    """A hint for the unknown field `name` in the last of `messages`, each of which stands in the one before.

    `layer_type` is the type of the layer it stands in, `net` the net that the file names, if they are known.
    """
    message, places = messages[-1], _fields_with(name, messages[-1])
    if message.name == "LayerParameter" and name in OLD_RULES:
        return f"{name} is of the old layers {{ … }}; in a layer write param {{ {OLD_RULES[name]}: … }}, one a " \
               "parameter"
    if len(messages) == 1 and message.name in ROOTS and name in _other_root(message).fields_by_name:
        if message.name == "SolverParameter":
            return "this is a net; give its solver file"
        if not places:
            return "this is a solver file; " + (f"its net is {net!r}" if net else "give its net")
    if not places and message.name in LAYERS and name.endswith("_param"):
        return did_you_mean(_options(name, layer_type, message)) or _of_a_plugin(layer_type)
    if not places and not nearest(name, message.fields_by_name):
        places = next(filter(None, (_fields_with(name, outer) for outer in reversed(messages[:-1]))), [])
    if not places:
        return close_matches(name, message.fields_by_name)
    own = [field for field in places if _is_of(field, layer_type)]
    return "it belongs into " + " or ".join(f"{field} {{ … }}" for field in (own or places)[:3])


def _other_root(message: Descriptor) -> Descriptor:
    (other,) = set(ROOTS) - {message.name}
    return message.file.message_types_by_name[other]


def _fields_with(name: str, message: Descriptor) -> list[str]:
    """The fields of `message` whose messages have a field `name`."""
    return [field.name for field in message.fields if field.message_type and field.message_type.name not in UNWRITTEN
            and name in field.message_type.fields_by_name]


def _options(name: str, layer_type: str, message: Descriptor) -> list[str]:
    """The options of a layer that `name` may stand for: those of its type, or else fields of nearly this name."""
    known = {field.removesuffix("_param"): field for field in message.fields_by_name if field.endswith("_param")}
    return ([field for field in known.values() if _is_of(field, layer_type)]
            or [known[stem] for stem in nearest(name.removesuffix("_param"), known, cutoff=VERY_NEAR)])


def _is_of(field: str, layer_type: str) -> bool:
    """Whether `field`, such as inner_product_param, holds the options of `layer_type`."""
    return field.replace("_", "") == f"{layer_type}param".lower()


def _of_a_plugin(layer_type: str) -> str:
    named = f" {layer_type!r}" if layer_type else ""
    return f"these are options of a layer type{named} that neither Caffe 1.0 nor the forks here have: {PLUGIN}"
