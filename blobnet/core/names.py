"""Names: the dicts by name that a net shows its parts in."""

from __future__ import annotations

from collections import OrderedDict

from blobnet.errors import close_matches


class Names(OrderedDict):
    """A dict by names of `what`, such as blobs, whose KeyError for a name that is missing names close matches."""

    def __init__(self, *items, what: str = "name"):
        self.what = what
        super().__init__(*items)

    def __missing__(self, name: object):
        hint = close_matches(name, self) if isinstance(name, str) else ""
        raise KeyError(f"no {self.what} {name!r}" + (f"; {hint}" if hint else ""))
