"""From parts to a model: names of values, initializers, and functions for what takes several operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from blobnet.exchange.onnx.part import Body, Operation, Parameter, Part
from blobnet.exchange.onnx.wires import State, Wired, Wires

OPSET, IR_VERSION = 17, 8  # of 2022, which all common runtimes read; functions within a model need IR 8
DOMAIN = "blobnet"
FEW = 2        # so many operators of a layer stand in the graph themselves, more become a function
LARGE = 64     # constants with more numbers are handed to a function, not written into it


class Graph:
    """Collects the pieces of a ModelProto.

    parts: what becomes of each of the layers of `wires`; sizes: the shape of a state, with names for open sizes.
    """

    def __init__(self, name: str, wires: Wires, parts: Sequence[Part], sizes: Mapping[State, Sequence[int | str]]):
        self.name, self.wires, self.parts, self.sizes = name, wires, parts, sizes
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.functions: dict[str, tuple[bytes, Any]] = {}
        self._at: dict[Any, str] = {}  # where parameters lie, by the names of their initializers
        self._value: dict[State, str] = {}
        self._taken: set[str] = set()

    def model(self) -> Any:
        """The ModelProto."""
        from onnx import helper

        self._name_states()
        for part, wired in zip(self.parts, self.wires.layers):
            self._place(part, wired)
        outputs = [self._output(state) for state in self.wires.outputs]
        known = [self._info(self._value[state], state) for wired in self.wires.layers for state in wired.writes
                 if self._value[state] not in outputs]
        inputs = [self._info(self._value[state], state) for state in self.wires.inputs]
        graph = helper.make_graph(
            self.nodes, self.name or "net", inputs, [self._info(*pair) for pair in zip(outputs, self.wires.outputs)],
            list(self.initializers.values()), value_info=list({info.name: info for info in known}.values()))
        imports = [helper.make_opsetid("", OPSET), *([helper.make_opsetid(DOMAIN, 1)] if self.functions else [])]
        return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION, producer_name="blobnet",
                                 functions=[function for _, function in self.functions.values()])

    # Names.

    def _name_states(self) -> None:
        """Name the values: the last state of a blob as the blob, those before it also after their layers. What a layer
        hands through keeps the name that it had."""
        for state in self.wires.inputs:
            self._value[state] = self._fresh(state.name)
        same: dict[State, State] = {}
        for part, wired in zip(self.parts, self.wires.layers):
            for top, state in zip(part.tops, wired.writes):
                if top in part.bottoms:
                    same[state] = wired.reads[part.bottoms.index(top)]
        last = {state.name: state for wired in self.wires.layers for state in wired.writes if state not in same}
        own = {state for name, state in last.items() if name not in self._taken}
        self._taken.update(state.name for state in own)
        for wired in self.wires.layers:
            for state in wired.writes:
                if state in same:
                    self._value[state] = self._value[same[state]]
                else:
                    between = f"{state.name}/{wired.node.layer.name}"
                    self._value[state] = state.name if state in own else self._fresh(between)

    def _fresh(self, name: str) -> str:
        """The name, with a number if it is taken."""
        name, number, found = name or "value", 1, name or "value"
        while found in self._taken:
            number += 1
            found = f"{name}_{number}"
        self._taken.add(found)
        return found

    def _output(self, state: State) -> str:
        """The name of the value of an output, which is that of its blob: else a copy is made."""
        from onnx import helper

        value = self._value[state]
        if value == state.name and state not in self.wires.inputs:
            return value
        name = self._fresh(state.name)
        self.nodes.append(helper.make_node("Identity", [value], [name], name=name))
        return name

    def _info(self, name: str, state: State) -> Any:
        from onnx import TensorProto, helper

        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(self.sizes[state]))

    # Nodes.

    def _place(self, part: Part, wired: Wired) -> None:
        """Add the nodes of a part."""
        names = {local: self._value[state] for local, state in zip(part.bottoms, wired.reads)}
        names |= {top: self._value[state] for top, state in zip(part.tops, wired.writes) if top not in part.bottoms}
        for local, parameter in part.parameters.items():
            names[local] = self._parameter(f"{part.layer.name}.{local}", parameter)
        if len(part.operations) > FEW:
            self._call(part, names)
            return
        for local, values in part.constants.items():
            names[local] = self._tensor(f"{part.layer.name}.{local}", values)
        for operation in part.operations:
            for value in operation.outputs:
                if value and value not in names:
                    names[value] = self._fresh(f"{part.layer.name}.{value}")
        self.nodes += _nodes(part.operations, names, self._node_name(part))

    def _parameter(self, name: str, parameter: Parameter) -> str:
        """The initializer of a parameter; layers that share one have one."""
        if parameter.own is None:
            return self._tensor(name, parameter.values)
        if parameter.own not in self._at:
            self._at[parameter.own] = self._tensor(name, parameter.values)
        return self._at[parameter.own]

    def _tensor(self, name: str, values: np.ndarray) -> str:
        from onnx import numpy_helper

        name = self._fresh(name)
        self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(values).reshape(values.shape), name)
        return name

    def _call(self, part: Part, names: dict[str, str]) -> None:
        """Add one node for the part, and the function that it calls, unless another layer has the same."""
        from onnx import helper, numpy_helper

        large = {local for local, values in part.constants.items() if values.size > LARGE}
        for local in large:
            names[local] = self._tensor(f"{part.layer.name}.{local}", part.constants[local])
        inputs = [*part.bottoms, *part.parameters, *(local for local in part.constants if local in large)]
        outputs = list(dict.fromkeys(top for top in part.tops if top not in part.bottoms))
        body = [helper.make_node("Constant", [], [local], value=numpy_helper.from_array(values))
                for local, values in part.constants.items() if local not in large]
        body += _nodes(part.operations, {}, "")
        function = helper.make_function(DOMAIN, "", inputs, outputs, body, [helper.make_opsetid("", OPSET)])
        content = function.SerializeToString(deterministic=True)
        key = kind = type(part.layer).__name__
        number = 1
        while self.functions.setdefault(key, (content, function))[0] != content:
            number += 1
            key = f"{kind}_{number}"
        self.functions[key][1].name = key
        self.nodes.append(helper.make_node(key, [names[local] for local in inputs], [names[top] for top in outputs],
                                           name=self._node_name(part), domain=DOMAIN))

    def _node_name(self, part: Part) -> str:
        """The name of the layer, which the names of values do not meet."""
        return self._fresh(f"node {part.layer.name}").removeprefix("node ")


def _nodes(operations: Sequence[Operation], names: Mapping[str, str], name: str) -> list[Any]:
    """The NodeProtos of operations, with `names` for the values that have others outside."""
    from onnx import helper

    def named(values: Sequence[str]) -> list[str]:
        return [names.get(value, value) for value in values]

    found = []
    for i, operation in enumerate(operations):
        attributes = {key: _body(value, names) if isinstance(value, Body) else value
                      for key, value in operation.attributes.items()}
        found.append(helper.make_node(operation.kind, named(operation.inputs), named(operation.outputs),
                                      name=f"{name}_{i}" if name and i else name, **attributes))
    return found


def _body(body: Body, names: Mapping[str, str]) -> Any:
    from onnx import TensorProto, helper

    def infos(values: Sequence[tuple[str, int]]) -> list[Any]:
        return [helper.make_tensor_value_info(value, TensorProto.FLOAT, [None] * axes) for value, axes in values]

    return helper.make_graph(_nodes(body.operations, names, ""), "step", infos(body.inputs), infos(body.outputs))
