"""Names as the formulas of the pages write them: which are symbols, and of what parts a symbol is made."""

from __future__ import annotations

import re
from typing import NamedTuple

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε", "eta": "η", "theta": "θ",
         "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
         "chi": "χ", "psi": "ψ", "omega": "ω"}
BIG = {"sum": "∑", "prod": "∏", "max": "max", "min": "min"}
PREFIX = {"exp", "log", "ln", "cos", "sin", "tan", "tanh", "cosh", "sinh"}  # log p needs no bracket
FUNCTIONS = PREFIX | set(BIG) | {"sqrt", "sign", "floor", "ceil", "round", "softmax", "sigmoid", "mean"}
ARRAYS = {"weight", "bias", "slope", "labels", "mask"}  # of which a page may have a gradient: dweight
NO_GRADIENT = {"do"}
NO_SYMBOL = {"L1", "L2"}
SHORT = 2  # letters of a subscript of a word; a longer one is a part of the word


class Parts(NamedTuple):
    """d, base, primes, sign and subscripts of a symbol: dh'_ij is True, "h", 1, "", ("ij",)."""

    differential: bool
    base: str
    primes: int
    sign: str
    subscripts: tuple[str, ...]


def is_differential(name: str) -> bool:
    """Whether `name`, which has no subscripts, is the gradient of something: dx, dweight.

    >>> [is_differential(name) for name in ("dx", "dweight", "do", "divisor", "d", "x")]
    [True, True, False, False, False, False]
    """
    rest = name[1:]
    return name[:1] == "d" and name not in NO_GRADIENT and (len(rest) == 1 and rest.isalpha() or rest in ARRAYS)


def is_symbol(name: str) -> bool:
    """Whether `name` is one wherever it stands: other words are only where they are computed with."""
    if name in NO_SYMBOL or "_" in name and name.isupper():
        return False
    plain = not name.isalpha()  # a subscript, a digit, a prime, a sign or a dot
    return plain or len(name) == 1 or name in GREEK or is_differential(name)


def function_name(name: str) -> str:
    """The function that `name` calls if it is one, without the base: "log" of log_B; or "".

    >>> [function_name(name) for name in ("log_B", "sum_", "min_size", "tanh", "weight")]
    ['log', 'sum', '', 'tanh', '']
    """
    base, _, index = name.partition("_")
    return base if base in FUNCTIONS and (len(index) <= SHORT or base in ("sum", "prod")) else ""


def parts(symbol: str) -> Parts:
    """What a symbol consists of. Options of several words, such as step_size, stay one base.

    >>> parts("dh'_ij")
    Parts(differential=True, base='h', primes=1, sign='', subscripts=('ij',))
    >>> parts("step_size").base, parts("W_xc_static").subscripts, parts("x1").subscripts
    ('step_size', ('xc', 'static'), ('1',))
    """
    sign = symbol[-1] if symbol[-1] in "+-" else ""
    primes = symbol.count("'")
    base, *subscripts = symbol.rstrip("+-").replace("'", "").split("_")
    digits = re.fullmatch(r"([^\W\d_])(\d+)", base)
    if digits:
        base, subscripts = digits[1], [digits[2], *subscripts]
    differential = is_differential(base)
    bare = base[1:] if differential else base
    if len(bare) > 1 and bare not in GREEK and (len(subscripts) > 1 or subscripts and len(subscripts[0]) > SHORT):
        return Parts(False, "_".join([base, *subscripts]), primes, sign, ())
    return Parts(differential, bare, primes, sign, tuple(filter(None, subscripts)))
