"""A layer to try, as the contract and the tables of tests describe it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from google.protobuf.message import Message

from blobnet.check.standalone import Standalone, read_layer, standalone
from blobnet.core.context import TRAIN
from blobnet.core.layer import Layer
from blobnet.core.registry import class_of


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer to try.

    source: its prototxt `layer { … }` or its LayerParameter, not in place;
    bottoms: arrays, or shapes to fill with normal numbers;
    exceptions: names of rules that the type breaks, with the reason; python_layers: as for Net;
    expected: gives the tops from the bottoms and parameters, as a formula does, for types whose page has none.
    """

    source: str | Message
    bottoms: Sequence[np.ndarray | tuple[int, ...]] = ()
    phase: int = TRAIN
    exceptions: Mapping[str, str] = dataclasses.field(default_factory=dict)
    python_layers: bool = False
    expected: Callable | None = None

    @property
    def type(self) -> type[Layer]:
        return class_of(read_layer(self.source))

    def values(self) -> list[np.ndarray]:
        rng = np.random.default_rng(3)
        return [rng.normal(size=given) if isinstance(given, tuple) else np.asarray(given, float)
                for given in self.bottoms]

    def build(self, values: Sequence[np.ndarray] | None = None, param: Message | None = None,
              dtype: str = "float64", device: str = "cpu") -> Standalone:
        values = self.values() if values is None else values
        return standalone(param or self.source, *values, phase=self.phase, dtype=dtype, seed=5,
                          python_layers=self.python_layers, device=device)
