"""Nets written in Python: layers are calls, blobs are what they return, and names come from assignments.

    n = NetSpec()
    n.data = layers.Input(shape=dict(dim=[1, 3, 32, 32]))
    n.conv1 = layers.Convolution(n.data, num_output=8, kernel_size=3)
    n.relu1 = layers.ReLU(n.conv1, in_place=True)
    n.to_proto()                                     # a NetParameter; str() of it is prototxt

Keywords of a layer are fields of its own options (num_output) or of the layer itself (loss_weight, include, param,
convolution_param). Two are none: `ntop`, how many blobs it makes (1; with 0 the call returns the layer), and
`in_place`, whether these are its bottoms.
Differences from pycaffe: options of types that borrow them from another type need no message name, as num_output of
Deconvolution; tuples do as lists; `params` has the defaults of fields beside enum values; unknown names have hints.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from blobnet.core.registry import LAYERS
from blobnet.errors import NetError, ParseError, close_matches
from blobnet.proto.messages import convert, message_class, new
from blobnet.pycaffe.proto import caffe_pb2

__all__ = ["Function", "Layers", "NetSpec", "Parameters", "Top", "assign_proto", "caffe_pb2", "layers",
           "param_name_dict", "params", "to_proto"]


class UnknownTop(NetError, AttributeError, KeyError):
    """A name that nothing was assigned to: a KeyError as in pycaffe, an AttributeError so that hasattr works."""

    __str__ = Exception.__str__  # KeyError's shows quotes


class NoTop(NetError, TypeError):
    """Something else where a blob or a layer is assigned."""


def __getattr__(name: str) -> dict[str, str]:
    if name == "_param_names":  # asked for anew: plug-ins add to it
        return param_name_dict()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def param_name_dict() -> dict[str, str]:
    """The layer types by the messages of their options: {"Convolution": "convolution", …}, from …Parameter, …_param."""
    fields = message_class("LayerParameter").DESCRIPTOR.fields
    return {field.message_type.name.removesuffix("Parameter"): field.name.removesuffix("_param")
            for field in fields if field.name.endswith("_param")}


def to_proto(*tops: Top) -> Message:
    """A NetParameter of all layers that `tops` depend on; blobs and layers are named by type and number."""
    return _net(tops, {})


def assign_proto(proto: Message, name: str, val: object) -> None:
    """Set the field `name` of a message to a Python value; ParseError, with close matches, if this cannot be.

    Dicts become messages, lists repeated fields, and a single value for a repeated field a list of one.
    """
    fields = proto.DESCRIPTOR.fields_by_name
    if name not in fields:
        raise ParseError(proto.DESCRIPTOR.name, f"has no field {name!r}", hint=close_matches(name, fields))
    field = fields[name]
    try:
        if not field.is_repeated:
            _set(proto, field, val)
            return
        for item in val if isinstance(val, (list, tuple)) else [val]:
            if field.message_type:
                _fill(getattr(proto, name).add(), item)
            else:
                getattr(proto, name).append(item)
    except (TypeError, ValueError) as error:  # protobuf's own word on types and ranges
        raise ParseError(f"{proto.DESCRIPTOR.name}.{name}", str(error), got=repr(val)) from None


def _set(proto: Message, field, val: object) -> None:
    if field.message_type:
        if isinstance(val, Message):
            getattr(proto, field.name).SetInParent()  # though it be empty; an empty dict leaves no trace, as in pycaffe
        _fill(getattr(proto, field.name), val)
    else:
        setattr(proto, field.name, val)


def _fill(message: Message, val: object) -> None:
    if isinstance(val, Message):
        message.MergeFrom(convert(val))
    elif isinstance(val, Mapping):
        for key, value in val.items():
            assign_proto(message, key, value)
    else:
        raise TypeError(f"a {message.DESCRIPTOR.name} is written as a dict")


class Top:
    """A blob: output `n` of the layer `fn`."""

    def __init__(self, fn: Function, n: int):
        self.fn, self.n = fn, n

    def to_proto(self) -> Message:
        """A NetParameter of all layers that this blob depends on."""
        return to_proto(self)

    def _to_proto(self, layers: dict, names: dict, autonames: Counter) -> None:
        self.fn._to_proto(layers, names, autonames)


class Function:
    """A layer: `type_name`, `inputs` (Tops), `params` (a dict of fields), and the `tops` that it makes."""

    def __init__(self, type_name: str, inputs: tuple[Top, ...], params: dict):
        for index, item in enumerate(inputs):
            if not isinstance(item, Top):
                raise TypeError(f"{type_name} input {index} is not a Top (type is {type(item)})")
        self.type_name, self.inputs, self.params = type_name, inputs, dict(params)
        self.ntop = self.params.pop("ntop", 1)
        self.in_place = self.params.pop("in_place", False)
        self.tops = tuple(Top(self, n) for n in range(self.ntop))

    def _to_proto(self, layers: dict, names: dict, autonames: Counter) -> None:
        """Append this layer to `layers`, after those it depends on; `names` are given ones, `autonames` counts types.

        A loop, not a recursion: nets are deeper than Python's stack.
        """
        pending = [self]
        while pending:
            fn = pending[-1]
            missing = [top.fn for top in fn.inputs if top.fn not in layers] if fn not in layers else []
            if missing:
                pending.append(missing[0])
                continue
            pending.pop()
            if fn not in layers:
                layers[fn] = fn._layer(layers, names, autonames)

    def _get_name(self, names: dict, autonames: Counter) -> str:
        """The given name of this layer, or that of its first top, or type and number if it has none."""
        if self not in names:
            names[self] = (self._get_top_name(self.tops[0], names, autonames) if self.tops
                           else _number(self.type_name, autonames))
        return names[self]

    def _get_top_name(self, top: Top, names: dict, autonames: Counter) -> str:
        """The given name of a blob, or type and number."""
        if top not in names:
            names[top] = _number(top.fn.type_name, autonames)
        return names[top]

    def _layer(self, layers: dict, names: dict, autonames: Counter) -> Message:
        layer = new("LayerParameter", type=self.type_name, bottom=[layers[top.fn].top[top.n] for top in self.inputs])
        layer.top.extend(layer.bottom if self.in_place else [self._get_top_name(top, names, autonames)
                                                            for top in self.tops])
        layer.name = self._get_name(names, autonames)
        options = self._options_field()
        own = layer.DESCRIPTOR.fields_by_name[options].message_type.fields_by_name if options else {}
        try:
            for key, value in self.params.items():
                if key.endswith("param") or key not in own and key in layer.DESCRIPTOR.fields_by_name:
                    assign_proto(layer, key, value)
                elif key in own:
                    assign_proto(getattr(layer, options), key, value)
                else:
                    known = [*own, *layer.DESCRIPTOR.fields_by_name, "ntop", "in_place"]
                    raise ParseError(options or "LayerParameter", f"no field {key!r}", hint=close_matches(key, known))
        except ParseError as error:
            raise ParseError(f"layer {layer.name!r} ({self.type_name})", str(error)) from None
        return layer

    def _options_field(self) -> str:
        """The field of LayerParameter with the options of this type, "" if it has none."""
        if self.type_name in LAYERS:
            return LAYERS[self.type_name].options_field
        field = param_name_dict().get(self.type_name)
        return f"{field}_param" if field else ""


class NetSpec:
    """Blobs by the names they are assigned to, as attributes or items; `tops` has them in order."""

    tops: dict[str, Any]

    def __init__(self):
        super().__setattr__("tops", OrderedDict())

    def __setattr__(self, name: str, value: Top | Function) -> None:
        if not isinstance(value, (Top, Function)):
            some = isinstance(value, tuple) and value and all(isinstance(item, Top) for item in value)
            raise NoTop(f"NetSpec.{name}", expected="a Top", got=f"{len(value)} of them" if some else repr(value),
                        hint="write n.a, n.b = … for a layer with several tops" if some else "layers.… gives one")
        self.tops[name] = value

    def __getattr__(self, name: str) -> Top | Function:
        tops = self.__dict__.get("tops", {})  # none yet while a copy is being made
        if name not in tops:
            raise UnknownTop("NetSpec", f"no top {name!r}", hint=close_matches(name, tops))
        return tops[name]

    __setitem__, __getitem__ = __setattr__, __getattr__

    def to_proto(self) -> Message:
        """A NetParameter of all layers that the blobs depend on, in the order of their assignment."""
        return _net(self.tops.values(), {value: name for name, value in self.tops.items()})


def _net(tops, names: dict) -> Message:
    layers: dict[str, Message] = OrderedDict()
    autonames: Counter[str] = Counter()
    for top in tops:
        top._to_proto(layers, names, autonames)
    return new("NetParameter", layer=layers.values())


def _number(kind: str, autonames: Counter) -> str:
    """The type and the number of the next one of it."""
    autonames[kind] += 1
    return f"{kind}{autonames[kind]}"


class Layers:
    """`layers.Convolution(bottom, …, num_output=8)` gives the Top of a new layer, or a tuple of `ntop` Tops."""

    def __getattr__(self, name: str):
        if name[:2] == "__":
            raise AttributeError(name)

        def layer(*inputs: Top, **fields):
            fn = Function(name, inputs, fields)
            return fn.tops[0] if fn.ntop == 1 else fn.tops or fn

        layer.__name__ = name
        return layer


class Parameters:
    """`params.Pooling.MAX` is an enum value of PoolingParameter, `params.LRN.alpha` the default of a field."""

    def __getattr__(self, name: str):
        if name[:2] == "__":
            raise AttributeError(name)
        return _Options(name)


class _Options:
    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, name: str):
        try:
            cls = message_class(f"{self._name}Parameter")
        except ParseError as error:
            raise AttributeError(f"params has no {self._name!r}; {error}") from None
        if name in cls.DESCRIPTOR.fields_by_name:
            return cls.DESCRIPTOR.fields_by_name[name].default_value
        values = {value for enum in cls.DESCRIPTOR.enum_types for value in enum.values_by_name}
        if name not in values and not hasattr(cls, name):
            hint = "" if name[:2] == "__" else close_matches(name, [*values, *cls.DESCRIPTOR.fields_by_name])
            raise AttributeError(f"{cls.__name__} has no {name!r}" + (f"; {hint}" if hint else ""))
        return getattr(cls, name)


layers = Layers()
params = Parameters()
