"""A net explained on a page: `explain`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message

from blobnet.core.net import Net
from blobnet.explain.batch import Question, small_net
from blobnet.explain.header import Arrays, arrays_for, layer_row, value_rows
from blobnet.explain.html import page_html
from blobnet.explain.stage import Stage
from blobnet.proto.storage import atomic_write

Updates = Mapping[tuple[int, int], np.ndarray]


def explain(question: Question, out: str | os.PathLike, weights: Sequence[str | os.PathLike | Message] = (), *,
            command: str = "") -> list[str]:
    """Write the page of a net at a batch into the file `out`, atomically; return what a user should know of it.

    weights: files whose parameters are copied, by layer name; command: the line that the page shows as its own.
    Raises what Net raises, and NetError if the weights are of no layer.
    """
    batch = small_net(question)
    for given in weights:
        batch.net.copy_from(given)
    stage = Stage(batch.net)
    stage.run()
    header, arrays = describe(stage, question, {}, command)
    header["left_out"] = batch.notes + header["left_out"]
    write(out, header, arrays, batch.net)
    return header["left_out"]


def describe(stage: Stage, question: Question, updates: Updates, command: str) -> tuple[dict[str, Any], Arrays]:
    """What the page says of a stage that has run."""
    net, arrays = stage.net, arrays_for(stage, bool(updates))
    rows = max((value.data.shape[0] for value in stage.values if value.data.shape), default=0)
    header = {"title": net.name or "net", "source": os.fspath(net._origin), "command": command,
              "phase": ("TRAIN", "TEST")[question.phase], "batch": rows, "loss": float(net.loss),
              "values": value_rows(stage, arrays),
              "layers": [layer_row(stage, index, arrays, updates) for index in stage.scenes],
              "training": None, "broken": None, "pairs": None}
    return header | {"left_out": arrays.left_out}, arrays


def write(out: str | os.PathLike, header: dict[str, Any], arrays: Arrays, net: Net) -> None:
    """The page as a file."""
    with atomic_write(out) as file:
        file.write(page_html(header, arrays.pack.binary, net).encode())
