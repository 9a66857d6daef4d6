"""Codes that are kept up to date: items added to them, replaced and removed by their ids, and what they hold."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blobnet.errors import DataError, close_matches
from blobnet.hashing.codes import Codes
from blobnet.hashing.packing import to_words

_MADE_BY = ("bits", "threshold", "block_size", "net", "weights", "blob")  # what codes that are compared must share
_FILES = ("net", "weights")
_HINTED = 20_000  # ids among which a hint looks for near ones: more take seconds


def add(base: Codes, more: Codes, replacing: bool = False) -> Codes:
    """The items of `base`, then those of `more`, with classes merged by their names.

    Values are kept if `base` has them. DataError unless both were made in the same way (bits, threshold, block size,
    net, weights, blob), both have ids, of one kind, and both or neither labels, of one kind; and for an id that is
    there twice. `replacing`: items of `base` whose ids `more` has are left out instead.
    """
    require_made_alike(base, more)
    old, new = require_ids(base, "the index has"), require_ids(more, "the codes to add have")
    if old.dtype.kind != new.dtype.kind and len(old) and len(new) and "U" in (old.dtype.kind, new.dtype.kind):
        raise DataError("codes", expected=f"ids such as {old[0].item()!r}", got=repr(new[0].item()))
    twice = np.isin(old, new)
    if replacing:
        base, old = take(base, np.flatnonzero(~twice)), old[~twice]
    elif twice.any():
        raise DataError("codes", f"{twice.sum()} of {len(new)} ids are in the index already, such as "
                        f"{str(old[twice][0])!r}", hint="--replace takes the new codes instead of the old ones")
    if base.values is not None and more.values is None:
        raise DataError("codes", expected="real values, as the index has them", got="bits alone")
    classes, first, second = merge_labels(base, more)
    values = None if base.values is None else np.concatenate([base.values, more.values])
    return replace(base, packed=np.concatenate([base.packed, more.packed]), values=values, classes=classes,
                   labels=None if first is None else np.concatenate([first, second]), ids=np.concatenate([old, new]))


def require_made_alike(base: Codes, more: Codes) -> None:
    """DataError unless both have the same bits, threshold, block size, net, weights and blob."""
    differing = [name for name in _MADE_BY if not _alike(name, getattr(base, name), getattr(more, name))]
    if differing:
        expected, got = (", ".join(f"{name} {getattr(codes, name)!r}" for name in differing) for codes in (base, more))
        raise DataError("codes", "made in another way than the index", expected=expected, got=got,
                        hint="only codes of the same net, weights and rule can be compared")


def take(codes: Codes, places: np.ndarray) -> Codes:
    """The items at these places, in their order."""
    arrays = {name: getattr(codes, name) for name in ("packed", "values", "labels", "ids")}
    return replace(codes, **{name: None if array is None else array[places] for name, array in arrays.items()})


def remove(codes: Codes, patterns: Sequence[str]) -> Codes:
    """The codes without the items of these ids, or ids that match a pattern of * ? [abc].

    DataError for what is no id and matches none, with near ones.
    """
    names = [str(name) for name in require_ids(codes, "the index has").tolist()]
    places = {name: place for place, name in enumerate(names)}
    gone = np.zeros(len(names), bool)
    for pattern in patterns:
        match = re.compile(fnmatch.translate(pattern)).match
        found = [places[pattern]] if pattern in places else [place for name, place in places.items() if match(name)]
        if not found:
            raise DataError("codes", f"no item {pattern!r} in the index",
                            hint=close_matches(pattern, names) if len(names) <= _HINTED else "")
        gone[found] = True
    return take(codes, np.flatnonzero(~gone))


def with_classes(codes: Codes, names: Sequence[str], base: Codes) -> Codes:
    """The codes with these labels, the same for all of them: a class number or, where `base` has rows, a row.

    DataError for several names where `base` has no rows.
    """
    if base.labels is not None and base.labels.ndim == 2:
        classes = tuple(dict.fromkeys((*(base.classes or ()), *names)))
        row = np.isin(classes, names).astype(np.uint8)
        return replace(codes, labels=np.tile(row, (len(codes), 1)), classes=classes)
    if len(names) > 1:
        raise DataError("codes", expected="one class, as the items of the index have", got=", ".join(names))
    return replace(codes, labels=np.zeros(len(codes), np.int64), classes=tuple(names))


def merge_labels(base: Codes, more: Codes) -> tuple[tuple[str, ...] | None, np.ndarray | None, np.ndarray | None]:
    """The classes of both, and the labels of each in their numbers or columns.

    Classes that only `more` has come after those of `base`. DataError unless both have class numbers or both rows of
    labels, by name or both without names.
    """
    first, second = base.labels, more.labels
    kinds = [_kind(codes) for codes in (base, more)]
    if kinds[0] != kinds[1]:
        raise DataError("codes", expected=f"{kinds[0]}, as the index has", got=kinds[1],
                        hint="--class NAME says the class of all that is added" if first is not None else "")
    if base.classes is None or more.classes is None:
        return base.classes or more.classes, first, second
    classes = tuple(dict.fromkeys(base.classes + more.classes))
    numbers = {name: number for number, name in enumerate(classes)}
    columns = np.array([numbers[name] for name in more.classes], np.int64)
    if first is None or second is None:
        return classes, None, None
    if first.ndim == 1:
        return classes, first, columns[second]
    wide = [np.zeros((len(labels), len(classes)), np.uint8) for labels in (first, second)]
    wide[0][:, :first.shape[1]] = first
    wide[1][:, columns] = second
    return classes, wide[0], wide[1]


def require_ids(codes: Codes, what: str = "the codes have") -> np.ndarray:
    """The ids of the codes; DataError if there are none, or one is there twice. Errors begin with `what`."""
    if codes.ids is None:
        raise DataError("codes", f"{what} no ids", hint="'blobnet encode' takes the paths of a list or the keys of a "
                        "database as ids")
    different, counts = np.unique(codes.ids, return_counts=True)
    if len(different) < len(codes):
        raise DataError("codes", f"{what} the id {str(different[counts > 1][0])!r} {counts[counts > 1][0]} times",
                        expected="ids that are all different")
    return codes.ids


@dataclass(frozen=True)
class Contents:
    """What codes hold.

    classes: names (or numbers) and how many items have them; ones (K,): the share of ones of each bit, which is 0.5
    where a bit is balanced; distinct: how many different codes there are.
    """

    classes: list[tuple[str, int]]
    ones: np.ndarray
    distinct: int


def contents(codes: Codes) -> Contents:
    """Look at codes: see Contents."""
    counts: Any = []
    if codes.labels is not None:
        numbers, found = np.unique(codes.labels, return_counts=True) if codes.labels.ndim == 1 else (
            np.arange(codes.labels.shape[1]), codes.labels.sum(axis=0, dtype=np.int64))
        counts = [(codes.class_name(number), count) for number, count in zip(numbers.tolist(), found.tolist())]
    ones = [(codes.packed[:, k // 8] >> k % 8 & 1).sum() / max(1, len(codes)) for k in range(codes.bits)]
    words = to_words(codes.packed)
    words = words[:, np.lexsort(words)]
    distinct = min(1, len(codes)) + int((words[:, 1:] != words[:, :-1]).any(axis=0).sum())
    return Contents(counts, np.array(ones), distinct)


def _alike(name: str, one: object, other: object) -> bool:
    """Whether two values of a field say the same: files by their whole paths."""
    if name in _FILES and one and other:
        return os.path.abspath(str(one)) == os.path.abspath(str(other))
    return one == other


def _kind(codes: Codes) -> str:
    if codes.labels is None:
        return "no labels"
    kind = "class numbers" if codes.labels.ndim == 1 else "rows of labels"
    if codes.classes is not None:
        return f"{kind} with names"
    return f"{kind} without names" if codes.labels.ndim == 1 else f"{kind} without names, {codes.labels.shape[1]} each"
