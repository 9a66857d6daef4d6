"""Fed: what a net is given in the place of what its data layers read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from blobnet.backend import Array, as_numbers
from blobnet.core.blob import CHANNELS_LAST, Blob, channels_last
from blobnet.core.chain import Step
from blobnet.core.context import Context
from blobnet.core.feed import Feed, brings_data, require_given, require_not_made
from blobnet.core.node import Node
from blobnet.core.trouble import no_memory
from blobnet.errors import NetError, ShapeError, close_matches


class Fed:
    """The part of Net that takes arrays: those of a pass, and batches that it is fed from."""

    name: str
    context: Context
    nodes: Sequence[Node]
    blobs: Mapping[str, Blob]
    fed: Feed | None = None

    def feed(self, batches: Iterable | None, keep: int = 1) -> None:
        """Let every forward take the next of `batches` for what the data and Input layers have; None: no more.

        A batch is a dict of arrays by blob names, or a tuple or list of arrays for the tops of these layers in the
        order of the net, or the one array of a net with one such top. What NumPy takes for an array will do, tensors
        included; it is copied into its blob and nowhere else. Batches may differ in size. What forward says of keyword
        arguments holds for them, and those go before.
        An iterable that can be iterated again (a list, a DataLoader) starts anew when it ends, and after `seek(0)`;
        where another ends, forward raises a DataError. The newest `keep` batches are remembered, and come again where
        `seek` goes back to them; any other `seek` cannot find its place in an iterable of a user, which goes on where
        it is. DataError for what cannot be iterated over.
        """
        names = [top for node in self.nodes if brings_data(node) and (
            node.layer.is_input or node.layer.needs_data(node.layer.param)) for top in node.layer.param.top]
        self.fed = None if batches is None else Feed(batches, names, f"net {self.name!r}", keep)

    def bring(self, steps: Sequence[Step], inputs: Mapping[str, object] | None = None) -> tuple[Sequence[Step], str]:
        """Copy `inputs`, and the next batch that the net is fed, into their blobs, for a pass of these steps.

        For who holds `one_thread`. Returns the steps that are left to run, and what an error of shapes in them may come
        from.
        """
        given, sources = dict(inputs or {}), [step for step in steps if isinstance(step, Node) and brings_data(step)]
        if self.fed is not None and sources:
            given = self.fed.take() | given
        where = f"net {self.name!r}"
        arrays = {name: self._as_array(name, value) for name, value in given.items()}
        named = [node for node in sources if not arrays.keys().isdisjoint(node.layer.param.top)]
        replaced = [node for node in named if not node.layer.is_input]
        running = [step for step in steps if step not in replaced]
        require_not_made(running, arrays, where)
        require_given(running, replaced if self.fed is None else named, arrays, where)
        with self.context.on_device():
            turned = [self._fill(self.blobs[name], array) for name, array in arrays.items()]
        for node in replaced:
            node.layer.seek(self.context.step + 1)
        return running, CHANNELS_LAST if any(turned) else ""

    def _as_array(self, name: str, value: object) -> Array:
        """The numbers of `value` for the blob `name`."""
        if name not in self.blobs:
            raise NetError(f"net {self.name!r}", f"no blob {name!r}", hint=close_matches(name, self.blobs))
        try:
            with self.context.on_device():
                array = as_numbers(value, self.context.xp)
        except MemoryError as error:
            raise no_memory(f"net {self.name!r}, blob {name!r}", error) from error
        if array is None:
            raise ShapeError(f"net {self.name!r}", f"blob {name!r}", expected="an array of numbers",
                             got=f"{type(value).__name__} {value!r:.40}")
        return array

    @staticmethod
    def _fill(blob: Blob, array: Array) -> bool:
        """Copy `array` into a blob, which takes its shape; return whether its last axis seems the channels."""
        turned = channels_last(blob.shape, array.shape)
        blob.reshape(array.shape)
        blob.data[...] = array
        return turned
