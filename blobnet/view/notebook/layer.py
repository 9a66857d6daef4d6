"""A layer in a notebook: what its type computes, its options beside their defaults, its parameters as pictures."""

from __future__ import annotations

from collections.abc import Iterator

from blobnet.core.layer import Layer
from blobnet.log.html import framed, html_table, remark, title, words
from blobnet.view.layer_facts import option_rows
from blobnet.view.mathematics import page_html, style
from blobnet.view.notebook.arrays import blob_figures
from blobnet.view.notebook.by_class import html
from blobnet.view.pictures import NUMBERS
from blobnet.view.summary import shape_text

PARAMETERS = 6  # that are shown as pictures


@html.register
def layer_html(layer: Layer) -> str:
    """The line of the layer, its page, its options, its parameters."""
    return framed(title(repr(layer)), page_of(type(layer)), *_options(layer), *_parameters(layer))


def page_of(cls: type[Layer]) -> str:
    """The page of a layer type."""
    return (f"<details><summary>what {words(cls.__name__)} computes</summary><style>{style()}</style>{page_html(cls)}"
            "</details>")


def _options(layer: Layer) -> Iterator[str]:
    for name in filter(None, (layer.options_field, *layer.more_options)):
        rows, looks = [(name, "here", "default")], []
        for row, is_set in option_rows(getattr(layer.param, name)):
            rows.append(row)
            looks.append("set" if is_set else "")
        if len(rows) > 1:
            yield html_table(rows, left=range(3), looks=looks)


def _parameters(layer: Layer) -> Iterator[str]:
    shown = layer.blobs[:PARAMETERS]
    for i, blob in enumerate(shown):
        yield blob_figures(blob, f"{layer.param_name(i)} {shape_text(blob.shape)}", 2 * NUMBERS // len(shown))
    if len(layer.blobs) > PARAMETERS:
        yield remark(f"and {len(layer.blobs) - PARAMETERS} more parameters")
