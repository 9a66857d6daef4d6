"""`blobnet plot_training_log`: curves of training logs."""

from __future__ import annotations

import argparse

from blobnet.cli._flags import flag, whole
from blobnet.view.training_charts import CHARTS, chart_title, plot_training_log

_DESCRIPTION = """\
Draw one of eight charts of training logs, Caffe's or blobnet's, several logs in one picture. Test accuracy and loss are
found by the names of the test net's outputs, or else are the first and the second of them.

chart types:
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    types = "\n".join(f"  {chart}  {chart_title(chart)}" for chart in range(len(CHARTS)))
    parser = subparsers.add_parser("plot_training_log", help="draw curves of training logs",
                                   description=_DESCRIPTION + types)
    parser.add_argument("chart", metavar="TYPE", type=whole(0), choices=range(len(CHARTS)),
                        help="the chart type, 0 to 7")
    parser.add_argument("picture", metavar="PICTURE.png", help="the file to write; also .pdf, .svg and others")
    parser.add_argument("logs", metavar="LOG", nargs="+", help="the logs")
    flag(parser, "--output", metavar="NAME", help="draw this output of the test net in the charts 0 to 3")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw and say what was written; the exit status."""
    plot_training_log(args.chart, args.picture, args.logs, args.output)
    print(f"{args.picture}: {chart_title(args.chart)}")
    return 0
