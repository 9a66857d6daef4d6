"""Variants: what the right layer gives when it is made to slip. Numbers that are these name the slip."""

from __future__ import annotations

from typing import NamedTuple

from blobnet.check.grading.passes import Pass
from blobnet.check.grading.recipe import Recipe
from blobnet.check.grading.scene import Scene
from blobnet.check.grading.vary_backward import of_parts, of_top_diffs, of_wrong_arrays
from blobnet.check.grading.vary_options import of_options
from blobnet.check.grading.vary_values import of_bottoms, of_labels, of_parameters
from blobnet.check.grading.vary_windows import of_windows
from blobnet.errors import BlobnetError

REFUSED = BlobnetError, ArithmeticError, LookupError, TypeError, ValueError  # what the right layer says to odd gifts


class Variant(NamedTuple):
    """A recipe, and the numbers that it gave."""

    recipe: Recipe
    numbers: Pass


def variants(scene: Scene) -> list[Variant]:
    """All that can be computed, the likeliest first."""
    found = []
    for recipes in (of_top_diffs, of_parts, of_parameters, of_bottoms, of_labels, of_options, of_wrong_arrays,
                    of_windows):
        for recipe in recipes(scene):
            try:
                found.append(Variant(recipe, recipe.play()))
            except REFUSED:
                continue
    return found
