"""What notebooks show of a net, a blob, a layer or a solver."""

from __future__ import annotations

import importlib

DRAWING, EXPLAINING = "blobnet.view.notebook", "blobnet.explain.worked"


def shown(thing: object) -> str:
    """The HTML that a notebook shows of `thing`: it needs nothing else and fits into any page.

    Who draws lies in a later room, which imports this one. So it is found by its name when something is to be shown,
    as plug-ins are found by entry points; who shows nothing does not load it.
    """
    return importlib.import_module(DRAWING).html(thing)


def worked_number(*question: object, **more: object):
    """The worked number that `Net.explain` asks for, from a later room too."""
    return importlib.import_module(EXPLAINING).worked(*question, **more)


class Shown:
    """A thing that notebooks show as HTML where it is the last value of a cell."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return shown(self)
