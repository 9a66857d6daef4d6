"""`blobnet run`: run the experiments of a recipe."""

from __future__ import annotations

import argparse
from pathlib import Path

from blobnet.cli._extensions import load_extensions
from blobnet.cli._flags import add_extension_flags
from blobnet.cli._gpus import device_of
from blobnet.errors import DataError
from blobnet.published import find_recipe
from blobnet.recipes import read_recipe, run_recipe
from blobnet.recipes.recipe import check_seeds

_DESCRIPTION = """\
Run every method of a recipe with every seed, and print the table of the means over the seeds. Finished trials are kept
in the output folder and not run again, so an interrupted run goes on where it was. A trial whose options, net or solver
have changed since runs anew, and the folder it had is moved aside. Without --full the budget is the reduced one that
the recipe states. To choose settings, run with --validate: a part of the training images is held out and takes the
place of the queries or test images, so that those by which results are reported stay unseen."""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Register the command."""
    parser = subparsers.add_parser("run", help="run the experiments of a paper's recipe", description=_DESCRIPTION)
    parser.add_argument("recipe", metavar="RECIPE",
                        help="a recipe's file, or the name of a published one: dsh for prototxt/dsh/recipe.yaml, "
                             "dsh/digits for recipe_digits.yaml beside it; `blobnet prototxt list` shows them")
    parser.add_argument("--full", action="store_true", help="the published budget")
    parser.add_argument("--validate", action="store_true",
                        help="score by images held out of the training part, never by the reported queries")
    parser.add_argument("--data", default="data", metavar="DIR", help="where the data sets were imported (data)")
    parser.add_argument("--out", metavar="DIR",
                        help="where results go (runs/FOLDER/RECIPE/BUDGET, or validation-BUDGET there)")
    parser.add_argument("--seeds", metavar="A,B", help="these seeds instead of the recipe's")
    parser.add_argument("--only", action="append", default=[], metavar="METHOD",
                        help="run only this method; may be given again")
    parser.add_argument("--gpu", type=int, metavar="N", help="run on this GPU (default: the CPU)")
    add_extension_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the recipe and print its table; the exit status."""
    load_extensions(args.plugin)
    try:
        seeds = check_seeds("--seeds", [int(word) for word in args.seeds.split(",")]) if args.seeds else []
    except ValueError:
        raise DataError("--seeds", expected="whole numbers such as 1,2,3", got=repr(args.seeds)) from None
    recipe = read_recipe(find_recipe(args.recipe))
    path = recipe.path.resolve()
    budget = "validation-" * args.validate + ("full" if args.full else "reduced")
    out = args.out or Path("runs", path.parent.name, path.stem, budget)
    print(run_recipe(recipe, out, args.data, full=args.full, seeds=seeds, only=args.only, device=device_of(args.gpu),
                     python_layers=args.python_layers, validate=args.validate))
    print(f"results in {out}")
    return 0
