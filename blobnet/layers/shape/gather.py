"""Batches of several processes as one."""

from __future__ import annotations

from blobnet.core.registry import register
from blobnet.core.view_layer import ViewLayer, hang_weight


@register
class Gather(ViewLayer):
    """Put the batches of all processes that train together one behind the other; of a single one, this is the batch.

    y_i = x_i of process 0, x_i of process 1, ... P - 1,   dx_i = P dy_i[rows of this process]

    Every process computes the whole of what follows, such as a loss over all pairs, and keeps the gradient of its own
    rows. It is P times those: what is averaged over the processes then is the gradient of that loss.

    Bottoms: x_0, x_1, ... (N, ...), one or more    Tops: y_0, y_1, ... (P N, ...), one for each bottom    Params: none
    Paper: Wang et al., Temporal Segment Networks, ECCV 2016 (its program for several GPUs).
    Quirks: with one process each top shares data and diff of its bottom, as there without MPI. Labels may pass beside
    what is learned: a top gets a gradient if its bottom does.
    """

    num_bottoms = num_tops = (1, None)
    same_bottoms_tops = passes_labels = True

    def reshape(self, bottom, top):
        processes = self.context.processes
        for x, y in zip(bottom, top):
            if processes.size == 1:
                y.reshape(x.shape)
                self.share([x], [y])
            else:
                y.reshape((processes.size * len(x.data), *x.shape[1:]))

    def forward(self, bottom, top):
        if self.context.processes.size > 1:
            for x, y in zip(bottom, top):
                self.context.processes.gather(x.data, y.data)

    def backward(self, top, propagate_down, bottom):
        processes = self.context.processes
        for i, (x, y) in enumerate(zip(bottom, top)):
            if processes.size == 1:
                hang_weight(self, top, i)
            elif propagate_down[i]:
                first = processes.rank * len(x.diff)
                self.xp.multiply(y.diff[first:first + len(x.diff)], processes.size, out=x.diff)
