"""Files of arrays with names, in which other programs keep weights: safetensors, NumPy's .npz, PyTorch's .pt and .pth.

Whoever made them, numbers come out or an error that names the file. No Python object is made of what is in them, and
they take no more memory than a file may (see proto.budget). The library safetensors checks that the arrays fill the
file and do not overlap; a .pt is read by `torch.load(weights_only=True)` alone.
Source: https://huggingface.co/docs/safetensors; https://docs.pytorch.org/docs/stable/notes/serialization.html.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

from blobnet.errors import BlobnetError, DataError
from blobnet.optional import require_library
from blobnet.proto.budget import require
from blobnet.proto.npz import read_arrays
from blobnet.proto.storage import atomic_write, require_file

FORMATS = {".safetensors": "safetensors", ".npz": "npz", ".pt": "torch", ".pth": "torch"}
ENDINGS = {"safetensors": ".safetensors", "npz": ".npz", "torch": ".pt"}
HINT = "the file is damaged or incomplete"
OTHERWISE = "use .npz, which needs no other library"
ZIP, PICKLE = b"PK", b"\x80"  # how files of PyTorch begin, since 1.6 and before


def array_format(path: str | os.PathLike) -> str:
    """What a file of the name `path` is written as: a value of FORMATS, "" for other names.

    >>> array_format("net.safetensors"), array_format("net.caffemodel")
    ('safetensors', '')
    """
    return FORMATS.get(Path(path).suffix.lower(), "")


def holds_named_arrays(path: str | os.PathLike) -> bool:
    """Whether the file `path` is to be read as named arrays, by its name; a .pt may be a prototxt, as it once was."""
    if Path(path).suffix.lower() != ".pt":
        return bool(array_format(path))
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(2).startswith((ZIP, PICKLE))


def read_named(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of the file `path` by name, of the types that they have there.

    DataError for a file that is missing, damaged, too large, or holds other things than arrays of numbers.
    """
    kind, where = array_format(path), os.fspath(path)
    read = {"safetensors": _read_safetensors, "npz": read_arrays, "torch": _read_torch}[kind]
    try:
        arrays = read(require_file(path))
    except BlobnetError:
        raise
    except Exception as error:  # these libraries and zipfile raise a dozen types for damaged files
        raise DataError(where, f"cannot be read as {kind} ({str(error)[:300]})", hint=HINT) from error
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise DataError(where, f"array {name!r}", expected="numbers", got=array.dtype)
    return arrays


def write_named(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write the arrays to the file `path`, atomically, in the format that its name ends in.

    DataError for a name that the format cannot have.
    """
    kind, where = array_format(path), os.fspath(path)
    copies = {name: np.require(array, array.dtype.newbyteorder("="), ["C", "W"]) for name, array in arrays.items()}
    size = sum(array.nbytes for array in copies.values())
    if kind == "safetensors":
        save = _safetensors("safetensors.numpy").save
        with atomic_write(path, size) as file:
            file.write(save(copies))
    elif kind == "npz":
        wrong = next((name for name in copies if "\0" in name), None)
        if wrong is not None:
            raise DataError(where, f"cannot hold an array called {wrong!r}", hint="write .safetensors")
        with atomic_write(path, size) as file:
            np.savez(file, **copies)  # type: ignore[arg-type]  # no name without a point is one of its options
    else:
        torch = _torch()
        with atomic_write(path, size) as file:
            torch.save({name: torch.from_numpy(array) for name, array in copies.items()}, file)


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    safe_open = _safetensors("safetensors").safe_open
    arrays = {}
    with safe_open(os.fspath(path), framework="numpy") as file:
        for name in file.keys():
            try:
                arrays[name] = file.get_tensor(name)
                if arrays[name].dtype.kind == "V":  # a type that another package has taught NumPy
                    raise TypeError(arrays[name].dtype.name)
            except (TypeError, AttributeError, ValueError) as error:  # types and shapes that NumPy has not
                raise DataError(str(path), f"array {name!r} cannot be read ({error})",
                                hint="save it in single precision") from error
    return arrays


def _read_torch(path: Path) -> dict[str, np.ndarray]:
    torch, where = _torch(), str(path)
    with open(path, "rb") as file:
        if not file.read(2).startswith(ZIP):
            raise DataError(where, expected="a file as PyTorch 1.6 and later write it", got="another one",
                            hint="load it in PyTorch, and torch.save it anew")
        with zipfile.ZipFile(file) as archive:
            stored = os.fstat(file.fileno()).st_size
            require(sum(member.file_size for member in archive.infolist()), where, "the tensors", stored)
    found = torch.load(os.fspath(path), map_location="cpu", weights_only=True)
    wrong = [found] if not isinstance(found, dict) else [
        item for name, item in found.items() if not isinstance(name, str) or not isinstance(item, torch.Tensor)
        or item.layout is not torch.strided or item.is_quantized or item.device.type != "cpu"]
    if wrong:
        raise DataError(where, expected="names and dense tensors, as state_dict() gives them",
                        got=type(wrong[0]).__name__, hint="torch.save(model.state_dict(), …)")
    require(sum(4 * item.numel() for item in found.values()), where, "the tensors", stored)  # they may repeat storage
    return {name: _array(torch, item) for name, item in found.items()}


def _array(torch: ModuleType, tensor) -> np.ndarray:
    """The numbers of a tensor; those of types that NumPy has not, such as bfloat16, in single precision."""
    known = (torch.float16, torch.float32, torch.float64)
    return (tensor if tensor.dtype in known or not tensor.is_floating_point() else tensor.float()).detach().numpy()


def _torch() -> ModuleType:
    return require_library("torch", ".pt and .pth files", "need PyTorch", "torch", OTHERWISE)


def _safetensors(module: str) -> ModuleType:
    return require_library(module, "safetensors files", "need safetensors", "'blobnet[safetensors]'", OTHERWISE)
