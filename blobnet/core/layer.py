"""Layer: the base class of every layer type, which owns the life cycle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message

from blobnet.backend import RandomNumbers, random_stream
from blobnet.core.blob import Blob
from blobnet.core.context import Context
from blobnet.core.fillers import fill
from blobnet.core.joined import Joined
from blobnet.core.layer_type import Arity, LayerType
from blobnet.core.shown import Shown
from blobnet.core.slopes import terms_by_slopes
from blobnet.core.terms import Place, Terms
from blobnet.errors import NetError, ShapeError


class Layer(LayerType, Shown):
    """One computation between bottom blobs and top blobs, with parameters in `blobs`.

    A layer type is a subclass decorated with `@register`. It declares its arity and the name of its options, as
    LayerType lists them, and writes `setup` (once), `reshape` (when shapes are new), `forward` and `backward`; it needs
    no constructor.

    Forward writes only top data. Backward writes only diffs: those of the bottoms are overwritten, those of the
    parameters accumulate. Whatever forward keeps for backward is made anew in every forward.
    """

    def __init__(self, param: Message, context: Context, index: int = 0):
        self.param, self.context, self.index = param, context, index
        self.name, self.type, self.phase = param.name, param.type, param.phase
        self.xp, self.dtype = context.xp, context.dtype
        self.where = f"layer {self.name!r} ({self.type})"
        self.options = getattr(param, self.options_field) if self.options_field else None
        self.blobs: list[Blob] = []
        self._param_shapes: list[tuple[int, ...]] = []
        self._fill_stream = random_stream(context.seed, index)
        # How its run stands.
        self.param_propagate_down: list[bool] = []  # for each parameter whether backward computes its diff
        self.loss_weights: list[float] = []  # one a top, 0 for those that are no loss
        self._last_shapes: list[tuple[int, ...]] | None = None  # of bottoms and tops, after the last reshape

    # What a layer type writes.

    def setup(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Read the options and make the parameters. Called once."""

    def reshape(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Check the shapes of the bottoms, shape the tops, make buffers."""
        raise NotImplementedError(f"{type(self).__name__} must define reshape")

    def forward(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Compute the data of the tops."""
        raise NotImplementedError(f"{type(self).__name__} must define forward")

    def backward(self, top: Sequence[Blob], propagate_down: Sequence[bool], bottom: Sequence[Blob]) -> None:
        """Compute the diffs of the bottoms asked for and add to those of the parameters."""
        if any(propagate_down):
            raise NetError(self.where, "has no backward", hint="it cannot stand between a loss and a layer that learns")

    def seek(self, step: int) -> None:
        """Go to where the layer would stand after `step` forwards. Layers that read data, or keep a state, write it."""

    # How its numbers are explained. Nothing has to be written; families of layers say it in a nicer way.

    def terms(self, place: Place, bottom: Sequence[Blob], top: Sequence[Blob]) -> Terms:
        """How a number was made: one of a top's data, or of a bottom's or a parameter's diff.

        The layer ran forward on these blobs, not in place; for a diff, those of the tops are given. The diff of a
        parameter is what one backward adds to it. What the blobs hold is left as it was.
        """
        return terms_by_slopes(self, place, bottom, top)

    def arithmetic(self) -> dict[str, Any] | None:
        """What another program needs to work out the same terms by itself: a "kind", and its numbers as JSON has them.

        None where `terms` has to be asked. After a forward.
        """
        return None

    # How it is computed together with others; see core/chain.py. Nothing has to be written.

    def join(self, followers: Sequence[Layer], learns: bool) -> Joined | None:
        """How it computes some of the `followers`, which work in place on its top right after it; None if it cannot.

        learns: whether they run backward.
        """
        return None

    def link(self) -> str:
        """What it is as a follower: one of the words of core/chain.py, or "" if nothing there fits."""
        return ""

    # What a layer type calls.

    def add_param(self, shape: Sequence[int], filler: Message) -> Blob:
        """Append a parameter blob, filled as `filler` says."""
        blob = Blob(shape, self.xp, self.dtype, f"{self.where}, parameter {len(self.blobs)}")
        fill(blob.data, filler, self._fill_stream, self.where, self.context.fillers)
        self.blobs.append(blob)
        self._param_shapes.append(blob.shape)
        self.param_propagate_down.append(True)
        return blob

    def param_data(self, index: int):
        """The values of a parameter in the shape that `add_param` gave it, even if the blob was reshaped since."""
        return self._as_added(index, "data")

    def param_diff(self, index: int):
        """The gradient of a parameter, in the same shape."""
        return self._as_added(index, "diff")

    def _as_added(self, index: int, which: str):
        blob, shape = self.blobs[index], self._param_shapes[index]
        if blob.shape == shape:
            return getattr(blob, which)
        count = math.prod(shape)
        if blob.count < count:
            raise ShapeError(self.where, f"parameter {index} was reshaped", expected=f"at least {count} numbers, as in "
                             f"{shape}", got=f"{blob.count} in {blob.shape}")
        return getattr(blob, which).reshape(-1)[:count].reshape(shape)

    def differentiable(self, count: int) -> list[bool]:
        """For each of `count` bottoms whether it gets a gradient: as the prototxt says, else all but labels.

        None does where the type has no backward.
        """
        if type(self).backward is Layer.backward:
            return [False] * count
        return list(self.param.propagate_down) or [i not in self.unforced_bottoms for i in range(count)]

    def refuse_targets(self, propagate_down: Sequence[bool]) -> None:
        """NetError if one of the `unforced_bottoms`, which hold labels, targets or indices, is asked for a gradient."""
        for i in self.unforced_bottoms:
            if any(propagate_down[i:i + 1]):
                wishes = " ".join(f"propagate_down: {str(j not in self.unforced_bottoms).lower()}"
                                  for j in range(len(propagate_down)))
                raise NetError(self.where, f"has no gradient for bottom {i} {self.param.bottom[i]!r}, which is made by "
                               "a layer that learns", hint=f"write {wishes}, if it needs none")

    def random(self) -> RandomNumbers:
        """The random numbers of this forward pass: the same step gives the same numbers, on every device.

        Of processes that run the net together each has its own.
        """
        rank = self.context.processes.rank
        return RandomNumbers(self.xp, self.context.placed_step(), self.context.seed, self.index, *[rank] * (rank > 0))

    # The life cycle, driven by the net.

    def initialize(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Check the arity, set up, shape the tops, and write the loss weights into the diffs of the tops."""
        self._check_arity("bottom", self.num_bottoms, len(bottom))
        self._check_arity("top", self.num_tops, len(top))
        if self.same_bottoms_tops and len(bottom) != len(top):
            raise NetError(self.where, expected="as many tops as bottoms",
                           got=f"{len(bottom)} bottoms and {len(top)} tops")
        if not self.in_place and any(blob in top for blob in bottom):
            raise NetError(self.where, "cannot work in place", hint="give the top a name of its own")
        weights = list(self.param.loss_weight) or ([1.0] if self.default_loss_weight else [])
        if weights and len(weights) != len(top):
            expected = f"one loss_weight a top ({len(top)})" + ("" if self.default_loss_weight else ", or none")
            raise NetError(self.where, expected=expected, got=len(self.param.loss_weight),
                           hint="write 0 for tops that are no loss")
        self.loss_weights = weights or [0.0] * len(top)
        self.param.loss_weight[:] = weights  # which saved nets show, as Caffe's do
        self.setup(bottom, top)
        self.update_shapes(bottom, top)

    def setup_again(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Run `setup` once more, for these blobs; the parameters stay as they are."""
        lists: tuple[list, ...] = self.blobs, self._param_shapes, self.param_propagate_down
        kept = [list(items) for items in lists]
        try:
            for items in lists:
                items.clear()
            self.setup(bottom, top)
        finally:
            for items, old in zip(lists, kept):
                items[:] = old
            self._last_shapes = None

    def update_shapes(self, bottom: Sequence[Blob], top: Sequence[Blob]) -> None:
        """Reshape if a bottom or a top has another shape than the last time."""
        before = self._last_shapes
        if before == [blob.shape for blob in (*bottom, *top)] and not self.reshape_always:
            return
        self.reshape(bottom, top)
        self._last_shapes = [blob.shape for blob in (*bottom, *top)]
        self.context.reshapes += self._last_shapes != before
        for weight, blob in zip(self.loss_weights, top, strict=True):
            if weight:
                blob.diff[...] = weight

    def loss(self, top: Sequence[Blob]):
        """The weighted sum of the tops that are losses, a scalar of the device, which may be a view of a top."""
        parts = [_loss(weight, blob) for weight, blob in zip(self.loss_weights, top, strict=True) if weight]
        return sum(parts[1:], parts[0]) if parts else 0

    def _check_arity(self, kind: str, arity: Arity, got: int) -> None:
        least, most = arity if isinstance(arity, tuple) else (arity, arity)
        if got < least or (most is not None and got > most):
            expected = str(least) if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            raise NetError(self.where, expected=f"{expected} {kind} blob{'s' * (expected != '1')}", got=got)

    def param_name(self, index: int) -> str:
        """What a reader calls a parameter: weight, bias, or its number in types whose parameters are others."""
        known = ("weight", "bias") if self.shows_rates else ()
        return known[index] if index < len(known) else f"param {index}"

    def __repr__(self) -> str:
        said, count = [", ".join(self.facts(self.param))], sum(blob.count for blob in self.blobs)
        if self.blobs:
            said += [", ".join(f"{self.param_name(i)} {blob.shape}" for i, blob in enumerate(self.blobs)),
                     f"{count:,} parameter{'s' * (count != 1)}"]
        text = "; ".join(filter(None, said))
        return f"<{self.type} {self.name!r}{': ' * bool(text)}{text}>"


def _loss(weight: float, blob: Blob):
    """weight * the sum of the data."""
    return blob.data.reshape(())[()] if weight == blob.count == 1 else weight * blob.data.sum()
