"""Codes of every kind, for Hypothesis."""

import numpy as np
from hypothesis import strategies as st

from blobnet.hashing.codes import Codes

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
AWKWARD = ["", "\\N", "\\.", "a\tb", "a\nb", "a\r\nb", "\\", "\\t", "'", '"', "{}", ", ", "ü", "日本", "\u2028", "😀",
           " a b ", "null", "NULL", "\x7f", "\x01"]


@st.composite
def any_codes(draw, max_items=8, texts=TEXTS):
    """Codes with and without values, ids and labels of each kind, and names of classes."""
    count, bits = draw(st.integers(0, max_items)), draw(st.integers(1, 20))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    rest = {"net": draw(texts), "weights": draw(texts), "blob": draw(texts)}
    ids = draw(st.sampled_from(["none", "int64", "uint64", "int8", "text"]))
    if ids == "text":
        given_ids = draw(st.lists(texts | st.sampled_from(AWKWARD), min_size=count, max_size=count, unique=True))
        rest["ids"] = np.array(given_ids, np.str_)
    elif ids != "none":
        rest["ids"] = np.arange(count).astype(ids)[::-1] + np.array(2 ** 63 if ids == "uint64" else -3, ids)
    labels = draw(st.sampled_from(["none", "numbers", "rows"]))
    if labels != "none":
        width = draw(st.integers(1 if labels == "numbers" else 2, 4))
        rest["labels"] = rng.integers(0, width, count) if labels == "numbers" else rng.integers(0, 2, (count, width))
        if draw(st.booleans()):
            rest["classes"] = draw(st.lists((texts | st.sampled_from(AWKWARD)).filter(bool), min_size=width,
                                            max_size=width, unique=True))
    rule = draw(st.sampled_from(["bits", "values", "blocks"]))
    if rule == "bits":
        return Codes.from_bits(rng.integers(0, 2, (count, bits)), **rest)
    blocks = {"block_size": 4} if rule == "blocks" else {"threshold": draw(st.sampled_from([0.0, 0.25]))}
    return Codes.from_values(rng.normal(size=(count, 4 * bits)), **blocks, **rest)
