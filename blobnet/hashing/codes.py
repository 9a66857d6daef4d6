"""Hash codes: real network outputs, their bits packed into bytes, and the file that keeps both.

Bit k of a code is bit k % 8, least significant first, of byte k // 8; the bits after the last one are zero.

The file is an uncompressed .npz, so that its arrays can be mapped into memory where they lie. They are (only the first
two are always there):

    header   JSON text: {"format": "blobnet codes", "version": 1, "bits": K, "threshold": t or null,
             "block_size": B or null, "net": file, "weights": file, "blob": name,
             "classes": the names of the classes, or null,
             "arrays": the names of those below that are there}; 0-dimensional
    packed   (N, ceil(K / 8)) uint8
    values   (N, K) float32, the outputs the bits were made of
    labels   (N,) int64 class numbers, or (N, L) uint8 rows with a 1 for each label that the item has
    ids      (N,) integers or text
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blobnet.errors import BlobnetError, DataError, ShapeError
from blobnet.hashing.mapped import map_arrays
from blobnet.hashing.packing import binarize, one_hot, pack, require_numbers
from blobnet.proto.npz import read_arrays
from blobnet.proto.storage import atomic_write, require_file

FORMAT, VERSION = "blobnet codes", 1
FIELDS = ("bits", "threshold", "block_size", "net", "weights", "blob", "classes")  # of the header
ARRAYS = ("packed", "values", "labels", "ids")
_HINT = "'blobnet encode' writes codes files"


@dataclass(frozen=True, eq=False)
class Codes:
    """N hash codes of K bits, with what belongs to them.

    packed (N, ceil(K / 8)) uint8; bits = K; values (N, K) float32 or None, and the threshold that made bits of them
    (None where the bits were given as such); labels (N,) class numbers or (N, L) rows of 0 and 1, or None; ids (N,)
    integers or text, or None. net, weights and blob name the files and the blob that the values came from.
    block_size B: the code is structured, K / B blocks with a single 1 each where the block's largest value is, as in
    Jain et al., SuBiC, ICCV 2017; None for other codes. classes: the names of the class numbers from 0 on, or of the
    columns of the label rows, or None. Labels may come as the floats of a Caffe blob, and (N, 1) means (N,). Raises
    ShapeError and DataError.
    """

    packed: np.ndarray
    bits: int
    values: np.ndarray | None = None
    labels: np.ndarray | None = None
    ids: np.ndarray | None = None
    threshold: float | None = None
    block_size: int | None = None
    net: str = ""
    weights: str = ""
    blob: str = ""
    classes: tuple[str, ...] | None = None

    @classmethod
    def from_values(cls, values: np.ndarray, threshold: float = 0.0, block_size: int | None = None, **rest) -> Codes:
        """Codes of real outputs (N, K): bit = value >= threshold or, with a block size, the largest of each block.

        `rest` are the other fields: labels, ids, net …
        """
        values = np.asarray(values, np.float32)
        if block_size is None:
            return cls(binarize(values, threshold), values.shape[1], values, threshold=float(threshold), **rest)
        return cls(one_hot(values, block_size), values.shape[1], values, block_size=int(block_size), **rest)

    @classmethod
    def from_bits(cls, bits: np.ndarray, **rest) -> Codes:
        """Codes of (N, K) zeros and ones. `rest` are the other fields: labels, ids, net …"""
        return cls(pack(bits), np.shape(bits)[1], **rest)

    def in_blocks(self, block_size: int) -> Codes:
        """Structured codes of the same values; DataError if there are only bits."""
        if self.values is None:
            raise DataError("codes", "no real values to make blocks of", hint="encode the images again")
        return replace(self, packed=one_hot(self.values, block_size), block_size=block_size, threshold=None)

    def __post_init__(self):
        packed, width = self.packed, -(-self.bits // 8)
        if packed.dtype != np.uint8 or self.bits < 1 or packed.ndim != 2 or packed.shape[1] != width:
            raise ShapeError("codes", expected=f"packed (N, {width}) uint8 for {self.bits} bits",
                             got=f"{packed.shape} {packed.dtype}")
        if self.bits % 8 and not self.mapped and (packed[:, -1] >> self.bits % 8).any():
            raise DataError("codes", f"ones after the last of {self.bits} bits", hint="pack the bits with pack()")
        if self.block_size is not None and (self.block_size < 2 or self.bits % self.block_size):
            raise ShapeError("codes", expected=f"bits a multiple of the block size, {self.block_size}, of 2 or more",
                             got=self.bits)
        for name, check in (("values", self._check_values), ("labels", _check_labels), ("ids", _check_ids)):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, check(np.asanyarray(given), len(packed)))
        if self.classes is not None:
            object.__setattr__(self, "classes", _check_classes(self.classes, self.labels))

    def _check_values(self, values: np.ndarray, count: int) -> np.ndarray:
        if values.shape != (count, self.bits):
            raise ShapeError("codes", expected=f"values ({count}, {self.bits})", got=f"shape {values.shape}")
        if self.mapped and values.dtype == np.float32:
            return values  # a look at each would read the file
        if values.dtype.kind in "iuf":
            with np.errstate(over="ignore"):  # too large for a float: inf
                values = values.astype(np.float32, copy=False)
        return require_numbers(values, "codes")

    def __len__(self) -> int:
        return len(self.packed)

    @property
    def mapped(self) -> bool:
        """Whether the codes are in a file that is mapped into memory."""
        return isinstance(self.packed, np.memmap)

    @property
    def capacity(self) -> float:
        """The bits that an item needs at least: K, or log2(B) a block of structured codes."""
        return self.bits if self.block_size is None else self.bits // self.block_size * math.log2(self.block_size)

    @property
    def rule(self) -> str:
        """How the bits were made, in words."""
        if self.block_size is not None:
            return f"1 for the largest of each {self.block_size} values"
        return "bits as given" if self.threshold is None else f"bit = value >= {self.threshold:g}"

    def label_names(self, place: int) -> list[str]:
        """The class of the item, or each of its labels, by name or else by number; nothing for codes without labels."""
        if self.labels is None:
            return []
        label = self.labels[place]
        numbers = [label] if label.ndim == 0 else np.flatnonzero(label)
        return [self.class_name(int(number)) for number in numbers]

    def class_name(self, number: int) -> str:
        """The name of a class number or of a column of the label rows; the number itself where there are no names."""
        return str(number) if self.classes is None else self.classes[number]

    def save(self, path: str | os.PathLike) -> None:
        """Write the file described at the top of this page, whole or not at all."""
        header = {"format": FORMAT, "version": VERSION}
        header |= {name: getattr(self, name) for name in FIELDS}
        arrays = {name: getattr(self, name) for name in ARRAYS if getattr(self, name) is not None}
        header["arrays"] = list(arrays)  # a damaged archive may lose one of them without a trace
        with atomic_write(path) as file:
            np.savez(file, header=np.array(json.dumps(header)), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike, mmap: bool = False) -> Codes:
        """Read what `save` wrote; DataError or ShapeError, naming the file, if it is anything else.

        mmap: leave the arrays in the file, from where the system reads what is looked at: for bases larger than the
        memory. Then shapes and types are checked, but neither checksums nor contents.
        """
        where = os.fspath(path)
        try:
            arrays = (map_arrays if mmap else read_arrays)(require_file(path))
        except BlobnetError:
            raise
        except Exception as error:  # zipfile and NumPy raise a dozen types on damaged files
            raise DataError(where, f"not a whole .npz file ({error})", hint=_HINT) from error
        header = _header(arrays.pop("header", None), where)
        expected = header.pop("arrays")
        if "packed" not in arrays or not arrays.keys() <= set(ARRAYS):
            raise DataError(where, expected="the arrays packed and perhaps values, labels, ids", got=sorted(arrays))
        if expected is not None and sorted(map(str, expected)) != sorted(arrays):
            raise DataError(where, "a damaged file", expected=f"the arrays {expected}", got=list(arrays))
        try:
            codes = cls(**{**arrays, **header})
            if not mmap:
                codes._check_bits()
        except (DataError, ShapeError) as error:
            raise type(error)(where, str(error)) from error
        return codes

    def _check_bits(self) -> None:
        """DataError unless the bits are those of the values."""
        if self.values is None or (self.threshold is None and self.block_size is None):
            return
        expected = binarize(self.values, self.threshold) if self.block_size is None \
            else one_hot(self.values, self.block_size)
        if not np.array_equal(expected, self.packed):
            raise DataError("codes", f"the packed bits are not those of the values ({self.rule})")


def _header(array: np.ndarray | None, where: str) -> dict:
    """The checked fields of Codes that the header holds."""
    found: object
    try:
        header = json.loads(str(array))
        found = header.pop("format"), header.pop("version")
        if isinstance(header.get("threshold"), int):
            header["threshold"] = float(header["threshold"])
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, OverflowError):
        found = "no header of ours"
    if found != (FORMAT, VERSION):
        raise DataError(where, expected=f"{FORMAT}, version {VERSION}", got=found, hint=_HINT)
    for name in ("block_size", "arrays", "classes"):  # which older files do not have
        header.setdefault(name, None)
    kinds: dict[str, Any] = {"bits": int, "threshold": (float, int, type(None)), "block_size": (int, type(None)),
                             "net": str, "weights": str, "blob": str, "arrays": (list, type(None)),
                             "classes": (list, type(None))}
    if set(header) != set(kinds) or not all(isinstance(header[name], kind) for name, kind in kinds.items()):
        raise DataError(where, "a damaged header", expected=f"the fields {', '.join(kinds)}", got=header)
    return header


def _check_labels(labels: np.ndarray, count: int) -> np.ndarray:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim not in (1, 2) or len(labels) != count:
        raise ShapeError("codes", expected=f"labels ({count},) or ({count}, L)", got=f"shape {labels.shape}")
    if isinstance(labels, np.memmap) and labels.dtype == (np.int64 if labels.ndim == 1 else np.uint8):
        return labels  # as `save` left them; a look at each would read the file
    most = np.float64(2 ** 63)  # beyond float16
    if labels.dtype.kind not in "biuf" or not ((np.abs(labels) < most) & (labels == np.rint(labels))).all():
        raise DataError("codes", expected="whole numbers as labels", got=f"{labels.dtype} labels that are not")
    if labels.ndim == 1:
        return labels.astype(np.int64)
    if not np.isin(labels, (0, 1)).all():
        raise DataError("codes", expected="0 and 1 in label rows (N, L)", got=f"{labels.min()} to {labels.max()}",
                        hint="a row holds a 1 for each label of the item; class numbers go into an array (N,)")
    return labels.astype(np.uint8)


def _check_ids(ids: np.ndarray, count: int) -> np.ndarray:
    if ids.shape != (count,) or ids.dtype.kind not in "iuU":
        raise ShapeError("codes", expected=f"ids ({count},) of integers or text", got=f"{ids.shape} {ids.dtype}")
    return ids


def _check_classes(classes: Sequence[str], labels: np.ndarray | None) -> tuple[str, ...]:
    names, seen = tuple(classes), set[str]()
    for name in names:
        if not isinstance(name, str) or not name or name in seen or isinstance(classes, str):
            raise DataError("codes", expected="different names of classes", got=repr(name))
        seen.add(name)
    if labels is None or isinstance(labels, np.memmap):
        return names
    if labels.ndim == 2 and labels.shape[1] != len(names):
        raise ShapeError("codes", expected=f"a name for each of {labels.shape[1]} labels", got=len(names))
    if labels.ndim == 1 and len(labels) and not 0 <= labels.min() <= labels.max() < len(names):
        raise DataError("codes", expected=f"class numbers from 0 to {len(names) - 1}, for {len(names)} names",
                        got=f"{labels.min()} to {labels.max()}")
    return names
