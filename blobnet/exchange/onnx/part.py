"""Part: what becomes of one layer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from blobnet.core.node import Node
from blobnet.core.weights_named import parameter_names

Shape = tuple[int, ...]
Operand = str | float | Sequence | np.ndarray  # the name of a value, or a constant


@dataclasses.dataclass
class Operation:
    """An operator of ONNX with the names of its values. An attribute may be a Body."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]


@dataclasses.dataclass
class Body:
    """A graph within an operator, such as the step of a Scan; it also sees the values of the Part around it."""

    inputs: list[tuple[str, int]]  # names, with the number of axes
    operations: list[Operation]
    outputs: list[tuple[str, int]]


@dataclasses.dataclass
class Parameter:
    """Numbers that belong to a layer; `own` says where they lie, and in which shape, if they are a parameter as it is.
    """

    values: np.ndarray
    own: tuple[int, Shape] | None = None


class Part:
    """Operators of ONNX that compute the tops of a layer from its bottoms; functions of `families` write it.

    bottom_shapes and top_shapes: shapes of the blobs; operations: what was added; constants and parameters: by name;
    tops: the names of the values of the tops, once they are known; open: (top, axis) of sizes that only a run tells.
    Names are those within the part.
    """

    def __init__(self, node: Node):
        self.node, self.layer = node, node.layer
        self.bottom_shapes: list[Shape] = [blob.shape for blob in node.bottoms]
        self.top_shapes: list[Shape] = [blob.shape for blob in node.tops]
        self.bottoms = [f"x{i}" for i in range(len(node.bottoms))]
        self.operations: list[Operation] = []
        self.constants: dict[str, np.ndarray] = {}
        self.parameters: dict[str, Parameter] = {}
        self.tops: list[str] = []
        self.open: list[tuple[int, int]] = []
        self._names = parameter_names(self.layer.param, len(self.layer.blobs))
        self._values = 0

    def add(self, kind: str, *inputs: Operand, outputs: int = 1, **attributes: Any) -> Any:
        """Add an operator of opset 17; return the name of its value, or with `outputs` above 1 the list of them.

        inputs: names of values, "" for one that is left out, or constants: whole numbers become int64, others float32.
        """
        names = [self._fresh(kind) for _ in range(outputs)]
        self.operations.append(Operation(kind, [self._name(value) for value in inputs], names, attributes))
        return names if outputs > 1 else names[0]

    def constant(self, value: Operand | bool, dtype: type | None = None) -> str:
        """The name of a constant: int64 if it is made of whole numbers, else float32, or what `dtype` says."""
        array = np.asarray(value)
        if dtype is None:
            dtype = np.int64 if array.dtype.kind in "iu" else np.float32
        array = array.astype(dtype)
        for name, known in self.constants.items():
            if known.dtype == array.dtype and known.shape == array.shape and known.tobytes() == array.tobytes():
                return name
        name = self._fresh("constant")
        self.constants[name] = array
        return name

    def parameter(self, index: int, shape: Sequence[int] | None = None) -> str:
        """The name of the parameter with this number, in a shape."""
        data = self.layer.param_data(index)
        data = data if shape is None else data.reshape(shape)
        name = self._names[index]
        self.parameters[name] = Parameter(np.asarray(data, np.float32), (data.ctypes.data, data.shape))
        return name

    def all_parameters(self) -> list[str]:
        """The names of all parameters."""
        return [self.parameter(index) for index in range(len(self.layer.blobs))]

    def changed(self, index: int, values: np.ndarray) -> str:
        """The name of the parameter with this number, which has these values instead of its own."""
        return self.numbers(self._names[index], values)

    def numbers(self, name: str, values: np.ndarray) -> str:
        """Numbers that were worked out, from parameters or options, under a name."""
        self.parameters[name] = Parameter(np.asarray(values, np.float32))
        return name

    def body(self, inputs: Sequence[int], step: Callable[..., Sequence[str]], outputs: Sequence[int]) -> Body:
        """The graph that `step` adds, called with as many names as there are `inputs`, which gives their numbers of
        axes; it returns the names of the outputs. All values are float32."""
        outer, self.operations = self.operations, []
        names = [self._fresh("step") for _ in inputs]
        results = step(*names)
        inner, self.operations = self.operations, outer
        return Body(list(zip(names, inputs)), inner, list(zip(results, outputs, strict=True)))

    # What many types need.

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """x in another shape."""
        return self.add("Reshape", x, [*map(int, shape)] if shape else np.zeros(0, int), allowzero=int(0 in shape))

    def slice(self, x: str, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int],
              steps: Sequence[int] | None = None) -> str:
        """x[start:end:step] along some axes."""
        return self.add("Slice", x, list(starts), list(ends), list(axes), *([list(steps)] if steps else []))

    def total(self, x: str, axes: Sequence[int], keepdims: bool = True) -> str:
        """The sum over some axes."""
        return self.add("ReduceSum", x, list(axes), keepdims=int(keepdims))

    def mean(self, x: str, axes: Sequence[int], keepdims: bool = True) -> str:
        """The mean over some axes."""
        return self.add("ReduceMean", x, axes=list(axes), keepdims=int(keepdims))

    def count(self, index: int = 0) -> int:
        """How many numbers a bottom has."""
        return math.prod(self.bottom_shapes[index])

    def _fresh(self, word: str) -> str:
        self._values += 1
        return f"{word.lower()}_{self._values}"

    def _name(self, value: Operand) -> str:
        return value if isinstance(value, str) else self.constant(value)
