"""The terms of y = x * a + b, where a and b spread along some axes of x."""

from __future__ import annotations

from typing import Any

from blobnet.core.terms import Factor, Operand, Place, Term, Terms, grid, index_of, reindexed, sum_of_products


def along_terms(numbers: dict[str, Any], place: Place, bottom, top, blobs) -> Terms:
    """The terms of one number; `numbers` are those of the layer's arithmetic: scale, bias, grouped, bottoms."""
    outer, _, inner = grouped = numbers["grouped"]
    seconds = [("bottom", 1, blob) for blob in bottom[1:]] + [("param", i, blob) for i, blob in enumerate(blobs)]
    a = seconds[0] if numbers["scale"] else None
    b = seconds[-1] if numbers["bias"] else None

    def second(which, c: int) -> Factor:
        kind, number, blob = which
        index = index_of(c, blob.shape)
        return Factor(float(blob.data[index]), Place(kind, number, "data", index))

    def number(kind: str, which: str, blob, at: tuple[int, ...]) -> Factor:
        index = reindexed(at, grouped, blob.shape)
        return Factor(float(getattr(blob, which)[index]), Place(kind, 0, which, index))

    if place.kind == "top" or (place.kind, place.number) == ("bottom", 0):
        at = reindexed(place.index, bottom[0].shape, grouped)
        first = (number("bottom", "data", bottom[0], at) if place.kind == "top"
                 else number("top", "diff", top[0], at))
        found: list[Term] = [(first, second(a, at[1])) if a else (first,)]
        if b and place.kind == "top":
            found.append((second(b, at[1]),))
        return Terms(place, found, "the factor and the bias of its channel" if place.kind == "top" else "")
    scales = a is not None and (place.kind, place.number) == a[:2]
    blob = {"bottom": bottom, "param": blobs}[place.kind][place.number]
    c, = reindexed(place.index, blob.shape, (blob.count,))
    cells = grid([(n,) for n in range(outer)], [(c,)], [(i,) for i in range(inner)])
    operands = [Operand("top", 0, "diff", top[0].diff.reshape(grouped), cells, top[0].shape)]
    if scales:
        operands.append(Operand("bottom", 0, "data", bottom[0].data.reshape(grouped), cells, bottom[0].shape))
    return sum_of_products(place, [operands], (), "everything that it was spread over")
