"""An array in a notebook: a number, bars, or a picture, and what there is to say of it."""

from __future__ import annotations

from base64 import b64encode

from blobnet.backend import Array, to_host
from blobnet.core.blob import Blob
from blobnet.log.html import words
from blobnet.view.bars import bars
from blobnet.view.pictures import NUMBERS, Extent, array_picture, extent

BARS = 200


def blob_figures(blob: Blob, name: str = "", most: int = 2 * NUMBERS) -> str:
    """Data and diff of a blob, of at most about `most` numbers together. Memory that nobody used yet stays unused."""
    shown = ""
    for which, memory in (("data", blob.memory), ("diff", blob.diff_memory)):
        label = f"{name} {which}".strip()
        if blob.count and (memory.array is None or memory.array.size < blob.count):
            shown += _figure("", label, "all 0, not written yet")
        else:
            shown += array_figure(getattr(blob, which), label, which == "diff", most // 2)
    return f'<div class="bn-row">{shown}</div>'


def array_figure(array: Array, name: str, signed: bool = False, most: int = NUMBERS) -> str:
    """The figure of an array of real numbers: one number in words, a row of them as bars, else a picture.

    `signed` shows it around 0, as gradients; `most`: see `array_picture`.
    """
    if not array.size:
        return _figure("", name, "empty")
    if array.size == 1:
        return _figure("", name, f"{float(array.reshape(())):.7g}")
    known = extent(array)
    if array.size == max(array.shape):
        shown = min(array.size, BARS)
        left_out = f"the first {shown} of {array.size:,}" if shown < array.size else ""
        said = _said(known, left_out=left_out)
        return _figure(bars(to_host(array.reshape(-1)[:shown]), words(f"{name}: {said}")), name, said)
    picture = array_picture(array, known, signed, most)
    said = _said(known, picture.colours, picture.order, left_out=picture.left_out)
    source = "data:image/png;base64," + b64encode(picture.png).decode()
    return _figure(f'<img src="{source}" width="{picture.width}" height="{picture.height}" '
                   f'alt="{words(f"{name}: {said}")}"/>', name, said)


def _said(known: Extent, *more: str, left_out: str = "") -> str:
    said = [f"from {known.low:.4g} to {known.high:.4g}", *more]
    said += [f"magenta: {known.not_finite:,} not finite"] * (known.not_finite > 0)
    said += [f"shown: {left_out}"] * bool(left_out)
    return "; ".join(filter(None, said))


def _figure(shown: str, name: str, said: str) -> str:
    return f"<figure>{shown}<figcaption><strong>{words(name)}</strong> {words(said)}</figcaption></figure>"
