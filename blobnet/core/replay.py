"""Replay: the passes of a net on a GPU as a CUDA graph, which starts all their operations at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from blobnet.backend import single_threaded_blas
from blobnet.backend.graphs import Graph
from blobnet.core.chain import Step
from blobnet.core.net import Net

log = logging.getLogger(__name__)
EAGER = 2  # passes that start every operation by itself, before a graph is captured: buffers and kernels are made then


class Replay:
    """Runs a net forward and backward. What the passes start is captured after a while, and replayed from then on.

    Layers without bottoms, which read data, run by themselves before each replay. The graph is captured anew when
    shapes change, or arrays are at another place. Passes run as without it while somebody watches the net; and for good
    if it cannot be captured, because a layer waits for the GPU, works on the host, or says that it does not `replay`.
    """

    def __init__(self, net: Net):
        self._net = net
        self._sources = [node for node in net.nodes if not node.bottoms and not any(node.layer.loss_weights)]
        self._others = [step for step in net.steps if step not in self._sources]
        self._graph: Graph | None = None
        self._state: tuple = ()
        self._passes = 0  # that were made in this state
        refusing = [node.layer.where for node in net.nodes if node.bottoms and not node.layer.can_replay()]
        self._off = False
        if refusing:
            self._refuse(f"{refusing[0]} does not replay")

    @property
    def captured(self) -> bool:
        """Whether there is a graph."""
        return self._graph is not None

    def run(self) -> None:
        """Run forward and backward."""
        net = self._net
        if self._off or net.is_watched:
            net.forward()
            net.backward()
            return
        with net.one_thread:
            sources, hint = self._bring()
            with single_threaded_blas(), net.context.in_use():
                self._run(sources, hint)

    def _bring(self) -> tuple[Sequence[Step], str]:
        """Let the net take what it is fed; the layers that read the rest, and what errors of shapes may come from."""
        if self._net.fed is None:
            return self._sources, ""
        running, hint = self._net.bring([*self._sources, *self._others])
        return [step for step in self._sources if step in running], hint

    def _run(self, sources: Sequence[Step], hint: str) -> None:
        net = self._net
        net.run_forward(sources)
        self._follow(self._where())
        net.context.place_step()
        if self._graph is None and self._passes >= EAGER:
            self._capture()
        if self._graph is not None:
            self._graph.launch()
            net.device_loss = self._graph.result
        else:
            net.device_loss = self._work(hint)
            self._state = self._where()  # with the buffers that it made
        self._passes += 1
        net.context.step += 1

    def _work(self, hint: str = ""):
        """Run both passes but for the sources; the loss, as `device_loss`."""
        loss = self._net.run_forward(self._others, hint)
        self._net.run_backward(self._net.steps)
        return loss

    def _where(self) -> tuple:
        """What a graph has frozen: shapes, random seed, and places of arrays."""
        net = self._net
        blobs = [top for node in self._sources for top in node.tops]
        arrays = [blob.memory.array for blob in blobs]
        for parameter in net.parameters:
            arrays += parameter.blob.memory.array, parameter.blob.diff_memory.array
        return net.context.seed, net.context.reshapes, [blob.shape for blob in blobs], arrays

    def _follow(self, state: tuple) -> None:
        """Forget the graph if the state is another one."""
        same = self._state[:3] == state[:3] and all(a is b for a, b in zip(self._state[3], state[3], strict=True))
        if not same:
            self._graph, self._passes = None, 0
        self._state = state

    def _capture(self) -> None:
        try:
            self._graph = Graph(self._work)
        except Exception as error:  # whatever it is: if it is the net's own, it comes again without a graph
            self._refuse(str(error))

    def _refuse(self, reason: str) -> None:
        self._off = True
        log.info("Net %s is not captured as a CUDA graph: %s", self._net.name, reason)
