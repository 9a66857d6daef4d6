"""A row of numbers as bars, in SVG."""

from __future__ import annotations

import numpy as np

WIDTH, HEIGHT, WIDEST = 480, 120, 24


def bars(values: np.ndarray, label: str) -> str:
    """An SVG element with a bar for each of the `values` (n,), n > 0, from a line at 0 up or down.

    label: what readers who do not see it are told, clean text. A number that is not finite has a mark in place of a
    bar.
    """
    finite = np.isfinite(values)
    good = np.where(finite, values, 0).astype(np.float64)
    scale = np.abs(good).max() or 1.0
    heights = good / scale
    low, high = min(heights.min(), 0), max(heights.max(), 0)
    zero = HEIGHT * high / ((high - low) or 1)
    step = min(WIDTH / len(values), WIDEST)
    shapes = [_bar(i * step, step, zero, HEIGHT * height / ((high - low) or 1), ok)
              for i, (height, ok) in enumerate(zip(heights.tolist(), finite.tolist()))]
    width = step * len(values)
    return (f'<svg class="bn-chart" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
            f'width="{width:.0f}" height="{HEIGHT}" viewBox="0 0 {width:.1f} {HEIGHT}">'
            f'<g fill="#4c8fc4">{"".join(shapes)}</g>'
            f'<path d="M0 {zero:.1f}H{width:.1f}" stroke="currentColor" stroke-width="1"/></svg>')


def _bar(x: float, step: float, zero: float, height: float, finite: bool) -> str:
    wide = step * 0.8
    if not finite:
        return f'<rect x="{x:.1f}" y="0" width="{wide:.1f}" height="{HEIGHT}" fill="#ff00ff" fill-opacity="0.5"/>'
    top = zero - max(height, 0)
    return f'<rect x="{x:.1f}" y="{top:.1f}" width="{wide:.2f}" height="{abs(height):.1f}"/>'
