"""Names: the dicts in which a net shows its parts by name."""

from __future__ import annotations

from collections import OrderedDict

from blobnet.errors import close_matches


class Names(OrderedDict):
    """A dict of things of the kind `what`, such as blobs, by name. Its KeyError for a missing name shows others."""

    def __init__(self, *items, what: str = "name"):
        self.what = what
        super().__init__(*items)

    def __missing__(self, name: object):
        hint = close_matches(name, self) if isinstance(name, str) else ""
        raise KeyError(f"no {self.what} {name!r}" + (f"; {hint}" if hint else ""))
