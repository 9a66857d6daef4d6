"""Parameters to and from HDF5 files, as Caffe lays them out: data/<layer name>/<number>, and gradients in diff/….

A parameter that several layers share is stored once, with its owner; its gradient is stored with each of them. Every
layer has a group, even if it is empty.
Quirks: a `/` in the name of a layer makes groups in groups. Caffe 1.0 stops when it should write such a layer, and
leaves it out when it reads; here such layers are written and read. If several layers have one name, the last of them
takes the parameters, unlike with a .caffemodel; no file can be written for such a net.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from blobnet.backend import to_host
from blobnet.core.blob import Blob
from blobnet.core.building_log import log_ignored
from blobnet.core.layer import Layer
from blobnet.core.parameters import Parameter
from blobnet.core.weights import Copied, assign, fits
from blobnet.core.weights_named import REMEDY
from blobnet.errors import DataError, NetError, ShapeError
from blobnet.proto import hdf5


def copy_hdf5(layers: Sequence[Layer], parameters: Sequence[Parameter], path: str | os.PathLike) -> Copied:
    """Copy the parameters in the file `path` into the layers of the same names, and return these names.

    Everything is checked and read before anything is copied. A parameter that is shared with an earlier layer may be
    missing. Raises NetError and ShapeError as `copy_weights`, DataError for a damaged file.
    """
    where, what = hdf5.hdf5_where(path), f"copying parameters from {os.fspath(path)!r}"
    owned = _owned(parameters)
    targets = {layer.name: layer for layer in layers if _is_path(layer.name)}
    copies: list[tuple[Blob, np.ndarray]] = []
    names, reshaped = [], []
    with hdf5.reading(path) as file:
        data = _group(file, "data", where)
        if data is None:
            raise DataError(where, "no group 'data', so these are no weights",
                            hint="a .solverstate.h5 goes to restore")
        known = {name.split("/")[0] for name in targets}
        for name in hdf5.names(data, where):
            if name not in known:
                log_ignored(name)
        for name, layer in sorted(targets.items()):  # as Caffe reads them, which decides between shared parameters
            group = _group(data, name, where)
            if group is None:
                continue
            saved = hdf5.dataset_names(group, where)
            needed = {str(i) for i in range(len(layer.blobs)) if (id(layer), i) in owned}
            if not needed <= set(saved) or len(saved) > len(layer.blobs):
                raise NetError(layer.where, what, expected=f"{len(layer.blobs)} blobs", got=len(saved), hint=REMEDY)
            for i, blob in enumerate(layer.blobs):
                if str(i) in saved:
                    values = _values(group, f"data/{name}", i, layer, what, where)
                    copies.append((blob, values))
                    if values.shape != blob.shape:
                        reshaped.append(name)
            if saved:
                names.append(name)
        unused = [name for name in hdf5.names(data, where) if name not in known and _has_arrays(data, name, where)]
    assign(copies)
    return Copied(names, layers, unused, reshaped)


def _has_arrays(parent, name: str, where: str) -> bool:
    group = _group(parent, name, where)
    return group is not None and bool(hdf5.dataset_names(group, where))


def hdf5_arrays(path: str | os.PathLike) -> Iterator[tuple[str, int, np.ndarray]]:
    """(layer, number, array) of every array in the file of weights `path`; DataError if it is none."""
    where = hdf5.hdf5_where(path)
    with hdf5.reading(path) as file:
        data = hdf5.find(file, "data", where)
        if data is None:
            raise DataError(where, "no group 'data', so these are no weights",
                            hint="a state is called .solverstate.h5")
        yield from _in_group(data, "", where)


def _in_group(group: Any, layer: str, where: str) -> Iterator[tuple[str, int, np.ndarray]]:
    """The arrays of a group and of the groups in it; a slash in the name of a layer made groups in groups."""
    for name in hdf5.names(group, where):
        found = hdf5.find(group, name, where)
        if isinstance(found, hdf5.Group):
            yield from _in_group(found, f"{layer}/{name}".lstrip("/"), where)
        elif found is not None:
            yield layer, int(name) if name.isdecimal() else 0, hdf5.read_numbers(found, f"data/{layer}/{name}", where)


def layers_with_parameters(path: str | os.PathLike, layers: Sequence[Layer]) -> set[str]:
    """The names of those `layers` for which the file `path` has parameters."""
    where = hdf5.hdf5_where(path)
    with hdf5.reading(path) as file:
        data = _group(file, "data", where)
        names = {layer.name for layer in layers if data and _is_path(layer.name)}
        return {name for name in names if _has_arrays(data, name, where)}


def write_hdf5(path: str | os.PathLike, layers: Sequence[Layer], parameters: Sequence[Parameter],
               diff: bool = False) -> None:
    """Write the parameters of `layers`, and their gradients if `diff`, to the file `path`, atomically.

    NetError if the layers' names cannot all be those of groups.
    """
    _check_names(layers, os.fspath(path))
    owned = _owned(parameters)
    with hdf5.writing(path) as file:
        for kind in ("data", "diff") if diff else ("data",):
            top = file.create_group(kind)
            for layer in layers:
                group = top.require_group(layer.name)
                for i, blob in enumerate(layer.blobs):
                    if kind == "diff" or (id(layer), i) in owned:
                        group.create_dataset(str(i), data=to_host(getattr(blob, kind)))


def _values(group, path: str, i: int, layer: Layer, what: str, where: str) -> np.ndarray:
    dataset = hdf5.check_numbers(hdf5.find(group, str(i), where), f"{path}/{i}", where)
    shape = layer.blobs[i].shape
    if not fits(layer, i, tuple(dataset.shape), legacy=dataset.ndim == 4):
        raise ShapeError(layer.where, f"{what}, number {i}", expected=f"shape {shape}",
                         got=f"shape {tuple(dataset.shape)}", hint=REMEDY)
    return hdf5.read_numbers(dataset, f"{path}/{i}", where)


def _group(parent, name: str, where: str):
    """The group `name` in `parent`, or None."""
    item = hdf5.find(parent, name, where)
    if item is not None and not isinstance(item, hdf5.Group):
        raise DataError(where, f"{name!r}", expected="a group", got="a dataset", hint=hdf5.HINT)
    return item


def _owned(parameters: Sequence[Parameter]) -> set[tuple[int, int]]:
    """Layer and number of every parameter that is not shared with an earlier one."""
    return {(id(parameter.layer), parameter.index) for parameter in parameters}


def _check_names(layers: Sequence[Layer], where: str) -> None:
    datasets = {f"{layer.name}/{i}" for layer in layers for i in range(len(layer.blobs))}
    seen: set[str] = set()
    for layer in layers:
        parts = layer.name.split("/")
        if layer.name in seen:
            reason = "another layer has this name"
        elif not _is_path(layer.name):
            reason = "HDF5 has no such names"
        elif datasets & {"/".join(parts[:count + 1]) for count in range(len(parts))}:
            reason = "in the file a parameter of another layer has this name"
        else:
            seen.add(layer.name)
            continue
        raise NetError(where, f"cannot hold {layer.where}: {reason}",
                       hint="rename the layer, or write a .caffemodel (snapshot_format: BINARYPROTO)")


def _is_path(name: str) -> bool:
    """Whether HDF5 takes `name` for that of a group, or of groups in groups."""
    return "\0" not in name and all(part not in ("", ".") for part in name.split("/"))
