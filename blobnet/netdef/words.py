"""What single options of a layer say, in a few words."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import Message


def option_words(options: Message, field: str, word: str = "") -> str:
    """The value of a field, "word value"; num_output counts outputs.

    >>> from blobnet.proto.messages import new
    >>> option_words(new("DropoutParameter"), "dropout_ratio", "ratio")
    'ratio 0.5'
    >>> option_words(new("EltwiseParameter"), "operation")
    'SUM'
    >>> option_words(new("EmbedParameter", num_output=1), "num_output")
    '1 output'
    """
    value, enum = getattr(options, field), options.DESCRIPTOR.fields_by_name[field].enum_type
    text = enum.values_by_number[value].name if enum else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} output{'s' * (value != 1)}" if field == "num_output" else f"{word} {text}".strip()


def decimal(value: float) -> str:
    """A float field with the digits that tell it from other floats of 32 bits.

    >>> decimal(0.10000000149011612), decimal(2)
    ('0.1', '2.0')
    """
    return str(np.float32(value))
