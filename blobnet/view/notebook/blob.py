"""A blob in a notebook: its values and their gradients as pictures."""

from __future__ import annotations

from blobnet.core.blob import Blob
from blobnet.log.html import framed, remark, title
from blobnet.view.notebook.arrays import blob_figures
from blobnet.view.notebook.by_class import html


@html.register
def blob_html(blob: Blob) -> str:
    """Shape, type and name, then data in gray or colour and diff in blue and red."""
    return framed(title(repr(blob)), remark(blob.name), blob_figures(blob))
