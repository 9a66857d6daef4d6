"""Photos of commands: encoding them, and the flags of those that encode them as an index was made."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tqdm import tqdm

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags
from blobnet.cli._gpus import add_tf32_flag, device_of
from blobnet.data.images.photos import find_photos
from blobnet.errors import DataError
from blobnet.hashing.codes import Codes
from blobnet.hashing.photos import CHANNELS, encode_photos

_NEEDED = {"net": "NET.prototxt", "weights": "FILE.caffemodel", "blob": "NAME"}


def add_photo_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of `encode_like`."""
    group = parser.add_argument_group("encoding photos")
    for name, metavar in _NEEDED.items():
        group.add_argument(f"--{name}", metavar=metavar, help=f"the {name}, where the index does not know"
                           + ", or the file has moved" * (name != "blob"))
    group.add_argument("--channels", choices=CHANNELS, help="the order of the colours that the net learnt, where it "
                       "read a database of raw bytes")
    group.add_argument("--gpu", type=int, metavar="N", help="encode on this GPU (default: the CPU)")
    add_tf32_flag(group)
    add_extension_flags(group)


def encode_like(base: Codes, where: str, given: Sequence[str], args: argparse.Namespace) -> Codes:
    """The codes of the photos that the paths `given` mean, by the net that made `base`, the codes in the file `where`.

    DataError if neither `base` nor the flags say net, weights, blob or rule, or a file is not there.
    """
    net, weights, blob = named = [getattr(args, name) or getattr(base, name) for name in _NEEDED]
    for name, value in zip(_NEEDED, named):
        if not value:
            raise DataError(where, f"does not say of which {name} its codes were made", hint=f"give it with --{name}")
        if name != "blob" and not os.path.exists(value):
            raise DataError(where, f"the file of its {name}, {value!r}, is not there",
                            hint=f"run this in the folder where it was, or say with --{name} where it is now")
    if base.threshold is None and base.block_size is None:
        raise DataError(where, "does not say how bits were made of values", got=base.rule)
    load_extensions(args.plugin)
    return encode_given(given, net, weights, blob, args, base.threshold or 0.0, base.block_size)


def encode_given(given: Sequence[str], net: str, weights: str, blob: str, args: argparse.Namespace,
                 threshold: float = 0.0, block_size: int | None = None) -> Codes:
    """The codes of the photos that the paths mean, see `find_photos` and `encode_photos`, with the flags of `args`."""
    paths = find_photos(given)
    with bar(len(paths)) as progress:
        return encode_photos(net, weights, blob, paths, threshold=threshold, block_size=block_size,
                             channels=args.channels, device=device_of(args.gpu), python_layers=args.python_layers,
                             allow_tf32=args.tf32, progress=progress.update)


def bar(count: int) -> tqdm:
    """A progress bar of so many images, on a terminal."""
    return tqdm(total=count, unit="images", disable=not sys.stderr.isatty())
