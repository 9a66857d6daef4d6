"""Building as much of a net as can be built, with every error on the way, and shapes that nothing tells tried out."""

from __future__ import annotations

from google.protobuf.message import Message

from blobnet.core.building import Building
from blobnet.core.context import Context
from blobnet.core.registry import declarations

Shape = tuple[int, ...]


class Survey(Building):
    """What can be built of `definition`, whose splits are inserted.

    errors: what was raised, by the layers that could not be built. A layer behind such a layer is passed over.
    assumed: the shapes of tops that nothing tells. Where one was taken to be labels, the first layer that this does not
    suit chooses another shape, by its first bottom: the same, with one channel, or a row of one number.
    """

    def __init__(self, definition: Message, phase: int, context: Context, origin: str, assumed: dict[str, Shape]):
        self.errors: list[tuple[Message, Exception]] = []
        self.assumed = assumed
        self._lost: set[str] = set()
        self._made_up = {name: name for name, shape in assumed.items() if len(shape) == 1}  # blob: what it is a copy of
        super().__init__(definition, phase, context, origin)

    def _place(self, param: Message, origin: str) -> None:
        if self._lost.intersection(param.bottom):
            self._lost.update(param.top)
            return
        error = self._try(param, origin)
        if error is not None and not self._settle(param, origin):
            self.errors.append((param, error))
            self._lost.update(param.top)
        if declarations(param).is_split and param.bottom[0] in self._made_up:
            self._made_up.update(dict.fromkeys(param.top, self._made_up[param.bottom[0]]))

    def _try(self, param: Message, origin: str) -> Exception | None:
        """Add a layer, or return why it cannot be added, without a trace of it."""
        before = set(self.blobs)
        try:
            super()._place(param, origin)
        except Exception as error:  # of the code of a Python layer, whatever it raises
            for name in set(self.blobs) - before:
                del self.blobs[name]
            return error
        return None

    def _settle(self, param: Message, origin: str) -> bool:
        """Find shapes of its bottoms that are made up with which the layer can be added."""
        tops = sorted({self._made_up[name] for name in param.bottom if name in self._made_up})
        known = [self.blobs[name].shape for name in param.bottom if name not in self._made_up]
        if not tops or not known or not known[0]:
            return False
        old = {name: self.blobs[name].shape for name in tops}
        rows, *rest = first = known[0]
        for shape in (first, (rows,), (rows, 1, *rest[1:]), (rows, 1)):
            if self._reshape(dict.fromkeys(tops, tuple(shape))) and self._try(param, origin) is None:
                self.assumed.update(dict.fromkeys(tops, tuple(shape)))
                return True
        self._reshape(old)
        return False

    def _reshape(self, shapes: dict[str, Shape]) -> bool:
        """Give blobs of inputs these shapes, and whether the layers that read them take them."""
        for name, shape in shapes.items():
            self.blobs[name].reshape(shape)
        try:
            for node in self.nodes:
                node.layer.update_shapes(node.bottoms, node.tops)
        except Exception:
            return False
        return True

