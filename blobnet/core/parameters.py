"""Parameters with their rules, and the sharing of parameters by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from google.protobuf.message import Message

from blobnet.core.blob import Blob
from blobnet.core.building_log import log
from blobnet.core.layer import Layer
from blobnet.errors import NetError, ShapeError


@dataclasses.dataclass
class Parameter:
    """A parameter blob that a solver updates; lr_mult and decay_mult scale the solver's rate and weight decay."""

    blob: Blob
    layer: Layer
    index: int
    name: str
    lr_mult: float = 1.0
    decay_mult: float = 1.0
    stated: set[str] = dataclasses.field(default_factory=set)  # which of the two a prototxt gave; sharers must agree


def own_or_share(parameters: list[Parameter], layer: Layer, specs: Sequence[Message]) -> None:
    """Append the parameters of `layer` to the net's list, or tie them to the owner that has the same name.

    The owner is the first layer that uses a name. Sharers use its data and diff, so gradients add up. Shapes must be
    equal (share_mode STRICT, the default) or have equal counts (PERMISSIVE); NetError if the multipliers differ.
    """
    owners = {parameter.name: parameter for parameter in parameters if parameter.name}
    for i, (blob, spec) in enumerate(zip(layer.blobs, specs, strict=True)):
        owner = owners.get(spec.name) if spec.name else None
        if owner is None:
            owner = Parameter(blob, layer, i, spec.name)
            parameters.append(owner)
            owners[spec.name] = owner
        else:
            log.info("Sharing parameters '%s' owned by layer '%s', param index %d", spec.name, owner.layer.name,
                     owner.index)
            _check_shapes(owner, layer, i, permissive=spec.share_mode == type(spec).PERMISSIVE)
            blob.share_data(owner.blob)
            blob.share_diff(owner.blob)
        for rule in ("lr_mult", "decay_mult"):
            if spec.HasField(rule):
                value = getattr(spec, rule)
                if rule in owner.stated and getattr(owner, rule) != value:
                    raise NetError(layer.where, f"parameter {i} shares {owner.name!r} with {owner.layer.where}",
                                   expected=f"{rule} {getattr(owner, rule):g}", got=f"{value:g}",
                                   hint="give it in one of them only")
                setattr(owner, rule, value)
                owner.stated.add(rule)


def _check_shapes(owner: Parameter, layer: Layer, i: int, permissive: bool) -> None:
    mine, theirs = layer.blobs[i].shape, owner.blob.shape
    fits = layer.blobs[i].count == owner.blob.count if permissive else mine == theirs
    if not fits:
        raise ShapeError(layer.where, f"parameter {i} shares {owner.name!r} with {owner.layer.where}",
                         expected=f"shape {theirs}" + (" or the same count" if permissive else ""), got=f"shape {mine}",
                         hint="" if permissive else "share_mode: PERMISSIVE asks for equal counts only")
