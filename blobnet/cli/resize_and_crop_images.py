"""`blobnet resize_and_crop_images`: images made into squares of one size."""

from __future__ import annotations

import argparse
import logging
import sys

from tqdm import tqdm

from blobnet.backend import num_threads
from blobnet.cli._flags import flag, whole
from blobnet.data.images.crop import LIBRARIES, crop_images
from blobnet.data.images.lists import images_below, images_listed
from blobnet.errors import DataError
from blobnet.log.console import console

log = logging.getLogger(__name__)

_DESCRIPTION = """\
Resize images so that their shorter side has the given length, crop the middle of the longer side, and write them under
the same names into another folder. Images that cannot be read are left out, with an error line each. Quirks: with
--image_lib pil all files are JPEGs, and small images stay small."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("resize_and_crop_images", help="make images squares of one size",
                                   description=_DESCRIPTION)
    flag(parser, "--input_folder", required=True, metavar="DIR", help="the folder of the images")
    flag(parser, "--output_folder", required=True, metavar="DIR", help="the folder to write into")
    flag(parser, "--input", metavar="LISTFILE",
         help="a list of paths in the input folder, one a line (default: all images in it and below it)")
    flag(parser, "--output_side_length", type=whole(1), default=256, metavar="N",
         help="the side of the new images (default: 256)")
    flag(parser, "--image_lib", type=str.lower, choices=LIBRARIES, default="opencv",
         help="opencv: bilinear; pil: with anti-aliasing (default: opencv)")
    flag(parser, "--threads", type=whole(1), default=num_threads(), metavar="N",
         help="how many images to work at at once (default: one a core)")
    flag(parser, "--num_clients", type=whole(1), dest="threads", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    flag(parser, "--launch", choices=["local"], help=argparse.SUPPRESS)  # all that Caffe's tool takes on one machine
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the images; the exit status."""
    folder = args.input_folder
    names = images_listed(args.input, folder) if args.input else images_below(folder)
    made = crop_images(names, folder, args.output_folder, args.output_side_length, args.threads,
                       LIBRARIES[args.image_lib])
    with console():
        failed = 0
        for error in tqdm(made, total=len(names), unit="images", disable=not sys.stderr.isatty()):
            if error is not None:
                failed += 1
                log.error("%s", error)
        if failed == len(names):
            raise DataError(folder, f"none of {failed} images could be made")
        if failed:
            log.warning("%d of %d images could not be made.", failed, len(names))
    print(f"{len(names) - failed} images in {args.output_folder}")
    return 0
