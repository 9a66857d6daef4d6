"""The messages and enums of the schema under the names that protoc would give them in a generated module.

    NetParameter, …               message classes; nested enums and their values are attributes of these
    Phase, TRAIN, TEST            enums of the file and their values
    DESCRIPTOR                    of the file
    _NETPARAMETER, _V1LAYERPARAMETER_LAYERTYPE, …      descriptors of messages and enums, as older protoc named them

Nothing is kept here: a plug-in that extends the schema makes new classes, and they are what the next access gives.
Names that only plug-ins and forks have are here as well. text_format of google.protobuf works on all of them.
"""

from __future__ import annotations

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from blobnet.errors import close_matches
from blobnet.proto.messages import message_class


def __getattr__(name: str):
    file = message_class("NetParameter").DESCRIPTOR.file
    if name == "DESCRIPTOR":
        return file
    if name == "__all__":
        return _names(file)
    if name in file.message_types_by_name:
        return message_class(name)
    if name in file.enum_types_by_name:
        return EnumTypeWrapper(file.enum_types_by_name[name])
    for enum in file.enum_types_by_name.values():
        if name in enum.values_by_name:
            return enum.values_by_name[name].number
    if name.startswith("_") and name in (found := _descriptors(file)):
        return found[name]
    hint = "" if name.startswith("__") else close_matches(name, _names(file))
    raise AttributeError(f"module 'caffe_pb2' has no {name!r}" + (f"; {hint}" if hint else ""))


def __dir__() -> list[str]:
    return sorted([*globals(), "DESCRIPTOR", *_names(message_class("NetParameter").DESCRIPTOR.file)])


def _names(file) -> list[str]:
    values = [value for enum in file.enum_types_by_name.values() for value in enum.values_by_name]
    return [*file.message_types_by_name, *file.enum_types_by_name, *values]


def _descriptors(scope, prefix: str = "") -> dict:
    """Descriptors of the messages and enums in `scope`, a file or a message, nested ones too."""
    found = {}
    for kinds in ("message_types_by_name", "nested_types_by_name"):
        for name, message in getattr(scope, kinds, {}).items():
            found[f"{prefix}_{name.upper()}"] = message
            found |= _descriptors(message, f"{prefix}_{name.upper()}")
    for name, enum in scope.enum_types_by_name.items():
        found[f"{prefix}_{name.upper()}"] = enum
    return found
