"""Building: from the definition of a net to its layers, blobs and parameters, wired by the names of the blobs."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.core.blob import Blob
from blobnet.core.building_log import log_end, log_plan, log_shapes, log_wiring
from blobnet.core.context import Context
from blobnet.core.flat import Flat
from blobnet.core.layer import Layer
from blobnet.core.names import Names
from blobnet.core.node import Node
from blobnet.core.parameters import Parameter, own_or_share
from blobnet.core.registry import class_of
from blobnet.core.trouble import explained
from blobnet.core.wiring import Plan, plan_backward
from blobnet.errors import NetError
from blobnet.netdef.ignored import refuse
from blobnet.proto.messages import message_class


class Building:
    """What a definition, whose splits are inserted, builds.

    nodes: the layers with their blobs, in order; blobs: the blobs by name; parameters: every parameter with its rules,
    shared ones once; param_diffs: their diffs, in one array; outputs: the names of the blobs that no layer reads,
    sorted.
    Raises NetError and ShapeError, with the line of the layer in the file `origin`, if that is not "".
    """

    def __init__(self, definition: Message, phase: int, context: Context, origin: str = ""):
        self.context = context
        self.nodes: list[Node] = []
        self.blobs: dict[str, Blob] = Names(what="blob")
        self.parameters: list[Parameter] = []
        self._unread: set[str] = set()
        for param in definition.layer:
            if not param.HasField("phase"):
                param.phase = phase
            self._place(param, origin)
        self.param_diffs = Flat([parameter.blob for parameter in self.parameters], "diff", context.xp, context.dtype)
        self.outputs = sorted(self._unread)
        self._plan(definition.force_backward)
        log_end(self.outputs)

    def _place(self, param: Message, origin: str) -> None:
        """Add a layer; errors say where it stands in the file `origin`."""
        with explained(param, origin):
            self._add(param)

    def _add(self, param: Message) -> None:
        refuse(param)
        cls = class_of(param)
        cls.complete(param, [node.layer.param for node in self.nodes])
        layer = cls(param, self.context, len(self.nodes))
        bottoms = [self.blobs[name] for name in param.bottom]  # they are there: the splits were inserted
        self._unread.difference_update(param.bottom)
        tops = [self._top(layer, i, name) for i, name in enumerate(param.top)]
        tops += [self._blob(layer, "an automatic top") for _ in range(cls.unnamed_tops(len(bottoms), len(tops)))]
        if len(param.propagate_down) not in (0, len(bottoms)):
            raise NetError(layer.where, expected=f"no propagate_down or one a bottom ({len(bottoms)})",
                           got=len(param.propagate_down))
        node = Node(layer, bottoms, tops)
        log_wiring(node)
        layer.initialize(bottoms, tops)
        self.nodes.append(node)
        log_shapes(self.nodes)
        specs = _param_specs(layer)
        own_or_share(self.parameters, layer, specs)
        layer.param_propagate_down = [spec.lr_mult != 0 for spec in specs]

    def _top(self, layer: Layer, i: int, name: str) -> Blob:
        self._unread.add(name)
        if layer.param.bottom[i:i + 1] == [name]:
            return self.blobs[name]  # in place
        if name in self.blobs:
            raise NetError(layer.where, f"top {i}, {name!r}, is made already", hint=self._made_twice(layer, name))
        self.blobs[name] = self._blob(layer, f"top {name!r}")
        return self.blobs[name]

    def _made_twice(self, layer: Layer, name: str) -> str:
        """What to do about a top of `layer` whose name an earlier layer gave to one of its own."""
        first = next((node.layer.param for node in self.nodes if name in node.top_names), None)
        if first is not None and not first.bottom and not layer.param.bottom:
            return f"so it is by layer {first.name!r}: if they have the data of two phases, give one include " \
                   "{ phase: TRAIN } and the other include { phase: TEST }"
        return "rename it; in place takes the bottom of the same position, if nobody else reads it"

    def _blob(self, layer: Layer, name: str) -> Blob:
        return Blob((), self.context.xp, self.context.dtype, f"{layer.where}, {name}")

    def _plan(self, force: bool) -> None:
        layers = [node.layer for node in self.nodes]
        plans = [Plan(node.bottom_names, node.top_names, [bool(weight) for weight in layer.loss_weights],
                      layer.param_propagate_down, list(layer.param.propagate_down), layer.unforced_bottoms,
                      layer.ignores_propagate_down, layer.same_bottoms_tops and layer.passes_labels)
                 for node, layer in zip(self.nodes, layers)]
        plan_backward(plans)
        log_plan([layer.name for layer in layers], plans)
        if force:
            plan_backward(plans, force)
            for layer in layers:
                layer.param_propagate_down = [True] * len(layer.blobs)
        for node, plan in zip(self.nodes, plans, strict=True):
            node.needs_backward, node.bottom_needs_backward = plan.needs_backward, plan.bottom_needs_backward


def _param_specs(layer: Layer) -> list[Message]:
    """What the prototxt says of each parameter, with nothing said of those that it leaves out."""
    specs = list(layer.param.param)
    if len(specs) > len(layer.blobs):
        raise NetError(layer.where, expected=f"at most {len(layer.blobs)} param specifications", got=len(specs))
    return specs + [message_class("ParamSpec")() for _ in range(len(layer.blobs) - len(specs))]
