"""How kernels slide over the spatial axes: kernel, stride, pad and dilation, read from convolution_param."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import Message

from blobnet.errors import NetError


class Sliding(NamedTuple):
    """How a kernel slides: one number for each spatial axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]

    def words(self) -> str:
        """As errors say it: "a kernel of 3 x 3, stride 1, pad 0"."""
        parts = [f"a kernel of {_by(self.kernel)}"]
        for name in ("stride", "pad", "dilation"):
            values = getattr(self, name)
            if name != "dilation" or set(values) != {1}:
                parts.append(f"{name} {_by(values if len(set(values)) > 1 else values[:1])}")
        return ", ".join(parts)


def _by(values: tuple[int, ...]) -> str:
    return " x ".join(map(str, values))


def sliding(options: Message, num_spatial: int, where: str) -> Sliding:
    """Read a ConvolutionParameter for `num_spatial` axes: one value for all, one for each, or the _h and _w fields."""
    return Sliding(_sizes(options, "kernel", "kernel_size", num_spatial, where, least=1),
                   _sizes(options, "stride", "stride", num_spatial, where, least=1, default=1),
                   _sizes(options, "pad", "pad", num_spatial, where, default=0),
                   _sizes(options, None, "dilation", num_spatial, where, least=1, default=1))


def _sizes(options, prefix, field, count, where, least=0, default=None) -> tuple[int, ...]:
    values = tuple(getattr(options, field))
    pair = [prefix and options.HasField(f"{prefix}_{axis}") for axis in "hw"]
    if any(pair):
        if values:
            raise NetError(where, expected=f"either {field} or {prefix}_h and {prefix}_w", got="both")
        if count != 2:
            expected = f"2 spatial axes for {prefix}_h and {prefix}_w"
            raise NetError(where, expected=expected, got=count, hint=f"write {field}")
        if least > 0 and not all(pair):  # an absent one counts as 0
            raise NetError(where, expected=f"both {prefix}_h and {prefix}_w", got="one of them")
        values = tuple(getattr(options, f"{prefix}_{axis}") if given else default for axis, given in zip("hw", pair))
    if not values and default is not None:
        values = (default,)
    if len(values) not in (1, count):
        raise NetError(where, expected=f"{field} once or {count} times (the spatial axes)", got=f"{len(values)} times",
                       hint="" if values else f"write convolution_param {{ {field}: 3 }} for {_by((3,) * count)}")
    values = values * count if len(values) == 1 else values
    if any(value < least for value in values):
        raise NetError(where, expected=f"{field} at least {least}", got=values)
    return values
