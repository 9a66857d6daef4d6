"""Reshaping."""

from __future__ import annotations

import math

from blobnet.core.registry import register
from blobnet.core.view_layer import ViewLayer
from blobnet.errors import NetError, ShapeError


@register
class Reshape(ViewLayer):
    """Give a blob another shape; no number moves.

    y = x,   dx = dy

    Bottoms: x (any shape)    Tops: y (as many elements)    Params: none
    Options: shape.dim: the new sizes, where 0 copies the size of the bottom's axis at the same place and -1, once, is
    what remains; axis (0), the first axis that is replaced, where -1 stands behind the last axis; num_axes (-1, all
    that follow), how many axes are replaced: with 0 the new sizes are put in before `axis`
    Paper: none.
    Quirks: the top shares data and diff of the bottom. A 0 counts its place from `axis` on, even past the axes that are
    replaced.
    """

    options_field = "reshape_param"
    passes_labels = True

    def setup(self, bottom, top):
        self.dims = dims = list(self.options.shape.dim)
        if any(dim < -1 for dim in dims) or dims.count(-1) > 1:
            raise NetError(self.where, expected="shape of sizes, 0 to copy one, and -1 once for what remains", got=dims)
        if self.options.num_axes < -1:
            raise NetError(self.where, expected="num_axes of 0 or more, or -1 for all", got=self.options.num_axes)

    def reshape(self, bottom, top):
        shape = bottom[0].shape
        start, stop = self._replaced(shape)
        sizes = list(self.dims)
        free = set(range(start, stop))  # replaced axes that no 0 copies
        for i, dim in enumerate(sizes):
            if dim == 0:
                if start + i >= len(shape):
                    raise ShapeError(self.where, f"dim {i} is 0, to copy axis {start + i}",
                                     expected="a bottom with that axis", got=shape)
                sizes[i] = shape[start + i]
                free.discard(start + i)
        if -1 in sizes:
            sizes[sizes.index(-1)] = self._remaining(shape, start, stop, free)
        new = (*shape[:start], *sizes, *shape[stop:])
        if math.prod(new) != bottom[0].count:
            raise ShapeError(self.where, expected=f"as many elements as the bottom {shape} has, {bottom[0].count}",
                             got=f"{math.prod(new)} in {new}")
        top[0].reshape(new)
        self.share(bottom, top)

    def _replaced(self, shape) -> tuple[int, int]:
        """First and last (not included) of the axes that are replaced."""
        axis, count = self.options.axis, self.options.num_axes
        start = axis if axis >= 0 else len(shape) + 1 + axis
        if not 0 <= start <= len(shape):
            raise ShapeError(self.where, got=f"axis {axis}",
                             expected=f"an axis in [-{len(shape) + 1}, {len(shape)}] for the bottom {shape}")
        stop = len(shape) if count == -1 else start + count
        if stop > len(shape):
            raise ShapeError(self.where, expected=f"at most {len(shape) - start} num_axes from axis {start} of {shape}",
                             got=count)
        return start, stop

    def _remaining(self, shape, start: int, stop: int, free) -> int:
        """The size that -1 stands for. Copied sizes are left out on both sides, so that one of them may be 0."""
        given = math.prod(dim for dim in self.dims if dim > 0)
        given *= math.prod(shape[start + i] for i, dim in enumerate(self.dims) if dim == 0 and start + i >= stop)
        count = math.prod(shape[k] for k in free)
        if given == 0 or count % given:
            raise ShapeError(self.where, expected=f"a bottom whose elements can be shared out over {self.dims} "
                             f"in place of axes {start} to {stop - 1}", got=shape)
        return count // given
