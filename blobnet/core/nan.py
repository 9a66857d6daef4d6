"""StopAtNotFinite: a watcher that ends a pass at the first layer that makes a NaN or an infinity."""

from __future__ import annotations

from blobnet.core.node import Node
from blobnet.core.not_finite import NotFinite, not_finite_backward, not_finite_forward
from blobnet.errors import NetError


class StopAtNotFinite:
    """Looks at what every layer computes as soon as it has run: the tops, and backward the gradients that it wrote.

        with net.watched_by(StopAtNotFinite()):
            net.forward()
            net.backward()

    NetError, during the pass, names the layer, the blob, the place in it, and the step: how many forward passes were
    made before this one, in training the iteration (times iter_size). The blobs are then as that layer left them. If a
    parameter of the layer is not finite either, the error names the parameter.

    This reads all blobs once more. A solver's own check reads only the loss and the gradients of the parameters, and
    looks for the layer afterwards, when layers that work in place may have written over its blobs.
    """

    def after_forward(self, node: Node) -> None:
        _refuse(not_finite_forward(node), f"forward of step {node.layer.context.step}")

    def after_backward(self, node: Node) -> None:
        _refuse(not_finite_backward(node), f"backward of step {max(node.layer.context.step - 1, 0)}")


def _refuse(found: NotFinite | None, when: str) -> None:
    if found:
        raise NetError(f"{found.layer.where}, {when}", f"{found.value:g} at {found.index} of {found.what}{found.note}",
                       hint="all that ran before this layer was finite; lower base_lr or set clip_gradients if it was "
                            "training that led here")
