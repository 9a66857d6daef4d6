"""One number of a net, worked out: its terms, their sum, and the difference that proves a slope."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from blobnet.core.layer import Layer
from blobnet.core.net import Net
from blobnet.core.terms import Factor, Place, Term, Terms
from blobnet.errors import NetError, ShapeError
from blobnet.explain.cells import difference
from blobnet.explain.stage import Stage
from blobnet.log.html import framed, html_table, remark, title

SHOWN = 12  # terms
ASKED = {"top": "data", "bottom": "diff", "param": "diff"}


@dataclasses.dataclass(frozen=True)
class Worked:
    """How a number was made; it prints as a sum, and notebooks show it as a table.

    layer: whose it is; terms: the products; value: what the blob holds there; numeric: what a central difference says
    of a diff, None for data.
    """

    layer: Layer
    terms: Terms
    value: float
    numeric: float | None = None

    def __str__(self) -> str:
        parts = [self._term_text(term) for term in self._short.terms]
        if self._has_rest:
            parts.append(f"({self._short.rest:.6g} in {self._short.rest_words})")
        lines = [f"{self._name} = {' + '.join(parts) or '0'} = {self.terms.value:.6g}"]
        lines += [self.terms.words] * bool(self.terms.words)
        if self.numeric is not None:
            lines.append(f"the difference says {self.numeric:.6g}")
        return "\n".join(lines)

    @property
    def _name(self) -> str:
        return f"{self.layer.name} {place_text(self.terms.place, self.layer)}"

    def _term_text(self, term: Term) -> str:
        return " · ".join(self._factor_text(factor) for factor in term)

    def _factor_text(self, factor: Factor) -> str:
        value = f"{factor.value:.4g}" if factor.value >= 0 else f"({factor.value:.4g})"
        name = place_text(factor.place, self.layer) if factor.place else factor.words
        return f"{value} {{{name}}}" if name else value

    @property
    def _short(self) -> Terms:
        return self.terms.shortened(SHOWN)

    @property
    def _has_rest(self) -> bool:
        return abs(self._short.rest) > 1e-12 * abs(self.terms.value)

    def _repr_html_(self) -> str:
        short = self._short
        rows = [("term", "value"), *((self._term_text(term), f"{value:.6g}")
                                     for term, value in zip(short.terms, short.products))]
        if self._has_rest:
            rows.append((short.rest_words, f"{short.rest:.6g}"))
        rows.append(("sum", f"{self.terms.value:.6g}"))
        proof = [] if self.numeric is None else [remark(f"the difference says {self.numeric:.6g}")]
        return framed(title(f"{self._name} = {self.value:.6g}"),
                      remark(self.terms.words), html_table(rows, looks=[""] * (len(rows) - 2) + ["set"]), *proof)


def worked(net: Net, layer: str | int, cell: Sequence[int], of: str = "top", number: int = 0) -> Worked:
    """See Net.explain."""
    if net.device != "cpu":
        raise NetError(f"explain net {net.name!r}", expected="a net on the CPU", got=f"one on {net.device}",
                       hint="build it there, Net(net.definition, net.phase, …), and give it the weights by save and "
                            "copy_from")
    index = net.position(layer, "explain")
    if of not in ASKED:
        raise NetError(f"explain layer {layer!r}", expected="of: top, bottom or param", got=repr(of))
    stage = Stage(net, max(0, net.context.step - 1))
    stage.run()
    if index not in stage.scenes:
        raise NetError(f"explain layer {layer!r}", "a Split hands on what another layer made",
                       hint="explain that layer")
    scene = stage.scenes[index]
    values = {"top": [stage.values[value].data for value in scene.tops], "bottom": scene.bottom_diffs,
              "param": scene.param_diffs}[of]
    where = f"layer {net.layers[index].name!r}, {of} {number}"
    if not 0 <= number < len(values):
        raise NetError(where, expected=f"one of {len(values)}", got=number)
    array, at = values[number], tuple(map(int, cell))
    if array is None:
        raise NetError(where, "gets no gradient", hint="write force_backward: true into the net for gradients of data")
    if len(at) != array.ndim or any(not 0 <= i < size for i, size in zip(at, array.shape)):
        raise ShapeError(where, expected=f"a cell within {array.shape}", got=at)
    place = Place(of, number, ASKED[of], at)
    with stage.replay(index) as alone:
        terms = net.layers[index].terms(place, alone.bottom, alone.top)
        numeric = None if of == "top" else difference(alone, place, stage.top_diffs(index))
    return Worked(net.layers[index], terms, float(array[at]), numeric)


def place_text(place: Place, layer: Layer) -> str:
    """A place in a few letters: y[0, 3], dx[0, 1], x1[2, 0], dweight[2, 0], "y" for a number without axes."""
    letter = {"top": "y", "bottom": "x"}.get(place.kind) or layer.param_name(place.number)
    many = str(place.number) if place.number and place.kind != "param" else ""
    index = f"[{', '.join(map(str, place.index))}]" if place.index else ""
    return ("d" if place.which == "diff" else "") + letter + many + index
