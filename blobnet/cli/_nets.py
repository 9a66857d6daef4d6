"""Nets of commands: the flags that say which one, building it, and its weights."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags, add_state_flags, flag, whole, words
from blobnet.cli._gpus import add_gpu_flag, add_tf32_flag, first_device
from blobnet.core.net import Net

log = logging.getLogger(__name__)


def add_net_flags(parser: argparse.ArgumentParser, weights_needed: bool) -> None:
    """Add the flags of commands that run a net some times."""
    flag(parser, "--model", required=True, metavar="NET.prototxt", help="the net")
    flag(parser, "--weights", type=words, required=weights_needed, default=[], metavar="A.caffemodel,B.caffemodel",
         help="files of weights, for layers of the same names")
    flag(parser, "--iterations", type=whole(1), default=50, metavar="N", help="how many batches (default: 50)")
    add_state_flags(parser)
    add_gpu_flag(parser, "run on this GPU, of several on the first (default: the CPU)")
    add_tf32_flag(parser)
    add_extension_flags(parser)


def build_net(args: argparse.Namespace, phase: int) -> Net:
    """The net that the flags ask for, with its weights."""
    load_extensions(args.plugin)
    net = Net(args.model, phase, args.weights, level=args.level, stages=args.stage, device=first_device(args.gpu),
              python_layers=args.python_layers, allow_tf32=args.tf32)
    log_weights(args.weights)
    return net


def log_weights(files: Sequence[str]) -> None:
    """Log where the weights came from."""
    for file in files:
        log.info("Weights from %s", file)
