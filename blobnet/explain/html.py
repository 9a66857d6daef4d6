"""One page that shows a pass: the frame, the drawing, the data and the scripts, in one HTML file."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from html import escape
from pathlib import Path

from blobnet.view.draw.zoom_script import SCRIPT as ZOOM

ASSETS = Path(__file__).with_name("page")
# The order in which the scripts are read: what a script uses at its start stands before it.
SCRIPTS = ("payload", "format", "model", "expression", "arithmetic_convolution", "arithmetic_product",
           "arithmetic_deconvolution", "arithmetic_moves", "arithmetic_standardize", "arithmetic_sigmoid_loss",
           "arithmetic_softmax", "arithmetic_hashing",
           "arithmetic_window", "arithmetic_each", "arithmetic_loss", "terms", "proof", "elements", "scales", "tiles",
           "cells", "picture", "bars", "histogram", "charts", "chart_parts", "selection", "offers", "head_view",
           "drawing", "layer_choice", "layer_view", "options_view", "blob_view", "blob_controls", "number_view",
           "lit_view", "equation", "proof_view", "time_view", "frames_view", "broken_view", "pairs_view",
           "forces_view", "start")
STYLES = ("page", "parts", "print")


def page_html(header: dict, binary: bytes, drawing: str, styles: str = "") -> str:
    """The HTML of a page that needs nothing else: it opens from disk and asks for nothing.

    header: what the JSON of the page says, numbers that are not finite as "nan", "inf", "-inf"; binary: the arrays that
    it points into; drawing: the net as `<svg>`; styles: CSS of the drawing. ValueError where the header holds a number
    that is not finite.
    """
    looks = "".join(asset(f"{name}.css") for name in STYLES) + styles
    parts = {"title": escape(header["title"].encode("utf-8", "replace").decode()), "drawing": drawing,
             "styles": looks.replace("</", "<\\/"), "script": script(),
             "payload": base64.b64encode(payload(header, binary)).decode("ascii")}
    pieces = asset("frame.html").split("@@")  # text and names of parts by turns; what is put in is not looked at again
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def payload(header: dict, binary: bytes) -> bytes:
    """gzip of the length of the JSON (uint32, little endian), the JSON, zeros up to a multiple of 8, the binary."""
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    start = struct.pack("<I", len(text)) + text
    return gzip.compress(start + bytes(-len(start) % 8) + binary, mtime=0)


def script() -> str:
    """All scripts as one, with names of its own; it never holds what would end its element."""
    body = "\n".join([ZOOM, *(asset(f"{name}.js") for name in SCRIPTS)])
    return f'(() => {{\n"use strict";\n{body}\n}})();'.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def asset(name: str) -> str:
    """The text of a file of the page."""
    return (ASSETS / name).read_text("utf-8")
