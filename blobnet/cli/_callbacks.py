"""The flags of `blobnet train` for callbacks and for the search of a learning rate."""

from __future__ import annotations

import argparse

from blobnet.cli._flags import flag
from blobnet.errors import SolverError
from blobnet.log.table import table
from blobnet.solvers import Solver
from blobnet.solvers.callbacks import BestSnapshot, EarlyStopping, JsonLog, RateTest, TensorBoard, find_rate
from blobnet.view.curves import plot_rates

ROWS = 20  # of the table of rates
NAMES = "log_json", "tensorboard", "early_stop", "keep_best"


def add_callback_flags(parser: argparse.ArgumentParser) -> None:
    """Add --log, --log-json, --tensorboard, --early-stop, --keep-best, --find-rate and --curve."""
    flag(parser, "--log", metavar="FILE", help="write Caffe's log lines to this file too, also where a terminal shows "
         "a bar; parse_log and plot_training_log read it. A run that goes on from a snapshot appends")
    flag(parser, "--log-json", metavar="FILE", help="write a JSON object for every displayed iteration, test and "
         "snapshot to this file, one a line")
    flag(parser, "--tensorboard", metavar="DIR", help="write event files for TensorBoard to this folder")
    flag(parser, "--early-stop", metavar="OUTPUT[:N]", type=watched_output,
         help="stop when this output of a test was no better in N tests in a row (default: 5). Lower is better for "
              "losses and errors, higher for others; OUTPUT:N:min or :max says otherwise")
    flag(parser, "--keep-best", metavar="OUTPUT", type=watched_output,
         help="keep the snapshot with the best such output as PREFIX_best.caffemodel; :min and :max as above")
    flag(parser, "--find-rate", metavar="LOW:HIGH:STEPS", nargs="?", const=(1e-6, 1.0, 100), type=_range,
         help="train nothing, but try rates from LOW to HIGH (default: 1e-6:1:100), print losses and a rate to take")
    flag(parser, "--curve", metavar="PICTURE.png", help="with --find-rate: draw the losses against the rates")


def check_callback_flags(args: argparse.Namespace) -> None:
    """SolverError for flags that have no effect together."""
    given = [f"--{name.replace('_', '-')}" for name in NAMES if getattr(args, name)]
    if args.find_rate and given:
        raise SolverError("--find-rate", f"trains nothing, so that {' and '.join(given)} would have no effect")
    if args.curve and not args.find_rate:
        raise SolverError("--curve", "draws what --find-rate finds", hint="for the curves of a log: plot_training_log")


def callbacks(args: argparse.Namespace) -> list[object]:
    """What the flags ask for. The log comes first: it tells of a test before it tells of the snapshot of the best."""
    found: list[object] = [JsonLog(args.log_json)] if args.log_json else []
    if args.keep_best:
        output, _, mode = args.keep_best
        found.append(BestSnapshot(output, mode))
    if args.early_stop:
        output, patience, mode = args.early_stop
        found.append(EarlyStopping(output, 5 if patience is None else patience, mode))
    if args.tensorboard:
        found.append(TensorBoard(args.tensorboard))
    return found


def watched_output(text: str) -> tuple[str, int | None, str | None]:
    """The output, the patience and the mode that "OUTPUT", "OUTPUT:5", "OUTPUT:min" or "OUTPUT:5:min" names.

    >>> watched_output("accuracy:5:max"), watched_output("loss")
    (('accuracy', 5, 'max'), ('loss', None, None))
    """
    rest, _, word = text.rpartition(":")
    mode = word if rest and word in ("min", "max") else None
    text = rest if mode else text
    rest, _, word = text.rpartition(":")
    patience = int(word) if rest and word.isdecimal() else None
    return text if patience is None else rest, patience, mode


def search_rate(solver: Solver, args: argparse.Namespace) -> None:
    """Do what --find-rate asks for, and print it."""
    found = find_rate(solver, *args.find_rate)
    print(_rows(found))
    print(f"ended early: {found.ended}" if found.ended else "came to the highest rate")
    print("no rate lowered the loss; begin lower" if found.suggestion is None else
          f"base_lr: {found.suggestion:.2g}  # a tenth of the rate with the smallest smoothed loss")
    if args.curve:
        plot_rates(found.rates, found.losses, found.smoothed, found.suggestion, args.curve)
        print(f"written: {args.curve}")


def _rows(found: RateTest) -> str:
    """The table: of many rates every so many, and the last."""
    every = -(-len(found.rates) // ROWS)
    shown = sorted({*range(0, len(found.rates), every), len(found.rates) - 1})
    return table([("rate", "loss", "smoothed"),
                  *(tuple(f"{values[i]:.4g}" for values in found[:3]) for i in shown)], left=())


def _range(text: str) -> tuple[float, float, int]:
    try:
        low, high, steps = text.split(":")
        return float(low), float(high), int(steps)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected LOW:HIGH:STEPS, such as 1e-6:1:100, got {text!r}") from None
