"""Net: layers wired by the names of their blobs."""

from __future__ import annotations

import contextlib
import numbers
import os
from collections.abc import Iterator, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import as_numbers, device_module, single_threaded_blas
from blobnet.core.blob import CHANNELS_LAST, Blob, channels_last
from blobnet.core.building_log import log_definition, log_end, log_plan, log_shapes, log_wiring
from blobnet.core.context import TEST, Context
from blobnet.core.debug_info import DebugInfo
from blobnet.core.layer import Layer
from blobnet.core.names import Names
from blobnet.core.node import Node
from blobnet.core.parameters import Parameter, own_or_share
from blobnet.core.registry import layer_class
from blobnet.core.running import OneThread
from blobnet.core.trouble import explain
from blobnet.core.watching import Watched
from blobnet.core.weights import copy_weights, none_copied, write_net
from blobnet.core.weights_hdf5 import copy_hdf5, write_hdf5
from blobnet.core.wiring import Plan, plan_backward
from blobnet.errors import NetError, ShapeError, UnknownLayer, close_matches
from blobnet.netdef.load import load_filtered
from blobnet.netdef.splits import insert_splits
from blobnet.proto.hdf5 import is_hdf5, named_hdf5
from blobnet.proto.messages import message_class

DTYPES = ("float32", "float64")


class Net(Watched):
    """A network built from a definition, ready to run.

    blobs: the blobs by name; params: the parameter blobs by layer name; layers and layer_dict: the layers in order and
    by name; inputs and outputs: names of the blobs that Input layers make and that no layer reads; parameters: every
    parameter with its rules, shared ones once; loss: the weighted loss of the last forward.

    One thread at a time may run a net, and NetError tells another one; several nets may run at once. The bits of all
    results are the same with any number of worker threads (BLOBNET_NUM_THREADS).

    Watchers (`watch`, `watched_by`) are told before_forward(node) and after_forward(node) of every layer that runs,
    before_backward(node) and after_backward(node) also of those that have nothing to do backward; and before and after
    each pass before_forward_pass(whole), after_forward_pass(whole), before_backward_pass(whole) and
    after_backward_pass(whole), where whole says that it goes through the whole net, without start and end. A Node has
    the layer and its blobs. A pass that an error ends tells nothing more.
    """

    events = tuple(f"{when}_{which}{what}" for which in ("forward", "backward") for when in ("before", "after")
                   for what in ("", "_pass"))

    def __init__(self, source: str | os.PathLike | Message, phase: int = TEST,
                 weights: str | os.PathLike | Message | Sequence | None = None, *, level: int = 0,
                 stages: Sequence[str] = (), device: str = "cpu", dtype: str = "float32",
                 random_seed: int | None = None, origin: str | os.PathLike | None = None,
                 python_layers: bool = False):
        """Read, upgrade, filter and wire the net of `source`, a file (prototxt, YAML, binary) or a NetParameter.

        phase: TRAIN or TEST. With level, a number, and stages, names beside those that the net itself has, it decides
        which layers are in, by their include and exclude rules.
        weights: one or several to copy parameters from, as `copy_from` takes them.
        device: "cpu", "gpu" or "gpu:1", where the arrays of all blobs live; dtype: their type, float32 or float64.
        random_seed: a number, not negative, that makes fillers, dropout and data order repeatable; without it every net
        is different.
        origin: the file that a NetParameter was made from, which errors then show.
        python_layers: whether layers of the type Python may import the modules that the net names, and run their code.
        Raises ParseError, NetError, ShapeError, DeviceError; NetError too for weights none of whose layers is here.
        """
        super().__init__()
        if random_seed is not None and random_seed < 0:
            raise NetError("random_seed", expected="0 or more", got=random_seed, hint="leave it out for any seed")
        self._origin = origin if isinstance(source, Message) else source
        where = os.fspath(self._origin or "")
        filtered = load_filtered(source, phase, level, stages, where)
        log_definition(filtered)
        definition = insert_splits(filtered, where)
        drawn = np.random.SeedSequence().generate_state(1, np.uint64)
        seed = int(drawn[0]) >> 1 if random_seed is None else random_seed
        self.device, self.phase = device, phase
        self.context = Context(device_module(device), _dtype(dtype), int(seed), python_layers=python_layers)
        self.name = definition.name
        self.definition = definition
        self.layers: list[Layer] = []
        self.layer_dict: dict[str, Layer] = Names(what="layer")
        self.blobs: dict[str, Blob] = Names(what="blob")
        self.params: dict[str, list[Blob]] = Names(what="layer with parameters")
        self.parameters: list[Parameter] = []
        self.inputs: list[str] = []
        self.loss = 0.0
        self.one_thread = OneThread(f"net {self.name!r}")
        self.nodes: list[Node] = []
        self._debug_info = DebugInfo(self.parameters)
        unread: dict[str, None] = {}
        for param in definition.layer:
            with self._at(param):
                self._append_layer(param, unread)
        self.outputs = sorted(unread)
        self._prune(definition.force_backward)
        log_end(self.outputs)
        self._take_inline_weights(definition)
        for given in [weights] if isinstance(weights, (str, os.PathLike, Message)) else weights or ():
            if not self.copy_from(given) and self.params:
                raise NetError(os.fspath(self._origin or f"net {self.name!r}"), **none_copied(given, self.name))
        self.debug_info = definition.debug_info

    # Building.

    def _append_layer(self, param: Message, unread: dict[str, None]) -> None:
        if not param.HasField("phase"):
            param.phase = self.phase
        cls = layer_class(param.type, lambda: f"layer {param.name!r}")
        layer = cls(param, self.context, len(self.layers))
        bottoms = [self.blobs[name] for name in param.bottom]  # they are there: the splits were inserted
        for name in param.bottom:
            unread.pop(name, None)
        tops = [self._top(layer, i, name, unread) for i, name in enumerate(param.top)]
        if cls.automatic_tops:
            least = cls.num_tops if isinstance(cls.num_tops, int) else cls.num_tops[0]
            least = max(least, len(bottoms) if cls.same_bottoms_tops else 0)
            tops += [Blob((), self.xp, self.dtype) for _ in range(least - len(tops))]
        if len(param.propagate_down) not in (0, len(bottoms)):
            raise NetError(layer.where, expected=f"no propagate_down or one a bottom ({len(bottoms)})",
                           got=len(param.propagate_down))
        node = Node(layer, bottoms, tops)
        log_wiring(node)
        layer.initialize(bottoms, tops)
        self.layers.append(layer)
        self.nodes.append(node)
        log_shapes(self.nodes)
        specs = self._param_specs(layer)
        own_or_share(self.parameters, layer, specs)
        layer.param_propagate_down = [spec.lr_mult != 0 for spec in specs]
        if layer.blobs:
            self.params[layer.name] = layer.blobs
        if layer.type == "Input":
            self.inputs += param.top
        self.layer_dict[layer.name] = layer

    @contextlib.contextmanager
    def _at(self, param: Message) -> Iterator[None]:
        """Let errors of the block say which layer they are of, and begin with its line in the file, if there is one."""
        try:
            yield
        except Exception as error:
            explain(error, param, os.fspath(self._origin or ""))
            raise

    def _top(self, layer: Layer, i: int, name: str, unread: dict[str, None]) -> Blob:
        unread[name] = None
        if i < len(layer.param.bottom) and layer.param.bottom[i] == name:
            return self.blobs[name]  # in place
        if name in self.blobs:
            raise NetError(layer.where, f"top {i}, {name!r}, is made already",
                           hint="rename it; in place takes the bottom of the same position, if nobody else reads it")
        self.blobs[name] = Blob((), self.xp, self.dtype)
        return self.blobs[name]

    @staticmethod
    def _param_specs(layer: Layer) -> list[Message]:
        specs = list(layer.param.param)
        if len(specs) > len(layer.blobs):
            raise NetError(layer.where, expected=f"at most {len(layer.blobs)} param specifications", got=len(specs))
        return specs + [message_class("ParamSpec")() for _ in range(len(layer.blobs) - len(specs))]

    def _prune(self, force: bool) -> None:
        plans = [Plan(node.bottom_names, node.top_names, [bool(weight) for weight in node.layer.loss_weights],
                      node.layer.param_propagate_down, list(node.layer.param.propagate_down),
                      node.layer.unforced_bottoms, node.layer.ignores_propagate_down) for node in self.nodes]
        plan_backward(plans)
        log_plan([layer.name for layer in self.layers], plans)
        if force:
            plan_backward(plans, force)
            for layer in self.layers:
                layer.param_propagate_down = [True] * len(layer.blobs)
        for node, plan in zip(self.nodes, plans, strict=True):
            node.needs_backward, node.bottom_needs_backward = plan.needs_backward, plan.bottom_needs_backward

    def _take_inline_weights(self, definition: Message) -> None:
        """Weights that stand in the definition itself, as in a .caffemodel, are what the parameters start from."""
        given = [param for param in definition.layer if param.blobs]
        if given:
            self.copy_from(type(definition)(layer=given))
            for param in given:
                param.ClearField("blobs")  # they would be kept a second time

    # Running.

    tops = property(lambda self: [node.tops for node in self.nodes],
                    doc="the tops of every layer, with those that it makes without a name")
    xp = property(lambda self: self.context.xp, doc="numpy or cupy")
    dtype = property(lambda self: self.context.dtype, doc="of all blobs")

    @property
    def debug_info(self) -> bool:
        """Whether every pass logs what it computes; may be set."""
        return self.is_watched_by(self._debug_info)

    @debug_info.setter
    def debug_info(self, on: bool) -> None:
        (self.watch if on else self.unwatch)(self._debug_info)

    def forward(self, start: str | int | None = None, end: str | int | None = None, **inputs) -> dict:
        """Run the layers from `start` to `end` (names or numbers, both included); return the outputs' data by name.

        With `end`, these are the tops of that layer. The arrays are the blobs' own: the next forward overwrites them.
        Keyword arguments are copied into the blobs of their names first, which take their shapes.
        """
        first, last = self._range(start, end)
        whole, loss = start is end is None, 0.0
        with self.one_thread, single_threaded_blas():
            turned = [self._fill(name, value) for name, value in inputs.items()]
            self._tell("before_forward_pass", whole)
            for node in self.nodes[first:last + 1]:
                for tell in self._told["before_forward"]:
                    tell(node)
                try:
                    loss = loss + node.forward()
                except Exception as error:
                    if any(turned) and isinstance(error, ShapeError):
                        error.inside("", CHANNELS_LAST)
                    explain(error, node.layer.param, os.fspath(self._origin or ""))
                    raise
                for tell in self._told["after_forward"]:
                    tell(node)
            self.loss = float(loss)
            self.context.step += 1
            self._tell("after_forward_pass", whole)
        names = self.outputs if end is None else [*self.layers[last].param.top]
        return {name: self.blobs[name].data for name in names}

    def backward(self, start: str | int | None = None, end: str | int | None = None) -> dict:
        """Run backward from layer `start` down to `end` (names or numbers, both included); return the inputs' diffs.

        The diff of an input is computed only if something asks for it, such as force_backward in the net. A layer
        that never ran forward works on what is in its blobs; NetError if it needs more than these.
        """
        first, last = self._range(end, start, of="backward")
        whole = start is end is None
        with self.one_thread, single_threaded_blas():
            self._tell("before_backward_pass", whole)
            for node in reversed(self.nodes[first:last + 1]):
                for tell in self._told["before_backward"]:
                    tell(node)
                try:
                    node.backward()
                except Exception as error:
                    if not node.has_run and node.layer.type != "Python":  # what that needs is its class's own affair
                        raise NetError(node.layer.where, "has nothing to run backward from",
                                       hint="run forward first") from error
                    explain(error, node.layer.param, os.fspath(self._origin or ""))
                    raise
                for tell in self._told["after_backward"]:
                    tell(node)
            self._tell("after_backward_pass", whole)
        return {name: self.blobs[name].diff for name in self.inputs}

    def reshape(self) -> None:
        """Pass new shapes of the inputs through all layers without running them."""
        with self.one_thread:
            for node in self.nodes:
                with self._at(node.layer.param):
                    node.layer.update_shapes(node.bottoms, node.tops)

    def seek(self, step: int) -> None:
        """Continue as after `step` forward passes: data layers and random streams take the position they had then."""
        self.context.step = step
        for layer in self.layers:
            layer.seek(step)

    def clear_param_diffs(self) -> None:
        """Set the diffs of all parameters to 0, before gradients are accumulated."""
        for parameter in self.parameters:
            parameter.blob.diff.fill(0)

    def position(self, layer: str | int, of: str = "a layer") -> int:
        """The number of a layer, by its name (of several with one name the first) or by that number itself."""
        expected = None
        if isinstance(layer, numbers.Integral) and not isinstance(layer, bool):
            if 0 <= layer < len(self.layers):
                return int(layer)
            expected = f"a number from 0 to {len(self.layers) - 1}"
        names = [each.name for each in self.layers]
        if layer in names:
            return names.index(layer)
        raise UnknownLayer(f"{of} of net {self.name!r}", f"no layer {layer!r}", expected=expected,
                           hint=close_matches(str(layer), names))

    def _range(self, first: str | int | None, last: str | int | None, of: str = "forward") -> tuple[int, int]:
        """The positions of two layers, by default the first and the last of the net."""
        low = 0 if first is None else self.position(first, of)
        high = len(self.layers) - 1 if last is None else self.position(last, of)
        if low > high and self.layers:
            raise NetError(f"{of} of net {self.name!r}", f"layer {first!r} comes after {last!r}",
                           hint="exchange start and end")
        return low, high

    def _fill(self, name: str, value: object) -> bool:
        """Copy `value` into the blob `name`, which takes its shape; whether its channels seem to be the last axis."""
        self._check_blob(name)
        blob = self.blobs[name]
        array = as_numbers(value, self.xp)
        if array is None:
            raise ShapeError(f"net {self.name!r}", f"blob {name!r}", expected="an array of numbers",
                             got=f"{type(value).__name__} {value!r:.40}")
        turned = channels_last(blob.shape, array.shape)
        blob.reshape(array.shape)
        blob.data[...] = array
        return turned

    def _check_blob(self, name: str) -> None:
        if name not in self.blobs:
            raise NetError(f"net {self.name!r}", f"no blob {name!r}", hint=close_matches(name, self.blobs))

    # Weights.

    def copy_from(self, source: str | os.PathLike | Message) -> list[str]:
        """Copy parameters by layer name from a file or a NetParameter; return the names of layers found here.

        A file is a .caffemodel, an HDF5 file, which its name or its content tells, or a prototxt with numbers.
        Layers of the file that this net lacks are passed over, and layers of the net that the file lacks keep what they
        have. ShapeError if a layer of the same name has other shapes.
        """
        if not isinstance(source, Message) and is_hdf5(source):
            return copy_hdf5(self.layers, self.parameters, source)
        return copy_weights(self.layers, source)

    def share_with(self, other: Net) -> None:
        """Use the parameters of the layers of the same names in `other` from now on.

        ShapeError, and nothing is shared, if a layer of the same name has other shapes.
        """
        pairs = []
        for layer in self.layers:
            if layer.name in other.layer_dict:
                theirs = other.params.get(layer.name, [])
                shapes = [[blob.shape for blob in blobs] for blobs in (layer.blobs, theirs)]
                if shapes[0] != shapes[1]:
                    raise ShapeError(layer.where, f"sharing parameters with net {other.name!r}",
                                     expected=_listed(shapes[0]), got=_listed(shapes[1]))
                pairs += zip(layer.blobs, theirs)
        for mine, blob in pairs:
            mine.share_data(blob)

    def save(self, path: str | os.PathLike, diff: bool = False) -> None:
        """Write the parameters, atomically; `diff` adds the gradients.

        A path that ends in .h5 or .hdf5 becomes an HDF5 file, any other a .caffemodel, which holds the net as well.
        """
        if named_hdf5(path):
            write_hdf5(path, self.layers, self.parameters, diff)
        else:
            write_net(path, self.definition, self.layers, diff)

    def __reduce__(self) -> tuple:
        raise NetError(f"net {self.name!r}", "cannot be copied or pickled: it has open files and threads",
                       hint="build another, Net(net.definition, net.phase, random_seed=…), and give it the weights by "
                            "share_with, or by save and copy_from; in another process build it anew")

    def __repr__(self) -> str:
        count = sum(parameter.blob.count for parameter in self.parameters)
        return f"<Net {self.name!r}: {len(self.layers)} layers, {count} parameters on {self.device}>"


def _dtype(given: str | np.dtype | type) -> np.dtype:
    try:
        found = str(np.dtype(given)) if given is not None else ""
    except TypeError:
        found = ""
    if found not in DTYPES:
        raise NetError("dtype", expected=" or ".join(DTYPES), got=str(given))
    return np.dtype(found)


def _listed(shapes: Sequence) -> str:
    return "shapes " + ", ".join(map(str, shapes))
