"""Making shards of codes files: each is an index of FAISS's inverted lists that fits into the memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from blobnet.errors import DataError, within
from blobnet.hashing.codes import Codes
from blobnet.hashing.exchange.faiss_files import CHUNK, lists_for, sample, save_index, train_lists
from blobnet.hashing.shards.manifest import Manifest, Shard, checked, files_of
from blobnet.hashing.shards.parts import joined, require_same_kind

ITEMS = 5_000_000  # of a shard; it takes 8 bytes and the code for each while it is made


def build_shards(paths: Sequence[str | os.PathLike], out: str | os.PathLike, items: int = ITEMS,
                 nlist: int | None = None) -> Manifest:
    """Make the folder `out` of the items of the codes files `paths`, in their order, `items` a shard; its manifest.

    All shards have the same `nlist` lists (default: for so many items, see `lists_for`), whose centres are learnt from
    items spread over the whole base. The files are mapped: one shard at a time is in memory. The folder is there when
    all is done. DataError if it is there already, for no items, and for files that were made in different ways.
    """
    out = Path(out)
    if out.exists():
        raise DataError(str(out), "is there already", hint="shards go into a new folder")
    if not out.absolute().parent.is_dir():
        raise DataError(str(out), f"there is no folder {str(out.parent)!r}", hint="create it first")
    files = [Codes.load(path, mmap=True) for path in paths]
    for path, codes in zip(paths, files):
        with within(os.fspath(path)):
            require_same_kind(files[0], codes)
    starts = np.cumsum([0, *map(len, files)])
    count = int(starts[-1])
    if not count or items < 1:
        raise DataError("shards", expected="at least 1 item, and 1 a shard", got=f"{count} items, {items} a shard")
    nlist = lists_for(min(items, count)) if nlist is None else nlist
    index = train_lists(_taken(files, starts, sample(count, nlist)), nlist)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.absolute().parent))
    try:
        shards = []
        for number, start in enumerate(range(0, count, items)):
            part = joined(list(_between(files, starts, start, min(start + items, count))))
            for first in range(0, len(part), CHUNK):
                index.add(part.packed[first:first + CHUNK])
            names = files_of(number)
            save_index(index, temporary / names[0])
            part.save(temporary / names[1])
            shards.append(Shard(start, len(part), {name: checked(temporary / name) for name in names}))
            index.reset()  # its centres stay
        manifest = Manifest(nlist, _no_items(files[0]), tuple(shards))
        manifest.save(temporary)
        temporary.chmod(0o777 & ~_umask())
        temporary.rename(out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return manifest


def _between(files: Sequence[Codes], starts: np.ndarray, start: int, stop: int) -> Iterator[tuple[Codes, slice]]:
    """Which items of which files are those from `start` to `stop` - 1 of all."""
    for codes, first in zip(files, starts.tolist()):
        if first < stop and start < first + len(codes):
            yield codes, slice(max(0, start - first), stop - first)


def _taken(files: Sequence[Codes], starts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The packed codes at these places, ascending, of all files."""
    edges = np.searchsorted(places, starts)
    return np.concatenate([np.array(codes.packed[places[first:last] - start]) for codes, start, first, last in
                           zip(files, starts, edges, edges[1:])])


def _no_items(codes: Codes) -> Codes:
    return replace(codes, packed=np.empty((0, codes.packed.shape[1]), np.uint8), values=None, labels=None, ids=None)


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask
