"""`blobnet convert` with files of weights: to safetensors, .npz and PyTorch's .pt, and from them."""

from __future__ import annotations

import argparse
from pathlib import Path

from blobnet.cli._extensions import load_extensions
from blobnet.core.weights_convert import convert_weights
from blobnet.errors import BlobnetError
from blobnet.proto.hdf5_bytes import is_hdf5
from blobnet.proto.named_arrays import ENDINGS, array_format, holds_named_arrays


def is_about_weights(source: str, target: str) -> bool:
    """Whether the names of the files alone ask for weights. A .pt that is to be written was once a prototxt."""
    return is_hdf5(source) or holds_named_arrays(source) or (
        bool(array_format(target)) and Path(target).suffix.lower() != ".pt")


def convert(args: argparse.Namespace) -> int:
    """Write the weights, and say what was written and left out; the exit status."""
    load_extensions(args.plugin)
    if args.weights:
        raise BlobnetError("convert", "--weights goes with a net", expected="the file of weights as IN",
                           got=args.source, hint=f"blobnet convert {args.weights[0]} OUT --net {args.source}")
    target = args.target or str(Path(args.source).with_suffix(ENDINGS[args.to]))
    if args.to and array_format(target) != args.to:
        raise BlobnetError(target, f"--to {args.to}", expected=f"a name that ends in {ENDINGS[args.to]}",
                           got=Path(target).name)
    counted, *notes = convert_weights(args.source, target, args.net)
    print("\n".join([f"{target}: {counted} from {args.source}", *notes]))
    return 0
