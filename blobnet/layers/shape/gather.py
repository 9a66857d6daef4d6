"""Batches of several processes as one."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.core.view_layer import ViewLayer, hang_weight


@register
class Gather(ViewLayer):
    """Put the batches of all processes that train together one behind the other; of a single one, this is the batch.

    y_i = x_i,   dx_i = dy_i

    Bottoms: x_0, x_1, ... (N, ...), one or more    Tops: y_0, y_1, ... (as x_i), one for each bottom    Params: none
    Paper: Wang et al., Temporal Segment Networks, ECCV 2016 (its program for several GPUs).
    Quirks: here a net runs in one process, so each top shares data and diff of its bottom, as there without MPI. Labels
    may pass beside what is learned: a top gets a gradient if its bottom does.
    """

    num_bottoms = num_tops = (1, None)
    same_bottoms_tops = passes_labels = True

    def reshape(self, bottom, top):
        for x, y in zip(bottom, top):
            y.reshape(x.shape)
            self.share([x], [y])

    def backward(self, top, propagate_down, bottom):
        for i in range(len(top)):
            hang_weight(self, top, i)
