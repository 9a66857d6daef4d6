"""Ufuncs: NumPy's, with the arguments that CuPy's take; and the operators of arrays."""

from __future__ import annotations

import numpy as np

from fakecupy.arrays import host, ndarray, wrap
from fakecupy.counting import counts, launch
from fakecupy.indexing import numpy_key

NAMES = """abs absolute acos acosh add arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan atan2 atanh
bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor cbrt
ceil conj conjugate copysign cos cosh deg2rad degrees divide divmod equal exp exp2 expm1 fabs float_power floor
floor_divide fmax fmin fmod frexp gcd greater greater_equal heaviside hypot invert isfinite isinf isnan lcm ldexp
left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor
maximum minimum mod modf multiply negative nextafter not_equal positive pow power rad2deg radians reciprocal remainder
right_shift rint sign signbit sin sinh sqrt square subtract tan tanh true_divide trunc"""
AT = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}
ADDED = {"int32", "int64", "uint32", "uint64", "float16", "float32", "float64"}
BINARY = dict(add="add", sub="subtract", mul="multiply", truediv="true_divide", floordiv="floor_divide",
              mod="remainder", pow="power", lshift="left_shift", rshift="right_shift", xor="bitwise_xor",
              **{"and": "bitwise_and", "or": "bitwise_or"})
COMPARISONS = dict(eq="equal", ne="not_equal", lt="less", le="less_equal", gt="greater", ge="greater_equal")
UNARY = dict(neg="negative", pos="positive", abs="absolute", invert="invert")


class ufunc:
    """cupy.ufunc: without where=, reduce of all but sums and products, and accumulate."""

    def __init__(self, name: str):
        self.__name__ = self.name = name
        self.function = getattr(np, name)
        self.nin, self.nout = self.function.nin, self.function.nout

    def __call__(self, *args, out=None, dtype=None, casting="same_kind"):
        given = args[:self.nin]
        outputs = args[self.nin:] if out is None else out if isinstance(out, tuple) else (out,)
        if not all(array is None or isinstance(array, ndarray) for array in outputs):
            raise TypeError(f"Unsupported types {[type(array) for array in outputs]}")
        values = [host(value) for value in given]
        if not any(isinstance(value, ndarray) for value in (*given, *outputs)):
            values = [np.asarray(value) for value in values]
        launch(1 + sum(_overlaps(value, array) for value in given for array in outputs))  # such an input is copied
        into = tuple(host(array) for array in outputs) if outputs and outputs[0] is not None else None
        with np.errstate(all="ignore"):
            found = self.function(*values, out=into, dtype=dtype, casting=casting)
        if into is not None:
            return outputs[0] if len(outputs) == 1 else outputs
        return tuple(map(wrap, found)) if self.nout > 1 else wrap(found)

    def at(self, a, indices, b=None):
        if self.name not in AT:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        if self.name == "add" and a.dtype.name not in ADDED:
            raise TypeError(f"cupy.add.at only supports {', '.join(sorted(ADDED))} as data type")
        key, _ = numpy_key(a, indices)
        values = host(b) if isinstance(b, ndarray) else np.asarray(b)
        launch()
        counts["atomic kernels"] += 1
        self.function.at(host(a), key, values.astype(a.dtype, copy=False))

    def outer(self, a, b, **kwargs):
        return self(a.reshape(a.shape + (1,) * b.ndim), b.reshape((1,) * a.ndim + b.shape), **kwargs)

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        reduction = {"add": array.sum, "multiply": array.prod}.get(self.name)
        if reduction is None:
            raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")
        return reduction(axis, dtype, out, keepdims)

    def accumulate(self, array, axis=0, dtype=None, out=None):
        raise NotImplementedError(f"`{self.name}.accumulate`")


def _overlaps(value, array) -> bool:
    """Whether an input and an output share memory without being the same."""
    if not isinstance(value, ndarray) or array is None or not np.may_share_memory(value._a, array._a):
        return False
    same = (value.data.ptr, value.strides, value.shape) == (array.data.ptr, array.strides, array.shape)
    return not same and np.shares_memory(value._a, array._a)


UFUNCS = {name: ufunc(name) for name in NAMES.split() if hasattr(np, name)}


def _operators(symbol: str, function: ufunc) -> None:
    """a + b, b + a and a += b."""
    setattr(ndarray, f"__{symbol}__", lambda a, b: function(a, b))
    setattr(ndarray, f"__r{symbol}__", lambda a, b: function(b, a))
    setattr(ndarray, f"__i{symbol}__", lambda a, b: function(a, b, out=a))


def _operator(symbol: str, function: ufunc) -> None:
    setattr(ndarray, f"__{symbol}__", lambda *operands: function(*operands))


for _symbol, _name in BINARY.items():
    _operators(_symbol, UFUNCS[_name])
for _symbol, _name in (COMPARISONS | UNARY).items():
    _operator(_symbol, UFUNCS[_name])
