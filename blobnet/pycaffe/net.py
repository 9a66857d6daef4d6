"""Net as pycaffe shows it."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partialmethod
from itertools import zip_longest
from types import SimpleNamespace
from typing import Any

import numpy as np

from blobnet.core.blob import CHANNELS_LAST, channels_last
from blobnet.core.blob import Blob as CoreBlob
from blobnet.core.layer import Layer as CoreLayer
from blobnet.core.names import Names
from blobnet.core.net import Net as CoreNet
from blobnet.core.node import Node
from blobnet.core.weights_hdf5 import copy_hdf5, write_hdf5
from blobnet.errors import NetError, ShapeError, close_matches
from blobnet.layers.data.memory_data import MemoryData
from blobnet.pycaffe import modes
from blobnet.pycaffe.blob import Blob, BlobVec, Face, write_back
from blobnet.pycaffe.layer import Layer, LayerVec, show_layer
from blobnet.pycaffe.vectors import DtypeVec, IntVec, StringVec, Vector


class Net(Face):
    """A net of the core, `core`, with the names and the host arrays of pycaffe.

    blobs: the blobs by name; params: the parameters by layer name; layers and layer_dict: the layers in order and by
    name, Python layers as the user's objects; inputs and outputs: names of blobs; top_names and bottom_names: names of
    blobs by layer name; blob_loss_weights: by blob name.
    """

    def __init__(self, network_file: str | os.PathLike, phase: Any, level: int | None = None,
                 stages: Sequence[str] | None = None, weights: str | os.PathLike | None = None):
        """Net(file, phase, weights=…), or as in old scripts Net(file, weights, phase), on the device of set_mode_…."""
        if isinstance(phase, (str, os.PathLike)):
            if level is None:
                raise NetError(f"net {os.fspath(network_file)!r}", "no phase",
                               hint=f"write Net({os.fspath(network_file)!r}, caffe.TEST, weights=…)")
            phase, weights, level = level, phase, None
        self._show(CoreNet(network_file, phase, level=level or 0, stages=stages or (), device=modes.device(),
                           random_seed=modes.next_seed(), python_layers=True))  # as Caffe does
        if weights is not None:
            self.copy_from(weights)  # as in Caffe, of layers that are in both; there may be none

    @classmethod
    def of(cls, core: CoreNet) -> Net:
        """The face of a net that is there."""
        net = cls.__new__(cls)
        net._show(core)
        return net

    def _show(self, core: CoreNet) -> None:
        self.core = core
        modes.reseed_with_others(core)

    # What is in the net.

    @cached_property
    def _named(self) -> dict[CoreBlob, str]:
        """The name of every blob, in the order in which layers make them; tops without one are "(automatic)"."""
        named: dict[CoreBlob, str] = {}
        for layer, tops in zip(self.core.layers, self.core.tops):
            for i, blob in enumerate(tops):
                named.setdefault(blob, layer.param.top[i] if i < len(layer.param.top) else "(automatic)")
        return named

    @cached_property
    def _blobs(self) -> list[Blob]:
        return [Blob(core) for core in self._named]

    @cached_property
    def blobs(self) -> OrderedDict[str, Blob]:
        """The blobs by name."""
        return Names(zip(self._blob_names, self._blobs), what="blob")

    @cached_property
    def layers(self) -> LayerVec:
        """The layers in order; a Python layer is the user's object."""
        return LayerVec(show_layer(layer) for layer in self.core.layers)

    @cached_property
    def layer_dict(self) -> OrderedDict[str, Layer]:
        """The layers by name."""
        return Names(zip(self._layer_names, self.layers), what="layer")

    @cached_property
    def params(self) -> OrderedDict[str, BlobVec]:
        """The parameters by layer name, of the layers that have any."""
        return Names(((name, layer.blobs) for name, layer in zip(self._layer_names, self.layers) if len(layer.blobs)),
                     what="layer with parameters")

    @cached_property
    def top_names(self) -> OrderedDict[str, list[str]]:
        """The names of each layer's tops, by layer name."""
        return OrderedDict((layer.name, [self._named[blob] for blob in tops])
                           for layer, tops in zip(self.core.layers, self.core.tops))

    @cached_property
    def bottom_names(self) -> OrderedDict[str, list[str]]:
        """The names of each layer's bottoms, by layer name."""
        return OrderedDict((layer.name, list(layer.param.bottom)) for layer in self.core.layers)

    @cached_property
    def _blob_loss_weights(self) -> DtypeVec:
        weights = dict.fromkeys(self._named, 0.0)
        for layer, tops in zip(self.core.layers, self.core.tops):
            weights.update(zip(tops, layer.loss_weights))
        return DtypeVec(weights.values())

    @cached_property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """The loss weight of each blob, by its name: 0 for what is no loss."""
        return OrderedDict(zip(self._blob_names, self._blob_loss_weights))

    inputs = property(lambda self: list(self.core.inputs), doc="names of the tops of Input layers")
    outputs = property(lambda self: list(self.core.outputs), doc="names of the blobs that no layer reads")
    _layer_names = property(lambda self: StringVec(layer.name for layer in self.core.layers))
    _blob_names = property(lambda self: StringVec(self._named.values()))
    _inputs = property(lambda self: self._numbers(self.inputs))
    _outputs = property(lambda self: self._numbers(self.outputs))

    def _top_ids(self, layer: int) -> IntVec:
        numbers = {blob: number for number, blob in enumerate(self._named)}
        return IntVec(numbers[blob] for blob in self.core.tops[layer])

    def _bottom_ids(self, layer: int) -> IntVec:
        return self._numbers(self.core.layers[layer].param.bottom)

    def _numbers(self, names: Sequence[str]) -> IntVec:
        all_names = self._blob_names
        return IntVec(all_names.index(name) for name in names)

    # Running.

    def forward(self, blobs: Sequence[str] | None = None, start: str | int | None = None,
                end: str | int | None = None, **kwargs) -> dict[str, np.ndarray]:
        """Run the layers from `start` to `end` (names or numbers, both included); return the outputs' data by name.

        With `end` these are the tops of that layer; `blobs` names more. Keyword arguments are the values of all inputs,
        of their batch size (reshape the blobs before for another). The arrays are the blobs' own: the next forward
        overwrites them.
        """
        names = list(self.outputs if end is None else self._layer(end, "forward").param.top) + list(blobs or ())
        self._check_blobs(names)
        self._fill("data", self.inputs, kwargs)
        write_back()
        self.core.forward(start, end)
        self.core.context.doubts.settle()
        return {name: self.blobs[name].data for name in names}

    def backward(self, diffs: Sequence[str] | None = None, start: str | int | None = None,
                 end: str | int | None = None, **kwargs) -> dict[str, np.ndarray]:
        """Run backward from layer `start` down to layer `end`; return the inputs' diffs by name.

        With `end` these are the diffs of the bottoms of that layer; `diffs` names more. Keyword arguments are the
        diffs of all outputs; without them they are what they were, for losses their weights.
        """
        names = list(self.inputs if end is None else self._layer(end, "backward").param.bottom) + list(diffs or ())
        self._check_blobs(names)
        self._fill("diff", self.outputs, kwargs)
        write_back()
        self.core.backward(start, end)
        return {name: self.blobs[name].diff for name in names}

    def _forward(self, start: int, end: int) -> float:
        """Run the layers of these numbers, both included; return the loss."""
        write_back()
        self.core.forward(start, end)
        return self.core.loss

    def _backward(self, start: int, end: int) -> None:
        """Run backward from layer number `start` down to `end`."""
        write_back()
        self.core.backward(start, end)

    def _layer(self, layer: str | int, of: str) -> CoreLayer:
        return self.core.layers[self.core.position(layer, of)]

    def forward_all(self, blobs: Sequence[str] | None = None, **kwargs) -> dict[str, np.ndarray]:
        """Run forward over inputs of any length, a batch at a time; return the data of outputs and `blobs` by name.

        The last batch is filled up with zeros, and what comes of these is left out again.
        """
        return self._run_all(kwargs, {}, blobs, None)[0]

    def forward_backward_all(self, blobs: Sequence[str] | None = None, diffs: Sequence[str] | None = None,
                             **kwargs) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """As forward_all, with backward after every forward; return the data, and the diffs of inputs and `diffs`.

        Keyword arguments are the values of inputs and the diffs of outputs, either of them or both.
        """
        unknown = kwargs.keys() - {*self.inputs, *self.outputs}
        if unknown:
            raise NetError(f"net {self.core.name!r}", f"no input or output {min(unknown)!r}",
                           hint=close_matches(min(unknown), [*self.inputs, *self.outputs]))
        values = {name: kwargs[name] for name in self.inputs if name in kwargs}
        gradients = {name: kwargs[name] for name in self.outputs if name in kwargs}
        return self._run_all(values, gradients, blobs, diffs or ())

    def _run_all(self, values: Mapping, gradients: Mapping, blobs: Sequence[str] | None, diffs: Sequence[str] | None):
        lengths = {name: len(array) for name, array in {**values, **gradients}.items()}
        if len(set(lengths.values())) != 1:
            raise ShapeError(f"net {self.core.name!r}", expected="inputs of one length", got=lengths or "none")
        length, size = next(iter(lengths.values())), self._blobs[0].shape[0]
        data, gradient = [], []
        none: dict[str, Any] = {}
        for given, above in zip_longest(self._batch(values), self._batch(gradients), fillvalue=none):
            data.append(_copies(self.forward(blobs, **given)))
            if diffs is not None:
                gradient.append(_copies(self.backward(diffs, **above)))
        return _joined(data, length, size), _joined(gradient, length, size)

    def _batch(self, blobs: Mapping[str, Sequence]) -> Iterator[dict[str, Any]]:
        """The arrays of `blobs`, all of one length, in pieces of the net's batch, the last one filled up with zeros."""
        length, size = max(map(len, blobs.values()), default=0), self._blobs[0].shape[0]
        for first in range(0, length, size):
            pieces = {name: np.asarray(array[first:first + size]) for name, array in blobs.items()}
            yield {name: np.concatenate([piece, np.zeros((size - len(piece), *piece.shape[1:]), piece.dtype)])
                   for name, piece in pieces.items()}

    def _fill(self, which: str, expected: Sequence[str], given: Mapping) -> None:
        """Copy keyword arguments into the data of the inputs or the diffs of the outputs."""
        if not given:
            return
        what = f"net {self.core.name!r}"
        if set(given) != set(expected):
            raise NetError(what, expected=f"the blobs {sorted(expected)}", got=sorted(given),
                           hint="give all of them" if set(given) < set(expected) else "")
        for name, value in given.items():
            array = getattr(self.blobs[name], which)
            hint = CHANNELS_LAST if channels_last(array.shape, np.shape(value)) else ""
            if np.shape(value)[:1] != array.shape[:1]:
                raise ShapeError(what, f"blob {name!r} is not batch sized", expected=f"shape {array.shape}",
                                 got=np.shape(value),
                                 hint=hint or f"net.blobs[{name!r}].reshape(…) before, or forward_all")
            try:
                array[...] = value
            except ValueError:
                raise ShapeError(what, f"blob {name!r}", expected=f"shape {array.shape}", got=np.shape(value),
                                 hint=hint or f"net.blobs[{name!r}].reshape(…) before") from None

    def _check_blobs(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self.blobs:
                raise NetError(f"net {self.core.name!r}", f"no blob {name!r}", hint=close_matches(name, self.blobs))

    def reshape(self) -> None:
        """Pass new shapes of the inputs through all layers without running them."""
        write_back()
        self.core.reshape()

    def clear_param_diffs(self) -> None:
        """Set the diffs of all parameters to 0."""
        write_back()
        self.core.clear_param_diffs()

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Let the MemoryData layer that the net begins with take its batches from these arrays."""
        layer = self.core.layers[0]
        if not isinstance(layer, MemoryData):
            raise NetError(layer.where, expected="a net that begins with a MemoryData layer", got=layer.type)
        layer.reset(data, labels)

    _set_input_arrays = set_input_arrays

    # Functions called with the number of every layer, before or after it runs.

    def _add_hook(self, when: str, run: Callable[[int], object]) -> None:
        def call(node: Node) -> None:
            run(node.layer.index)
            write_back()

        self.core.watch(SimpleNamespace(**{when: call}))

    before_forward = partialmethod(_add_hook, "before_forward")
    after_forward = partialmethod(_add_hook, "after_forward")
    before_backward = partialmethod(_add_hook, "before_backward")
    after_backward = partialmethod(_add_hook, "after_backward")

    # Weights.

    def copy_from(self, path: str | os.PathLike) -> None:
        """Copy parameters by layer name from a .caffemodel or an HDF5 file."""
        write_back()
        self.core.copy_from(path)

    def share_with(self, other: Net) -> None:
        """Use the parameters of the layers of the same names in `other` from now on."""
        if not isinstance(other, Net):
            raise NetError(f"net {self.core.name!r}", "sharing parameters", expected="a caffe.Net", got=repr(other))
        write_back()
        self.core.share_with(other.core)

    def save(self, path: str | os.PathLike) -> None:
        """Write the parameters to a .caffemodel, or to an HDF5 file if the path ends in .h5 or .hdf5."""
        write_back()
        self.core.save(path)

    def save_hdf5(self, path: str | os.PathLike) -> None:
        """Write the parameters to an HDF5 file, whatever its name."""
        write_back()
        write_hdf5(path, self.core.layers, self.core.parameters)

    def load_hdf5(self, path: str | os.PathLike) -> None:
        """Copy parameters by layer name from an HDF5 file, whatever its name."""
        write_back()
        copy_hdf5(self.core.layers, self.core.parameters, path)


def _copies(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.atleast_1d(array).copy() for name, array in arrays.items()}


def _joined(batches: Sequence[Mapping[str, np.ndarray]], length: int, size: int) -> dict[str, np.ndarray]:
    """The arrays of all batches, those that have an entry an image without the entries of the filling."""
    joined = {name: np.concatenate([batch[name] for batch in batches]) for name in (batches[0] if batches else ())}
    return {name: array[:length] if len(array) == len(batches) * size else array for name, array in joined.items()}


class NetVec(Vector):
    """The test nets of a solver."""

    kind = Net
