"""Feeding: batches of a user's own, in the place of those that data layers read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from blobnet.core.chain import Chain, Step
from blobnet.core.node import Node
from blobnet.errors import DataError, NetError

_END = object()


class Feed:
    """Takes batches from an iterable, one after the other: dicts of arrays by the names of blobs.

    A batch of the iterable is such a dict, or has an array for each of `names`, in their order. An iterable that can be
    iterated again, as a list or a DataLoader, starts anew at its end; of others, such as generators, the end is a
    DataError. The newest `keep` batches are remembered and come again after a `seek`.
    """

    def __init__(self, batches: Iterable, names: Sequence[str], where: str, keep: int = 1):
        self.names, self.where, self.keep = list(names), where, keep
        self._batches = batches
        self._next = 0
        self._kept: dict[int, dict] = {}  # batches by number, the newest last
        self._start()
        self._ends = self._iterator is batches

    def _start(self) -> None:
        try:
            self._iterator = iter(self._batches)
        except TypeError:
            raise DataError(self.where, expected="batches to iterate over", got=f"a {type(self._batches).__name__}",
                            hint="a batch is a dict of arrays by blob names, or a tuple of arrays") from None
        self._count = 0  # of the batches that came since

    def take(self) -> dict[str, object]:
        """The next batch. DataError if there is none, or if it has another number of arrays."""
        number = self._next
        if number not in self._kept:
            batch = self._named(self._fetch())
            if number - 1 not in self._kept:
                self._kept.clear()
            self._kept[number] = batch
            self._kept.pop(number - self.keep, None)
        self._next = number + 1
        return self._kept[number]

    def seek(self, number: int) -> None:
        """Let the next batch be that of this number, if it is remembered; the first of all if the number is 0.

        The place of any other number in the iterable is not known: then it goes on where it is. So it does with 0, if
        it cannot be iterated again.
        """
        self._next = number
        if number == 0 and self._count and 0 not in self._kept and not self._ends:
            self._start()

    def _fetch(self) -> object:
        batch = next(self._iterator, _END)
        if batch is _END and self._count and not self._ends:
            self._start()
            batch = next(self._iterator, _END)
        if batch is _END:
            self._refuse_end()
        self._count += 1
        return batch

    def _refuse_end(self) -> None:
        if not self._count:
            raise DataError(self.where, expected="batches to take", got=f"a {type(self._batches).__name__} without any")
        many = f"{self._count // self.keep} iterations of {self.keep}" if self.keep > 1 else "one an iteration"
        raise DataError(self.where, f"the batches came to their end: there were {self._count}, {many}",
                        hint="a generator serves once: give more batches, or what can be iterated again, as a list")

    def _named(self, batch: object) -> dict[str, object]:
        if isinstance(batch, Mapping):
            return dict(batch)
        values = batch if isinstance(batch, (tuple, list)) else [batch]
        if len(values) != len(self.names):
            raise DataError(self.where, expected=f"batches of {len(self.names)}, {' and '.join(self.names) or 'none'}",
                            got=f"one of {len(values)}", hint="or dicts of arrays by the names of blobs")
        return dict(zip(self.names, values))


def brings_data(node: Node) -> bool:
    """Whether a layer has the numbers of its tops from elsewhere, so that they can be given instead."""
    return not node.bottoms and not node.layer.blobs


def _nodes(steps: Iterable[Step]) -> Iterator[Node]:
    for step in steps:
        yield from step.nodes if isinstance(step, Chain) else [step]


def require_not_made(steps: Iterable[Step], names: Collection[str], where: str) -> None:
    """NetError if a layer among `steps` makes one of the blobs `names`, whose values would be lost."""
    for node in _nodes(steps):
        made = [top for top in node.layer.param.top if top in names and top not in node.layer.param.bottom]
        if made and node.bottoms:
            raise NetError(where, f"blob {made[0]!r} is computed in this pass, by {node.layer.where}",
                           hint="start after that layer, forward(start=…)")


def require_given(steps: Iterable[Step], nodes: Sequence[Node], names: Collection[str], where: str) -> None:
    """NetError unless all tops of `nodes` are given, those of the `names`, that layers among `steps` read."""
    missing = {top: top for node in nodes for top in node.layer.param.top if top not in names}
    if not missing:
        return
    for node in _nodes(steps):
        for bottom in missing.keys() & set(node.layer.param.bottom):
            if not node.layer.is_split:
                raise NetError(where, f"no values for {missing[bottom]!r}, which {node.layer.where} reads",
                               hint="a data layer is replaced as a whole: give all of its tops, or end before")
            missing.update(dict.fromkeys(node.layer.param.top, missing[bottom]))
