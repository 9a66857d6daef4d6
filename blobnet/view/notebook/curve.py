"""A line chart in SVG, small and of our own: a notebook needs no other library to show a curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from blobnet.log.html import words

WIDTH, HEIGHT = 480, 240
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 24, 38  # margins


class Line(NamedTuple):
    """A curve: x ascending and y, both (n,); y that is not finite interrupts it. A faint one stands behind others.

    colour and dash: as SVG has them, the page's own if empty.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    faint: bool = False
    colour: str = ""
    dash: str = ""


def chart(lines: Sequence[Line], xlabel: str, ylabel: str, span: tuple[float, float] | None = None,
          reach: tuple[float, float] | None = None, legend: bool = True) -> str:
    """An SVG element with the `lines` and axes. "" without any finite number.

    span of y and reach of x: else they are those of the finite numbers.
    """
    finite = [np.isfinite(line.y) for line in lines]
    xs = np.concatenate([line.x[good] for line, good in zip(lines, finite)])
    ys = np.concatenate([line.y[good] for line, good in zip(lines, finite)])
    if not xs.size:
        return ""
    across = _Scale(reach or _wide(xs), LEFT, WIDTH - RIGHT)
    along = _Scale(span or _wide(ys), HEIGHT - BOTTOM, TOP)
    label = words(f"{ylabel} against {xlabel}: from {ys.min():.4g} to {ys.max():.4g}")
    shapes = [_grid(across, along), _labels(xlabel, ylabel)]
    shapes += [_curve(line, across, along) for line in lines] + [_legend(lines)] * legend
    return (f'<svg class="bn-chart" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
            f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="12" fill="currentColor">'
            + "".join(shapes) + "</svg>")


class _Scale:
    """From values between those of `span`, `low` and `high`, to pixels between `start` and `end`."""

    def __init__(self, span: tuple[float, float], start: float, end: float):
        (self.low, self.high), self.start, self.end = span, start, end

    def __call__(self, values: np.ndarray | float):
        share = (values / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves: no overflow
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round numbers in the range, three to seven of them."""
        size = self.high / 5 - self.low / 5
        unit = 10.0 ** math.floor(math.log10(size))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= size * 0.99)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def _wide(values: np.ndarray) -> tuple[float, float]:
    """The range of the values, made wider where they are one number."""
    low, high = float(values.min()), float(values.max())
    if high / 2 - low / 2 > 1e-12 * max(abs(low), abs(high), 1e-280):
        return low, high
    size = max(abs(low) * 0.1, 1e-6) if low else 0.5
    return low - size, high + size


def _grid(across: _Scale, along: _Scale) -> str:
    parts = []
    for value in along.ticks():
        y = along(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity="0.2"/>'
                     f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.4g}</text>')
    for value in across.ticks():
        if value == round(value) or across.high - across.low < 3:
            parts.append(f'<text x="{across(value):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">'
                         f"{value:,.6g}</text>")
    return "".join(parts)


def _labels(xlabel: str, ylabel: str) -> str:
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (f'<text x="{middle:.0f}" y="{HEIGHT - 5}" text-anchor="middle">{words(xlabel)}</text>'
            f'<text x="4" y="12">{words(ylabel)}</text>')


def look(line: Line) -> str:
    """The attributes of a curve's stroke."""
    if line.faint:
        return 'stroke="currentColor" stroke-opacity="0.35" stroke-width="1"'
    colour = line.colour or "#0072b2"
    style = "" if line.colour else ' style="stroke: var(--bn-line, #0072b2)"'
    return f'stroke="{colour}"{style} stroke-width="2"' + f' stroke-dasharray="{line.dash}"' * bool(line.dash)


def _curve(line: Line, across: _Scale, along: _Scale) -> str:
    xs, ys = across(line.x.astype(np.float64)), along(np.where(np.isfinite(line.y), line.y, along.low))
    pieces, pen = [], "M"
    for x, y, good in zip(xs.tolist(), ys.tolist(), np.isfinite(line.y).tolist()):
        if good:
            pieces.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        else:
            pen = "M"
    dot = "h0" if len(pieces) == 1 else ""  # a single point shows as the round end of a line
    return (f'<path d="{"".join(pieces)}{dot}" fill="none" {look(line)} stroke-linejoin="round" '
            'stroke-linecap="round"/>')


def _legend(lines: Sequence[Line]) -> str:
    parts, x = [], WIDTH - RIGHT
    for line in reversed(lines):
        x -= 26 + 7 * len(line.name)
        parts.append(f'<path d="M{x} 8h18" {look(line)}/><text x="{x + 22}" y="12">{words(line.name)}</text>')
    return "".join(parts) if len(lines) > 1 else ""
