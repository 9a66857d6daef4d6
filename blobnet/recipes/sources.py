"""The databases and lists of images in a trial's data folder: opened, counted, read by a net, in words."""

from __future__ import annotations

import math
import os

from google.protobuf.message import Message

from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.data.stores.base import Reader
from blobnet.data.stores.database import open_database
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.encode import encode, require_blob, set_source
from blobnet.netdef.load import load
from blobnet.recipes.nets import net_file
from blobnet.recipes.trial import Trial


def open_source(trial: Trial, name: str) -> Reader:
    """A reader of the database that the option `name`, queries or base, names."""
    return open_database(trial.data / trial.options[name])


def encode_source(trial: Trial, net: Message, weights: str | os.PathLike, blob: str, source: str, count: int = 0,
                  threshold: float = 0.0) -> Codes:
    """The codes of the first `count` images (0: all) of `source` in the data folder, by the net in TEST.

    `source` is a database for a net with a Data layer, or a list of images for one with an ImageData layer.
    """
    definition, size = _reading(trial, net, source)
    built = Net(definition, TEST, weights, device=trial.device, python_layers=trial.python_layers)
    return encode(built, blob, count or size, threshold=threshold, net_file=net_file(trial), weights_file=weights)


def check_source(trial: Trial, net: Message, name: str) -> int:
    """How many images of the option `name`, queries or base, the trial wants; DataError if that is too many."""
    return check_count(trial, f"num_{name}", _reading(trial, net, trial.options[name])[1])


def check_count(trial: Trial, option: str, size: int) -> int:
    """The value of an option that counts images, `size` for 0; DataError if it is above `size`."""
    count = trial.options[option]
    if count > size:
        raise DataError(trial.where, f"option {option!r}", expected=f"at most {size}, all there are", got=count)
    return count or size


def check_blobs(trial: Trial, net: Message, source: str, *blobs: str) -> list[int]:
    """The numbers an image has in each of the `blobs` of the net in TEST; NetError if one, or "label", is not there."""
    built = Net(_reading(trial, net, source)[0], TEST, python_layers=trial.python_layers)
    sizes = [image_size(built, blob) for blob in blobs]
    require_blob(built, "label", "of labels")
    return sizes


def check_bits(trial: Trial, blob: str, width: int) -> None:
    """DataError unless a blob with `width` numbers an image has those that the option `bits` says."""
    if width != trial.options["bits"]:
        raise DataError(trial.where, f"blob {blob!r}", expected=f"{trial.options['bits']} bits", got=width)


def image_size(net: Net, blob: str) -> int:
    """How many numbers an image has in a blob; NetError if it is not there."""
    require_blob(net, blob)
    return math.prod(net.blobs[blob].shape[1:])


def in_words(options: dict) -> str:
    """Which images are the queries and the base."""
    first = {name: f", the first {options[f'num_{name}']}" if options[f"num_{name}"] else ""
             for name in ("queries", "base")}
    return f"queries: {options['queries']}{first['queries']}; base: {options['base']}{first['base']}"


def _reading(trial: Trial, net: Message, source: str) -> tuple[Message, int]:
    """The net in TEST, its images those of `source` in the data folder, and how many these are."""
    definition = load(net, TEST)
    return definition, set_source(definition, f"net {net.name!r}", trial.data / source)[1]
