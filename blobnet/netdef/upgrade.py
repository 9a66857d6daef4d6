"""Nets and solvers of every generation and dialect, made into present-day ones."""

from __future__ import annotations

from functools import partial

from google.protobuf.message import Message

from blobnet.errors import NetError, SolverError
from blobnet.netdef.fields import copy_field, layer_where
from blobnet.netdef.upgrade_batch_norm import is_stale_batch_norm, share_stats_batch_size, upgrade_batch_norm
from blobnet.netdef.upgrade_c3d import is_first_c3d, upgrade_c3d
from blobnet.netdef.upgrade_v0 import upgrade_v0
from blobnet.netdef.upgrade_v1 import upgrade_v1

MAX_AXES = 32  # of a blob
SAME_TYPES = {"CuDNNBatchNorm": "BatchNorm"}  # names that forks gave to a layer of Caffe
# options message, old field, the field that took its place, and how the value is written there
RENAMED = (
    ("concat_param", "concat_dim", "axis", int),
    ("slice_param", "slice_dim", "axis", int),
    ("pooling_param", "ceil_mode", "round_mode", lambda ceil: 0 if ceil else 1),  # RoundMode CEIL, FLOOR
    ("image_data_param", "label_dim", "label_num", int),
)
MOVED = {"pairwise_ranking_loss_param": "triplet_loss_param"}  # options, and what they are called now
HAD_TRANSFORM = ("data_param", "image_data_param")  # transform_param stood in them once
SOLVER_TYPES = {"SGD": "SGD", "NESTEROV": "Nesterov", "ADAGRAD": "AdaGrad", "RMSPROP": "RMSProp",
                "ADADELTA": "AdaDelta", "ADAM": "Adam"}


def upgrade_net(message: Message, origin: str = "") -> Message:
    """The NetParameter `message`, a definition or weights, as a present-day net; itself if it is one already.

    `origin` (a file name) begins the errors. Layers of the first and second generation become `layer`; `input` with
    `input_dim` or `input_shape` becomes an Input layer at the front; a BatchNorm layer that lists its three
    statistics as learnable gets rates 0 for them, one with scale_bias becomes two, BatchNorm and Scale, and the filler
    of one goes to the Scale layer behind it; bn_stats_batch_size goes to all of them; concat_dim and slice_dim become
    axis; ceil_mode becomes round_mode; label_dim becomes label_num; pairwise_ranking_loss_param becomes
    triplet_loss_param; a transform_param within data_param moves out of it; CuDNNBatchNorm becomes BatchNorm, and
    SmoothL1Loss of three bottoms and SoftmaxWithLoss of three tops their kin of R-FCN, …OHEM; Convolution3D, Pooling3D
    and VideoData have their options in fields of their own.
    Raises NetError for generations mixed in one net, sizes that do not fit the inputs, and a field given in its old
    and new form at once.
    Quirks: `input` without any size is dropped without a word, as weights written by old versions have it so;
    input_dim beside input_shape is not looked at.
    """
    net = upgrade_v1(upgrade_v0(message, origin), origin)
    stale = [index for index, layer in enumerate(net.layer) if _is_stale(layer)]
    if not stale and not net.input and not net.HasField("bn_stats_batch_size"):
        return net
    if net is message:
        net = type(message)()
        net.CopyFrom(message)
    for index in reversed(stale):  # as layers are inserted behind them
        if net.layer[index].type != _type_here(net.layer[index]):
            net.layer[index].type = _type_here(net.layer[index])
        if is_stale_batch_norm(net.layer[index]):
            upgrade_batch_norm(net, index)
        _renew(net.layer[index], origin)
    if net.HasField("bn_stats_batch_size"):
        share_stats_batch_size(net)
    if net.input:
        _inputs_to_layer(net, origin)
    return net


def upgrade_solver(message: Message, origin: str = "solver") -> Message:
    """The SolverParameter `message` with `solver_type` turned into `type`; itself if it has none.

    SolverError if both are given.
    """
    if not message.HasField("solver_type"):
        return message
    if message.HasField("type"):
        raise SolverError(origin, "both type and solver_type", hint="keep type and remove solver_type")
    solver = type(message)()
    solver.CopyFrom(message)
    names = message.DESCRIPTOR.fields_by_name["solver_type"].enum_type.values_by_number
    solver.type = SOLVER_TYPES[names[message.solver_type].name]
    solver.ClearField("solver_type")
    return solver


def _type_here(layer: Message) -> str:
    """The type under which a layer is known here.

    R-FCN's SmoothL1Loss of three bottoms and its SoftmaxWithLoss of three tops are called …OHEM elsewhere.
    """
    if layer.type == "SmoothL1Loss" and len(layer.bottom) == 3 or layer.type == "SoftmaxWithLoss" and len(
            layer.top) == 3:
        return f"{layer.type}OHEM"
    return SAME_TYPES.get(layer.type, layer.type)


def _is_stale(layer: Message) -> bool:
    return layer.type != _type_here(layer) or is_stale_batch_norm(layer) or is_first_c3d(layer) or any(
        layer.HasField(options) and getattr(layer, options).HasField(old) for options, old, _, _ in RENAMED) or any(
        outer.HasField(old) for outer, old, _ in _moved(layer))


def _moved(layer: Message) -> list[tuple[Message, str, str]]:
    """Options of `layer` that may stand elsewhere than now: the message that they stand in, and both names."""
    inner = [getattr(layer, field) for field in HAD_TRANSFORM if layer.HasField(field)]
    return [(layer, old, new) for old, new in MOVED.items()] + [
        (options, "transform_param", "transform_param") for options in inner]


def _renew(layer: Message, origin: str) -> None:
    where = partial(layer_where, layer.name, layer.type, origin)
    if is_first_c3d(layer):
        upgrade_c3d(layer, origin)
    for outer, old, new in _moved(layer):
        if outer.HasField(old):
            if layer.HasField(new):
                raise NetError(where(), f"both {old} and {new}" if old != new else f"{new} twice", hint=f"keep {new}"
                               + " of the layer itself" * (old == new))
            copy_field(getattr(outer, old), layer, new)
            outer.ClearField(old)
    for field, old, new, convert in RENAMED:
        options = getattr(layer, field)
        if not options.HasField(old):
            continue
        if options.HasField(new):
            raise NetError(where(), f"both {old} and {new} in {field}", hint=f"keep {new}")
        value = convert(getattr(options, old))
        if new == "axis" and value >= MAX_AXES:
            raise NetError(where(), expected=f"{old} below {MAX_AXES}", got=value)
        setattr(options, new, value)
        options.ClearField(old)


def _inputs_to_layer(net: Message, origin: str) -> None:
    """Replace input, input_shape and input_dim of `net` by an Input layer, the first of the net."""
    where, inputs, shapes, dims = origin or "net", list(net.input), list(net.input_shape), list(net.input_dim)
    if shapes and len(shapes) != len(inputs):
        raise NetError(where, expected=f"{len(inputs)} input_shape, one for each input", got=len(shapes))
    if dims and not shapes and len(dims) != 4 * len(inputs):
        raise NetError(where, expected=f"{4 * len(inputs)} input_dim, four for each input", got=len(dims),
                       hint="for inputs of other than four axes write input_shape { dim: … }")
    if shapes or dims:
        sizes = [shape.dim for shape in shapes] or [dims[i:i + 4] for i in range(0, len(dims), 4)]
        layer = type(net)().layer.add(name="input", type="Input", top=inputs)
        for size in sizes:
            layer.input_param.shape.add(dim=size)
        net.layer.insert(0, layer)
    for field in ("input", "input_shape", "input_dim"):
        net.ClearField(field)
