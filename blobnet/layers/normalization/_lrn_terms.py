"""The terms of local response normalisation."""

from __future__ import annotations

from itertools import product

from blobnet.core.terms import Factor, Index, Place, Term, Terms

SHOWN = 6  # squares that the words write out


def lrn_terms(layer, place: Place, bottom, top) -> Terms:
    """x times the power of the energy around it; of dx the way straight to y, and those through all energies."""
    norm, x, at = layer.norm, bottom[0].data, place.index
    window = _window(at, norm, x.shape)
    power = Factor(float(layer.scale[at]) ** -norm.beta, None, f"scale^-{norm.beta:.4g}")
    if place.kind == "top":
        squares = " + ".join(f"({float(x[j]):.4g})^2" for j in window[:SHOWN]) + " + ..." * (len(window) > SHOWN)
        return Terms(place, [(Factor(float(x[at]), place._replace(kind="bottom")), power)],
                     f"scale = {norm.k:.4g} + {norm.alpha:.4g} * ({squares}) = {float(layer.scale[at]):.6g}")
    y, dy = top[0].data, top[0].diff
    own = Factor(float(x[at]), place._replace(which="data"))
    found: list[Term] = [(Factor(float(dy[at]), Place("top", 0, "diff", at), "straight"), power)]
    found += [(Factor(-2 * norm.alpha * norm.beta, None, "-2 alpha beta / n"), own,
               Factor(float(dy[j]), Place("top", 0, "diff", j)), Factor(float(y[j]), Place("top", 0, "data", j)),
               Factor(float(1 / layer.scale[j]), None, "1 / scale there")) for j in window]
    return Terms(place, found, "straight to y, and through the scale of every number whose window this one is in")


def _window(at: Index, norm, shape) -> list[Index]:
    """The places around `at`, which are also those in whose window it is."""
    half = norm.size // 2
    spans = [range(max(0, i - half), min(size, i + half + 1)) if axis in norm.axes else (i,)
             for axis, (i, size) in enumerate(zip(at, shape))]
    return list(product(*spans))
