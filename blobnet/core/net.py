"""Net: layers wired by the names of their blobs."""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.backend import ALONE, Array, Processes, device_module, single_threaded_blas
from blobnet.core.building import Building
from blobnet.core.building_log import log_definition
from blobnet.core.chain import Step, between, in_chains
from blobnet.core.context import TEST, Context, float_type
from blobnet.core.debug_info import DebugInfo
from blobnet.core.fed import Fed
from blobnet.core.names import Names
from blobnet.core.running import OneThread
from blobnet.core.shown import Shown, worked_number
from blobnet.core.trouble import explain, explained
from blobnet.core.watching import Watched
from blobnet.core.weights import Copied, copy_weights, none_copied, share_weights, write_net
from blobnet.core.without_data import Shape, with_inputs
from blobnet.errors import NetError, ShapeError, UnknownLayer, close_matches
from blobnet.netdef.ignored import log_ignored_fields
from blobnet.netdef.load import load_filtered
from blobnet.netdef.splits import insert_splits
from blobnet.proto.hdf5_bytes import is_hdf5, named_hdf5

LAYER_EVENTS = ("before_forward", "after_forward", "before_backward", "after_backward")


class Net(Fed, Watched, Shown):
    """A network built from a definition, ready to run.

    blobs: the blobs by name; params: the parameter blobs by layer name; layers and layer_dict: the layers in order and
    by name; inputs and outputs: names of the blobs that Input layers make and that no layer reads; parameters: every
    parameter with its rules, shared ones once; param_diffs: their diffs, which lie in one array; steps: what runs the
    layers, nodes or chains of them; device_loss: `loss` where it is, on a GPU a scalar there, which the next forward
    overwrites; fed: what it is fed from, see `feed`.

    One thread at a time may run a net, a second one gets a NetError; several nets may run at once. The bits of all
    results are the same with any number of worker threads (BLOBNET_NUM_THREADS).

    A net tells its watchers (`watch`, `watched_by`): before_forward(node), after_forward(node), before_backward(node)
    and after_backward(node) of every layer of a pass, backward also of those that have nothing to do; and
    before_forward_pass(whole), after_forward_pass(whole), before_backward_pass(whole) and after_backward_pass(whole)
    once a pass. A Node is a layer with its blobs; `whole` is False in a pass that was given a start or an end. After
    an error the rest of the pass, which does not run, is not told either.
    """

    events = (*LAYER_EVENTS, *(f"{event}_pass" for event in LAYER_EVENTS))

    def __init__(self, source: str | os.PathLike | Message, phase: int = TEST,
                 weights: str | os.PathLike | Message | Sequence | None = None, *, level: int = 0,
                 stages: Sequence[str] = (), device: str = "cpu", dtype: str = "float32",
                 random_seed: int | None = None, origin: str | os.PathLike | None = None,
                 python_layers: bool = False, fillers: bool = True, allow_tf32: bool = False,
                 processes: Processes = ALONE, inputs: Mapping[str, Shape] | None = None):
        """Read, upgrade, filter and wire the net of `source`, a file (prototxt, YAML, binary) or a NetParameter.

        phase: TRAIN or TEST. The include and exclude rules of the layers decide by phase, level (a number) and stages
        (names, added to those that the net itself states) which layers are in.
        weights: one or several to copy parameters from, as `copy_from` takes them.
        device: "cpu", "gpu" or "gpu:1", where the arrays of all blobs live; dtype: their type, float32 or float64.
        This thread computes on that GPU from now on. Another thread, or this one after it made a net on another GPU,
        writes into blobs `with net.context.on_device():`; running, reading, copy_from and save need no such care.
        random_seed: a number of at least 0 that makes fillers, dropout and data order repeatable; without it every net
        is different.
        origin: the file that a NetParameter was made from, which errors then show.
        python_layers: whether layers of the type Python may import the modules that the net names, and run their code.
        fillers: False leaves parameters of more than 65,536 numbers at 0, where only shapes are asked for: they take no
        time, and no memory until they are used.
        processes: those that run the net together (`blobnet.processes()`), each on its own part of the data.
        allow_tf32: let a GPU round the factors of products of float32 to 10 bits, which is faster; Caffe does not.
        inputs: shapes by top names; the data layers that have these tops become Input layers, for a net that is fed and
        whose data is not there. Labels that are not named are one number a row.
        Raises ParseError, NetError, ShapeError, DeviceError; NetError also if the weights are of no layer of this net.
        """
        super().__init__()
        if random_seed is not None and random_seed < 0:
            raise NetError("random_seed", expected="0 or more", got=random_seed, hint="leave it out for any seed")
        self._origin = os.fspath((origin if isinstance(source, Message) else source) or "")
        filtered = load_filtered(source, phase, level, stages, self._origin)
        if inputs:
            filtered = with_inputs(filtered, inputs)
        log_definition(filtered)
        log_ignored_fields(filtered)
        definition = insert_splits(filtered, self._origin)
        drawn = np.random.SeedSequence().generate_state(1, np.uint64)
        seed = int(drawn[0]) >> 1 if random_seed is None else random_seed
        self.device, self.phase = device, phase
        self.context = Context(device_module(device), float_type(dtype), int(seed), python_layers=python_layers,
                               fillers=fillers, device=device, allow_tf32=allow_tf32, processes=processes)
        self.name = definition.name
        self.definition = definition
        with self.context.on_device():
            built = Building(definition, phase, self.context, self._origin)
        self.nodes, self.blobs, self.parameters = built.nodes, built.blobs, built.parameters
        self.outputs, self.param_diffs = built.outputs, built.param_diffs
        self.layers = [node.layer for node in self.nodes]
        self.steps = in_chains(self.nodes)
        self.layer_dict = Names(((layer.name, layer) for layer in self.layers), what="layer")
        self.params = Names(((layer.name, layer.blobs) for layer in self.layers if layer.blobs),
                            what="layer with parameters")
        self.inputs = [name for layer in self.layers if layer.is_input for name in layer.param.top]
        self.device_loss: float | Array = 0.0
        self.one_thread = OneThread(f"net {self.name!r}")
        self._debug_info = DebugInfo(self.parameters)
        self._take_inline_weights(definition)
        for given in [weights] if isinstance(weights, (str, os.PathLike, Message)) else weights or ():
            if not self.copy_from(given) and self.params:
                raise NetError(self._origin or f"net {self.name!r}", **none_copied(given, self.name))
        self.debug_info = definition.debug_info

    def _take_inline_weights(self, definition: Message) -> None:
        """Start the parameters from the weights in the definition itself, if it has any (as a .caffemodel has)."""
        given = [param for param in definition.layer if param.blobs]
        if given:
            self.copy_from(type(definition)(layer=given))
            for param in given:
                param.ClearField("blobs")  # else they are kept twice

    # Running.

    tops = property(lambda self: [node.tops for node in self.nodes],
                    doc="the tops of every layer, with those that it makes without a name")
    xp = property(lambda self: self.context.xp, doc="numpy or cupy")
    dtype = property(lambda self: self.context.dtype, doc="of all blobs")

    @property
    def loss(self) -> float:
        """The weighted loss of the last forward. On a GPU, to read it waits, and raises what was noted as a doubt."""
        self.context.doubts.settle()
        return float(self.device_loss)

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
        First each keyword argument, an array or a tensor of numbers, is copied into the blob of its name, which takes
        its shape, batch size included; so do all layers above. A data layer whose tops are given does not run in this
        pass, and the batch that it would have brought is left out; all of its tops that are read must be given, as its
        transform_param would leave them. Inputs that are not given stay as they are. NetError for blobs that are not
        there or that this pass computes, ShapeError for what holds no numbers or does not fit a layer.
        """
        first, last = self._range(start, end)
        whole = start is end is None
        with self.one_thread:
            steps, hint = self._run(first, last), ""
            if inputs or self.fed is not None:
                steps, hint = self.bring(steps, inputs)
            with single_threaded_blas(), self.context.in_use():
                self._tell("before_forward_pass", whole)
                self.device_loss = self.run_forward(steps, hint)
                self.context.step += 1
                self._tell("after_forward_pass", whole)
        names = self.outputs if end is None else [*self.layers[last].param.top]
        return {name: self.blobs[name].data for name in names}

    def backward(self, start: str | int | None = None, end: str | int | None = None) -> dict:
        """Run backward from layer `start` down to `end` (names or numbers, both included); return the inputs' diffs.

        The diff of an input is computed only if something asks for it, such as force_backward in the net. A layer
        that never ran forward works on what its blobs hold; NetError if it needs what its forward would have kept.
        """
        first, last = self._range(end, start, of="backward")
        whole = start is end is None
        with self.one_thread, single_threaded_blas(), self.context.in_use():
            self._tell("before_backward_pass", whole)
            self.run_backward(self._run(first, last))
            self._tell("after_backward_pass", whole)
        return {name: self.blobs[name].diff for name in self.inputs}

    def run_forward(self, steps: Sequence[Step], hint: str = ""):
        """Run forward these steps alone, for who holds `in_use` of the context; return their loss, as `device_loss`.

        hint: what an error of shapes may come from.
        """
        losses = []
        for node in steps:
            for tell in self._told["before_forward"]:
                tell(node)
            try:
                loss = node.forward()
            except Exception as error:
                if hint and isinstance(error, ShapeError):
                    error.inside("", hint)
                explain(error, node.layer.param, self._origin)
                raise
            if loss is not None:
                losses.append(loss)
            for tell in self._told["after_forward"]:
                tell(node)
        return float(sum(losses, 0.0)) if self.xp is np else sum(losses[1:], losses[0]) if losses else 0.0

    def run_backward(self, steps: Sequence[Step]) -> None:
        """Run backward these steps, from the last to the first, in the same way."""
        for node in reversed(steps):
            for tell in self._told["before_backward"]:
                tell(node)
            try:
                node.backward()
            except Exception as error:
                if not node.has_run and node.layer.type != "Python":  # what that needs is its class's own affair
                    raise NetError(node.layer.where, "has nothing to run backward from",
                                   hint="run forward first") from error
                explain(error, node.layer.param, self._origin)
                raise
            for tell in self._told["after_backward"]:
                tell(node)

    def reshape(self) -> None:
        """Pass new shapes of the inputs through all layers without running them."""
        with self.one_thread, self.context.on_device():
            for node in self.nodes:
                with explained(node.layer.param, self._origin):
                    node.layer.update_shapes(node.bottoms, node.tops)

    def seek(self, step: int) -> None:
        """Continue as after `step` forward passes: data layers and random streams go to where they stood then."""
        self.context.step = step
        if self.fed is not None:
            self.fed.seek(step)
        for layer in self.layers:
            layer.seek(step)

    def clear_param_diffs(self) -> None:
        """Set the diffs of all parameters to 0, before gradients are accumulated."""
        with self.context.on_device():
            self.param_diffs.clear()

    def position(self, layer: str | int, of: str = "a layer") -> int:
        """The number of a layer, given its name (the first one of that name) or the number itself."""
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

    def _run(self, first: int, last: int) -> Sequence[Step]:
        """What runs the layers `first` to `last`: in chains, unless a watcher wants to see them one by one."""
        if any(hasattr(watcher, event) and not getattr(watcher, "takes_chains", False)
               for watcher in self._watchers for event in LAYER_EVENTS):
            return self.nodes[first:last + 1]
        return self.steps if last - first == len(self.nodes) - 1 else between(self.steps, first, last)

    def explain(self, layer: str | int, cell: Sequence[int], of: str = "top", number: int = 0):
        """How a number of a layer was made: print it, or let a notebook show it; `blobnet explain` makes a whole page.

        cell: where it stands; of: "top" for the data of top `number`, "bottom" or "param" for the diff of that bottom
        or parameter. The last pass is run again, forward and backward, so that the diffs of all blobs are its own
        afterwards. Returns a blobnet.explain.worked.Worked. UnknownLayer, NetError or ShapeError for what is not there;
        NetError for a net on a GPU.
        """
        return worked_number(self, layer, cell, of, number)

    # Weights.

    def copy_from(self, source: str | os.PathLike | Message) -> Copied:
        """Copy parameters by layer name from a file or a NetParameter; return the names of layers found here.

        The list that is returned also knows which layers of the net were `left` as they are, which of the file were
        `unused`, and which were `reshaped`.

        A file is a .caffemodel, an HDF5 file (recognised by name or content), a prototxt with numbers, or a file of
        arrays called conv1.weight, conv1.bias: .safetensors, .npz, or a state_dict of PyTorch (.pt, .pth); the rule of
        the names is in blobnet.core.weights_named. Layers that only the file has are left out, and layers that only the
        net has keep their parameters. ShapeError if a layer of the same name has other shapes.
        """
        with self.context.on_device():
            if not isinstance(source, Message) and is_hdf5(source):
                from blobnet.core.weights_hdf5 import copy_hdf5  # here, so that others do not wait for it

                return copy_hdf5(self.layers, self.parameters, source)
            return copy_weights(self.layers, source)

    def share_with(self, other: Net) -> None:
        """From now on use the parameters of `other` in the layers that have the same names there.

        ShapeError if a layer of the same name has other shapes; nothing is shared then.
        """
        share_weights(self.layers, {name: other.params.get(name, []) for name in other.layer_dict}, other.name)

    def save(self, path: str | os.PathLike, diff: bool = False) -> None:
        """Write the parameters, atomically; `diff` adds the gradients.

        A path that ends in .h5 or .hdf5 becomes an HDF5 file; in .safetensors, .npz, .pt or .pth a file of named
        arrays, without gradients; any other a .caffemodel, which holds the net as well.
        """
        if named_hdf5(path):
            from blobnet.core.weights_hdf5 import write_hdf5

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
