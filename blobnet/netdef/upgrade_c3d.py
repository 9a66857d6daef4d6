"""Layers of the first version of C3D, whose options stood in those of other types: Convolution, Pooling, ImageData."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.errors import NetError
from blobnet.netdef.fields import copy_field, layer_where

# type, the type whose options it took, where these stand, where its own stand since then
TYPES = (("Convolution3D", "Convolution", "convolution_param", "convolution3d_param"),
         ("Pooling3D", "Pooling", "pooling_param", "pooling3d_param"))
OF_TIME = {"kernel_depth", "temporal_stride", "temporal_pad", "filter_group"}  # fields for these types alone
WITHOUT_EFFECT = "engine"
FILMS = "VideoData"
TRANSFORM_FIELDS = ("scale", "mean_file", "crop_size", "mirror", "mean_value")  # of image_data_param


def is_first_c3d(layer: Message) -> bool:
    """Whether the layer is of one of these types, or of those in two dimensions, and has fields for time there; or
    whether it reads films as image_data_param says."""
    if layer.type == FILMS:
        return layer.HasField("image_data_param")
    return any(layer.type in kinds and layer.HasField(old) and _of_time(getattr(layer, old))
               for *kinds, old, _ in TYPES)


def upgrade_c3d(layer: Message, origin: str) -> None:
    """Move the options of `layer`, for which `is_first_c3d` holds, to where they stand now.

    NetError for a layer in two dimensions, for options in both places, and for a field that has no place there.
    """
    where = layer_where(layer.name, layer.type, origin)
    if layer.type == FILMS:
        _move_film_options(layer, where)
    for kind, flat, old, new in TYPES:
        if layer.type == flat and layer.HasField(old):
            raise NetError(where, f"{_of_time(getattr(layer, old))[0]} in {old} is for the type {kind}")
        if layer.type != kind:
            continue
        if layer.HasField(new):
            raise NetError(where, f"both {old} and {new}", hint=f"keep {new}")
        options, target = getattr(layer, old), getattr(layer, new)
        for field, value in options.ListFields():
            values = [*value] if field.is_repeated else [value]
            if field.name == WITHOUT_EFFECT:
                continue
            if field.name not in target.DESCRIPTOR.fields_by_name or len(values) > 1:
                raise NetError(where, f"{field.name} in {old} has no place in {new}", got=", ".join(map(str, values)),
                               hint=f"write {new}")
            copy_field(values[0], target, field.name)
        layer.ClearField(old)


def _move_film_options(layer: Message, where: str) -> None:
    """Move image_data_param to video_data_param, and what is done with every frame to transform_param."""
    if layer.HasField("video_data_param"):
        raise NetError(where, "both image_data_param and video_data_param", hint="keep video_data_param")
    target = layer.video_data_param
    target.SetInParent()
    for field, value in layer.image_data_param.ListFields():
        if field.name == "mean_value":
            layer.transform_param.mean_value.append(value)
        elif field.name in TRANSFORM_FIELDS:
            copy_field(value, layer.transform_param, field.name)
        elif field.name == "show_data":
            target.show_data = bool(value)
        elif field.name in target.DESCRIPTOR.fields_by_name:
            copy_field(value, target, field.name)
        else:
            raise NetError(where, f"{field.name} in image_data_param has no place in video_data_param",
                           hint="write video_data_param")
    layer.ClearField("image_data_param")


def _of_time(options: Message) -> list[str]:
    return [field.name for field, _ in options.ListFields() if field.name in OF_TIME]
