"""The colours of drawings, by day and by night."""

from __future__ import annotations

DARK = "@media screen and (prefers-color-scheme: dark)"
FAMILIES = {  # of layer types: what stands behind their words
    "data": ("#d9e2ec", "#2d3b4b"), "weighted": ("#f8c9c0", "#552b23"), "activation": ("#cdebc5", "#294620"),
    "pooling": ("#fde0a9", "#493c1d"), "normalization": ("#d6d0f0", "#2d2553"), "recurrent": ("#f5c6dd", "#55233b"),
    "shape": ("#e6e6e6", "#3c3c3c"), "reduction": ("#f3e3cf", "#453d36"), "loss": ("#bfe3ea", "#21434b"),
    "hashing": ("#9fd3c7", "#26433e"), "metric": ("#e3eeb3", "#3a431a"), "detection": ("#c9d8f5", "#233455"),
    "segmentation": ("#b9d7c4", "#2e4437"), "video": ("#f7cf9e", "#553815"), "python": ("#f0d9f7", "#492355"),
    "plug-ins": ("#f0d9f7", "#492355")}
WAYS = {"data": ("--wire", "#6b7280", "#9aa3b2"), "diff": ("--back", "#b45309", "#f0a35e")}  # of numbers along wires


def css() -> str:
    """The rules of these colours for drawings in pages. A page may set --wire and --back, the colours of the ways."""
    def rules(night: bool) -> list[str]:
        ways = [f".net-drawing .{way} {{ stroke: var({name}, {inks[night]}); }}" for way, (name, *inks) in WAYS.items()]
        return ways + [f".net-drawing .family-{name} {{ fill: {fills[night]}; }}" for name, fills in FAMILIES.items()]

    return "\n".join([*rules(False), f"{DARK} {{", *(f"  {rule}" for rule in rules(True)), "}", ""])
