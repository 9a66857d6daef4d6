"""`blobnet test`: score a net on batches of its data."""

from __future__ import annotations

import argparse
import logging
import sys

import numpy as np
from tqdm import tqdm

from blobnet.backend import to_host
from blobnet.cli._flags import ignore_other_flags
from blobnet.cli._nets import add_net_flags, build_net
from blobnet.core.context import TEST
from blobnet.core.net import Net
from blobnet.log.colour import headed
from blobnet.log.console import console
from blobnet.log.loggers import iterations
from blobnet.log.outputs import loss_note
from blobnet.log.table import table
from blobnet.solvers.evaluation import add_output, loss_weights

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Run a net in the TEST phase over batches of its data, and print its outputs, batch by batch, and their means. Logs go
to standard error, in the format of Caffe's logs; on a terminal a bar and a table take their place."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("test", help="score a net", description=_DESCRIPTION)
    add_net_flags(parser, weights_needed=True)
    ignore_other_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the batches and report; the exit status."""
    with console():
        net = build_net(args, TEST)
        means, loss = score(net, args.iterations)
        weights = loss_weights(net)
        rows = [("output", "mean", "loss weight", "loss")]
        iterations.info("Loss: %g", loss)
        for name, values in means.items():
            weight = weights.get(name, 0)
            for value in values.reshape(-1).tolist():
                iterations.info("%s = %g%s", name, value, loss_note(weight, value))
                rows.append((name, f"{value:g}", *((f"{weight:g}", f"{weight * value:g}") if weight else ("", ""))))
    if sys.stderr.isatty():
        print(f"{headed(table(rows), sys.stdout)}\n\nloss  {loss:g}, mean of {args.iterations} batches")
    return 0


def score(net: Net, batches: int) -> tuple[dict[str, np.ndarray], float]:
    """Log every output of `batches` forward passes; return their means by name, and the mean loss.

    Sums are taken in float32. ShapeError if an output changes its number of elements on the way.
    """
    log.info("Running for %d iterations.", batches)
    sums: dict[str, np.ndarray] = {}
    loss = np.float32(0)
    for batch in tqdm(range(batches), unit="batches", disable=not sys.stderr.isatty()):
        for name, array in net.forward().items():
            values = np.array(to_host(array))
            for value in values.reshape(-1).tolist():
                iterations.info("Batch %d, %s = %g", batch, name, value)
            add_output(sums, name, values)
        loss += np.float32(net.loss)
    return {name: total / np.float32(batches) for name, total in sums.items()}, float(loss / np.float32(batches))
