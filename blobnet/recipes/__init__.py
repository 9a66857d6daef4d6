"""Experiments written down as YAML: which nets, data, seeds and protocol; run, scored and put into a table."""

from blobnet.recipes.recipe import Recipe, read_recipe
from blobnet.recipes.run import run_recipe
from blobnet.recipes.trial import Trial

__all__ = ["Recipe", "Trial", "read_recipe", "run_recipe"]
