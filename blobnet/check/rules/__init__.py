"""The rules of the contract, in files by theme; every file of the folder registers its own."""

from blobnet.check.rules import declarations, numbers, shapes, terms, writes  # noqa: F401  (they register their rules)
from blobnet.check.rules.registry import RULES, rule

__all__ = ["RULES", "rule"]
