"""Functions of a user that are called before and after every layer, also where a solver runs the net."""

from __future__ import annotations

from collections.abc import Callable

from blobnet.backend import single_threaded_blas
from blobnet.core.net import Net
from blobnet.pycaffe.blob import write_back

WHEN = "before_forward", "after_forward", "before_backward", "after_backward"


class HookedNet(Net):
    """A net that runs its layers one by one, with calls in between. `add_hook` makes nets into such."""

    calls: dict[str, list[Callable[[int], object]]]

    def forward(self, start: str | int | None = None, end: str | int | None = None, **inputs) -> dict:
        """As Net.forward."""
        first, last = self._range(start, end)
        step, loss = self.context.step, 0.0
        with self.one_thread, single_threaded_blas():
            for i in range(first, last + 1):
                self._call("before_forward", i)
                self.context.step = step  # it counts passes through the net, not through layers
                super().forward(i, i, **inputs)
                loss, inputs = loss + self.loss, {}
                self._call("after_forward", i)
        self.loss = loss
        names = self.outputs if end is None else self.layers[last].param.top
        return {name: self.blobs[name].data for name in names}

    def backward(self, start: str | int | None = None, end: str | int | None = None) -> dict:
        """As Net.backward. The functions are called for the layers that have nothing to do as well."""
        first, last = self._range(end, start, of="backward")
        with self.one_thread, single_threaded_blas():
            for i in range(last, first - 1, -1):
                self._call("before_backward", i)
                super().backward(i, i)
                self._call("after_backward", i)
        return {name: self.blobs[name].diff for name in self.inputs}

    def _call(self, when: str, layer: int) -> None:
        for run in self.calls[when]:
            run(layer)
            write_back()


def add_hook(net: Net, when: str, run: Callable[[int], object]) -> None:
    """Call `run` with the number of every layer of `net`; `when` is one of WHEN."""
    if not isinstance(net, HookedNet):
        net.__class__ = HookedNet  # the solver that made the net goes on with it
        net.calls = {name: [] for name in WHEN}
    net.calls[when].append(run)
