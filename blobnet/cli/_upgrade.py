"""What the commands that upgrade old files share."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from google.protobuf.message import Message

from blobnet.cli.convert import UPGRADES
from blobnet.errors import ParseError
from blobnet.log.console import console
from blobnet.proto import binary, text
from blobnet.proto.files import CONTROL
from blobnet.proto.storage import atomic_write, require_file

log = logging.getLogger(__name__)
_DESCRIPTION = """\
Rewrite a file of an older generation as Caffe 1.0 writes it. A file that is up to date is written as it is. Quirk:
where a file cannot be upgraded, Caffe writes what it has; blobnet writes nothing."""


def add_upgrade_parser(subparsers: argparse._SubParsersAction, name: str, what: str) -> argparse.ArgumentParser:
    """Register the command `name` with the arguments that all of them take."""
    parser = subparsers.add_parser(name, help=f"upgrade {what}", description=_DESCRIPTION)
    parser.add_argument("source", metavar="OLD", help="the file to read")
    parser.add_argument("target", metavar="NEW", help="the file to write; may be the same")
    return parser


def upgrade_text(args: argparse.Namespace, message_name: str) -> int:
    """Upgrade the prototxt `args.source`; the exit status."""
    data = require_file(args.source).read_bytes()
    if CONTROL.search(data):
        raise ParseError(args.source, expected="prototxt", got="a binary file",
                         hint="binary nets go through upgrade_net_proto_binary")
    with console():
        old = text.parse(data.decode("utf-8", "surrogateescape"), message_name, args.source)
        new = _upgrade(old, args.source)
        with atomic_write(args.target) as file:
            file.write(text.dump(new).encode("utf-8"))
        log.info("Wrote upgraded %s text proto to %s", message_name, args.target)
    return 0


def upgrade_binary(args: argparse.Namespace, message_name: str) -> int:
    """Upgrade the binary file `args.source`, weights and all; the exit status."""
    with console():
        try:
            old, arrays = binary.read_weights(args.source, message_name)
        except ParseError as error:
            if CONTROL.search(Path(args.source).read_bytes()[:4096]):
                raise
            raise ParseError(args.source, expected=f"a binary {message_name}", got="text",
                             hint="prototxt goes through upgrade_net_proto_text") from error
        binary.write_weights(args.target, _upgrade(old, args.source), arrays)
        log.info("Wrote upgraded %s binary proto to %s", message_name, args.target)
    return 0


def _upgrade(old: Message, path: str) -> Message:
    new = UPGRADES[old.DESCRIPTOR.name](old, path)
    if new is old:
        log.info("File already in latest proto format: %s", path)
    return new
