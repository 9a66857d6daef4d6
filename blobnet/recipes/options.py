"""What a task can be told: the kind, the range and the default of each option; options that several tasks have."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from blobnet.errors import DataError, close_matches

MAX_FLOAT = sys.float_info.max
REQUIRED = object()  # as a default: there is none


@dataclass(frozen=True)
class Option:
    """An option of a task.

    kind: int, float (which takes whole numbers too), bool, str, list (of ints) or dict (of texts by name); default;
    least: the smallest number, also in a list; words: what a text is made of, if not all words will do.
    """

    kind: Any
    default: object = REQUIRED
    least: float = -math.inf
    words: Collection[str] = ()

    def check(self, where: str, name: str, value: Any) -> None:
        """DataError unless `value` is of the kind and in the range."""
        if not self._takes(value):
            raise DataError(where, f"option {name!r}", expected=self._wanted(), got=shown(value))
        for word in value.split() if self.words else ():
            if word not in self.words:
                raise DataError(where, f"option {name!r}, unknown word {word!r}", hint=close_matches(word, self.words))

    def _takes(self, value: Any) -> bool:
        if self.kind is list:
            return isinstance(value, list) and all(type(item) is int and item >= self.least for item in value)
        if self.kind is dict:
            return isinstance(value, dict) and all(isinstance(text, str) for pair in value.items() for text in pair)
        if self.kind is float:
            return is_number(value) and value >= self.least
        return type(value) is self.kind and (self.kind is not int or value >= self.least)

    def _wanted(self) -> str:
        least = "" if self.least == -math.inf else f" of at least {self.least:g}"
        return {int: f"a whole number{least}", float: f"a number{least}", bool: "true or false", str: "text",
                list: f"a list of whole numbers{least}", dict: "a mapping of names to texts"}[self.kind]


def is_number(value: Any) -> bool:
    """Whether `value` is a whole number, or a finite one, that a float can hold."""
    return type(value) in (int, float) and -MAX_FLOAT <= value <= MAX_FLOAT


def shown(value: object) -> str:
    """`value` in an error, cut: aliases in YAML make texts of any length."""
    try:
        return reprlib.repr(value)
    except ValueError:  # a number of more digits than Python writes
        return f"a {type(value).__name__}"


TRAINING = {
    "solver": Option(str),                # solver file, beside the recipe
    "max_iter": Option(int, 0, least=0),  # 0: the solver file's
    "stage": Option(str, ""),             # of the net, which its layers' include rules ask for; "": none
    "overrides": Option(dict, {}),        # prototxt by layer name, merged into the layer
}
RETRIEVAL = {
    "queries": Option(str),                  # LMDBs in the data folder, or lists of images if the net reads those
    "base": Option(str),
    "num_queries": Option(int, 0, least=0),  # only the first so many; 0: all
    "num_base": Option(int, 0, least=0),
    "protocol": Option(str, "standard"),
}
