"""`blobnet convert`: rewrite a message file in another format, or a net and its weights for other programs."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from google.protobuf.message import Message

from blobnet.cli import _to_weights
from blobnet.cli._flags import add_extension_flags
from blobnet.cli._shapes import add_shape_option
from blobnet.errors import BlobnetError, ParseError
from blobnet.netdef.upgrade import upgrade_net, upgrade_solver
from blobnet.plugins import load_plugin
from blobnet.proto.files import FORMATS, read_message, write_message
from blobnet.proto.named_arrays import ENDINGS

_DESCRIPTION = """\
Rewrite a net, a solver or another message of the schema as prototxt (.prototxt), YAML (.yaml) or protobuf's binary
format (.caffemodel, .solverstate, .binaryproto), as the names of the files say. Nothing is lost but comments. With --to
a net and its weights are written for other programs: onnx in the phase TEST, without losses and measures; what a loss
reads becomes an output as it is, and no Softmax is added to scores. Weights alone, a .caffemodel or an HDF5 file,
become named arrays (conv1.weight, conv1.bias) as .safetensors, .npz, .pth or, with --to torch, .pt, and with --net a
.caffemodel again."""
# what --to names: the module of this folder whose `convert(args)` writes it
TARGETS = {"onnx": "_to_onnx", **dict.fromkeys(ENDINGS, "_to_weights")}
BINARY = {".caffemodel": "NetParameter", ".solverstate": "SolverState", ".binaryproto": "BlobProto"}
UPGRADES = {"NetParameter": upgrade_net, "SolverParameter": upgrade_solver}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("convert",
                                   help="turn prototxt into YAML or binary, and back; write ONNX or safetensors",
                                   description=_DESCRIPTION)
    parser.add_argument("source", metavar="IN", help="the file to read")
    parser.add_argument("target", metavar="OUT", nargs="?", help="the file to write; with --to it may be left out")
    parser.add_argument("--message", metavar="NAME",
                        help="what the file holds, such as NetParameter or SolverParameter (default: guessed)")
    parser.add_argument("--upgrade", action="store_true", help="also rewrite what was written for older generations")
    other = parser.add_argument_group("for other programs")
    other.add_argument("--to", choices=TARGETS, help="what to write instead of a message")
    other.add_argument("--weights", action="append", default=[], metavar="FILE",
                       help="weights of the net, as --to takes them along; may be given again")
    other.add_argument("--net", metavar="NET.prototxt",
                       help="weights alone: the net that they are of, which knows the types of the layers; needed to "
                            "write a .caffemodel from other formats")
    add_shape_option(other)
    other.add_argument("--blob", action="append", default=[], metavar="NAME",
                       help="onnx: an output of the model; may be given again (default: what no layer but losses and "
                            "measures reads)")
    other.add_argument("--dynamic-batch", action="store_true", help="onnx: leave the size of a batch open")
    other.add_argument("--fold-batch-norm", action="store_true",
                       help="onnx: put BatchNorm and Scale into the convolution before them, where that is all that "
                            "reads it")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert and say what was written; the exit status."""
    if args.to:
        return importlib.import_module(f"blobnet.cli.{TARGETS[args.to]}").convert(args)
    if args.target and _to_weights.is_about_weights(args.source, args.target):
        return _to_weights.convert(args)
    if not args.target:
        raise BlobnetError("convert", expected="OUT, the file to write", got="none",
                           hint="or --to, with what it is for: " + ", ".join(TARGETS))
    for plugin in args.plugin:
        load_plugin(plugin)
    message = read_message(args.source, args.message) if args.message else _guess(args.source)
    name, note = message.DESCRIPTOR.name, ""
    if args.upgrade:
        if name not in UPGRADES:
            raise BlobnetError(args.source, f"a {name} has no older generations", hint="leave --upgrade out")
        upgraded = UPGRADES[name](message, args.source)
        note = ", upgraded" if upgraded is not message else ", which is up to date"
        message = upgraded
    write_message(args.target, message)
    print(f"{args.target}: {name} from {args.source}{note}")
    return 0


def _guess(path: str) -> Message:
    """The message in a file of an unknown kind; ParseError if none fits, from the kind that got furthest."""
    suffix = Path(path).suffix.lower()
    if suffix in BINARY:
        return read_message(path, BINARY[suffix])
    if FORMATS.get(suffix) == "binary":
        raise ParseError(path, "cannot tell what this file holds", hint="say it: --message NetParameter")
    errors = []
    for name in UPGRADES:
        try:
            return read_message(path, name)
        except ParseError as error:
            errors.append(error)
    raise max(errors, key=_position)


def _position(error: ParseError) -> tuple[int, ...]:
    """Line and column of an error."""
    return tuple(int(number) for number in error.where.split(":")[1:] if number.isdigit())
