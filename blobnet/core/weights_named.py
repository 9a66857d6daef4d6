"""Parameters to and from named arrays, as files of other programs hold them (see proto.named_arrays).

The rule of the names: an array is called LAYER.PARAMETER. The parameter is called as the layer's type says
(`LayerType.parameter_names`): conv1.weight and conv1.bias, bn1.mean, bn1.variance and bn1.factor, lstm1.W_xc. Where the
type says nothing, or is not known, as in an HDF5 file, it is called by its number, from 0: layer.0, layer.1. What is
read may have either. The name of the layer stands there unchanged, so it ends at the last point; it may hold points and
slashes. A parameter that several layers share stands with each of them, as in a .caffemodel. Two layers of one name,
of which both have parameters, are an error where names are given; where they are read, the first layer takes them.

The oldest files give every parameter four axes. Where the type says how many there were (`legacy_axes`: InnerProduct,
Convolution and its kin, PReLU), the ones before them are left out, so fc6.weight is (4096, 9216) and not
(1, 1, 4096, 9216); of other types the four stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.core.registry import known_class
from blobnet.errors import NetError
from blobnet.netdef.fields import layer_where
from blobnet.proto.blobs import blob_shape, is_legacy, set_blob, shaped_array
from blobnet.proto.messages import new

Arrays = Mapping[str, np.ndarray]
REMEDY = "rename the layer to train it from scratch"


def parameter_names(layer: Message, count: int) -> list[str]:
    """What `count` parameters of a layer (a LayerParameter) are called, by the rule above without the layer's name.

    >>> parameter_names(new("LayerParameter", name="fc", type="InnerProduct"), 2)
    ['weight', 'bias']
    >>> parameter_names(new("LayerParameter", name="mine", type="NotKnown"), 2)
    ['0', '1']
    """
    cls = known_class(layer)
    names = cls.parameter_names(layer) if cls else ()
    return [*names, *map(str, range(len(names), count))][:count]


def name_parameters(layers: Iterable[tuple[Message, Sequence[np.ndarray]]], where: str) -> dict[str, np.ndarray]:
    """The arrays of every layer under their names; NetError, naming the file `where`, for two layers of one name."""
    named: dict[str, np.ndarray] = {}
    for layer, arrays in layers:
        for name, array in zip(parameter_names(layer, len(arrays)), arrays):
            full = f"{layer.name}.{name}"
            if full in named:
                raise NetError(where, f"cannot hold {layer_where(layer.name, layer.type)}: another layer has this name",
                               hint="rename the layer, or write a .caffemodel")
            named[full] = array
    return named


def name_message(net: Message, arrays: Sequence, where: str) -> dict[str, np.ndarray]:
    """The parameters in a NetParameter, read from the file `where` with its `arrays` beside it, under their names.

    ShapeError for a blob whose numbers do not fill its shape.
    """
    return name_parameters(((layer, [_without_ones(layer, i, blob, shaped_array(blob, arrays, where))
                                     for i, blob in enumerate(layer.blobs)]) for layer in net.layer), where)


def by_layer(named: Arrays) -> dict[str, dict[str, np.ndarray]]:
    """The arrays of every layer by their own names, without the layer's."""
    layers: dict[str, dict[str, np.ndarray]] = {}
    for full, array in named.items():
        layer, _, name = full.rpartition(".")
        layers.setdefault(layer, {})[name] = array
    return layers


def in_order(layer: Message, given: Arrays) -> list[np.ndarray] | None:
    """The arrays of a layer in the order of its parameters; None if one is missing, or called as none of them is."""
    arrays = [given.get(name, given.get(str(i))) for i, name in enumerate(parameter_names(layer, len(given)))]
    return None if any(array is None for array in arrays) else arrays


def read_parameters(named: Arrays, layers: Iterable[Message], source: str | os.PathLike) -> tuple[Message, list]:
    """A NetParameter with the arrays `named` in the file `source`, and the list of arrays beside it.

    Each of `layers`, LayerParameters of a net, that has arrays there gets them as its blobs; the layers of the file
    that are not among them come last, with as many empty blobs. NetError if the names are not those of the parameters
    of a layer.
    """
    net, found = new("NetParameter"), by_layer(named)
    arrays: list = []
    for layer in layers:
        given = found.pop(layer.name, None)
        if given is None:
            continue
        ordered = in_order(layer, given)
        if ordered is None:
            names = parameter_names(layer, max(2, len(given)))
            raise NetError(layer_where(layer.name, layer.type), f"copying parameters from {os.fspath(source)!r}",
                           expected=f"arrays called {', '.join(names)}", got=", ".join(sorted(given)), hint=REMEDY)
        saved = net.layer.add(name=layer.name, type=layer.type)
        for array in ordered:
            set_blob(saved.blobs.add(), array, arrays)
    for name, given in found.items():
        unknown = net.layer.add(name=name)
        for _ in given:
            unknown.blobs.add()
    return net, arrays


def _without_ones(layer: Message, i: int, blob: Message, array: np.ndarray) -> np.ndarray:
    """The array of parameter `i` without the ones that legacy shapes have in front."""
    cls, shape = known_class(layer), blob_shape(blob)
    axes = cls.legacy_axes[i] if is_legacy(blob) and cls and i < len(cls.legacy_axes) else len(shape)
    extra = len(shape) - axes
    return array.reshape(shape[extra:]) if set(shape[:extra]) <= {1} else array
