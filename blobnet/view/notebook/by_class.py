"""The HTML of a thing, by its class."""

from __future__ import annotations

import functools

from blobnet.log.html import framed, words


@functools.singledispatch
def html(thing: object) -> str:
    """The HTML that a notebook shows of `thing`, at most about 200 kB: well-formed, without a request to anywhere.

    Modules beside this one register a function for a class each. Of other things it is what `repr` says.
    """
    return framed(f"<pre>{words(repr(thing))}</pre>")
