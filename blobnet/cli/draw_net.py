"""`blobnet draw_net`: a picture of a net."""

from __future__ import annotations

import argparse

from blobnet.cli._flags import add_extension_flags, flag, switch
from blobnet.cli._shapes import add_shape_option
from blobnet.plugins import load_plugin
from blobnet.view.draw import draw_net
from blobnet.view.draw.draw import RANKDIRS

_DESCRIPTION = """\
Draw the layers of a net as boxes, coloured by family, with their key options; layers that work in place stand in the
box of the layer before them. Blobs stand on the lines between the boxes, with their shapes if the net can be built
without its data. Equal pieces of the net in a row are drawn once, with their number. The suffix of the picture names
its format: .html, a page with search, zoom and the facts of every layer, on which what is folded unfolds; .svg; .png,
.pdf and others (these need Matplotlib); .dot, .gv or .raw for Graphviz; .mmd or .mermaid for Mermaid."""
PHASES = {"TRAIN": (0,), "TEST": (1,), "ALL": (0, 1)}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("draw_net", help="draw a net", description=_DESCRIPTION)
    parser.add_argument("net", metavar="NET.prototxt", help="the net")
    parser.add_argument("picture", metavar="PICTURE", help="the file to write")
    flag(parser, "--rankdir", choices=RANKDIRS,
         help="where the data flows: from left to right, top to bottom … (default: LR, and TB for .html)")
    flag(parser, "--phase", choices=PHASES, default="ALL", help="which layers to draw (default: ALL)")
    switch(parser, "--display_lrm",
           "show the learning rate multipliers of Convolution, Deconvolution and InnerProduct")
    parser.add_argument("--fold", action=argparse.BooleanOptionalAction,
                        help="draw equal pieces in a row once (default: in .html, and in nets of more than 100 layers)")
    add_shape_option(parser)
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draw and say so; the exit status."""
    for plugin in args.plugin:
        load_plugin(plugin)
    note = draw_net(args.net, args.picture, args.rankdir, PHASES[args.phase], args.display_lrm, dict(args.shape),
                    args.python_layers, args.fold)
    print(f"Drawing net to {args.picture}" + (f"\n{note}" if note else ""))
    return 0
