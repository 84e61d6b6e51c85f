"""Curves with intervals as an SVG file, without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from awnas_benchmarks.arena.statistics import Mean

WIDTH, HEIGHT = 860, 520
LEFT, RIGHT, TOP, BOTTOM = 80, 190, 24, 56
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#a6761d")
"""Told apart by people who do not see all colours (Okabe and Ito 2008)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a plot.

    Args:
        name: Its label.
        costs: Where it is known.
        points: Its mean and interval there; NaN where there is none.
    """

    name: str
    costs: Sequence[float]
    points: Sequence[Mean]


def draw_curves(curves: Sequence[Curve], across: str, up: str) -> str:
    """Return an SVG with a line and a band for each curve.

    Args:
        curves: What to draw.
        across: Label of the horizontal axis.
        up: Label of the vertical axis.
    """
    frame = _Frame(curves)
    parts = [frame.axes(across, up)]
    for place, curve in enumerate(curves):
        colour = COLOURS[place % len(COLOURS)]
        dash = "" if place < len(COLOURS) else ' stroke-dasharray="6 3"'
        parts.append(frame.curve(curve, colour, dash))
        y = TOP + 14 + 22 * place
        x = WIDTH - RIGHT + 16
        parts.append(f'<path d="M{x} {y}h22" stroke="{colour}" stroke-width="2.5"{dash}/>')
        parts.append(f'<text x="{x + 28}" y="{y + 4}">{escape(curve.name)}</text>')
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


class _Frame:
    """The axes, fitted to the curves; the lowest tenth of what early steps span is cut off."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        costs = [cost for curve in curves for cost in curve.costs]
        lows = sorted(p.mean - p.half for c in curves for p in c.points if not math.isnan(p.mean))
        highs = [p.mean + p.half for c in curves for p in c.points if not math.isnan(p.mean)]
        self.x = min(costs), max(costs)
        bottom, top = (lows[len(lows) // 10], max(highs)) if lows else (0.0, 1.0)
        margin = 0.05 * (top - bottom) or 0.01
        self.y = bottom - margin, top + margin

    def curve(self, curve: Curve, colour: str, dash: str) -> str:
        known = [(c, p) for c, p in zip(curve.costs, curve.points, strict=True) if not math.isnan(p.mean)]
        line = " ".join(self._at(cost, point.mean) for cost, point in known)
        upper = [self._at(cost, point.mean + point.half) for cost, point in known]
        lower = [self._at(cost, point.mean - point.half) for cost, point in reversed(known)]
        return (
            f'<polygon points="{" ".join(upper + lower)}" fill="{colour}" fill-opacity="0.15"/>\n'
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
        )

    def axes(self, across: str, up: str) -> str:
        right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
        parts = [f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#333"/>']
        for value in _ticks(*self.x):
            x = self._at(value, self.y[0]).partition(",")[0]
            parts.append(f'<path d="M{x} {bottom}v5" stroke="#333"/>')
            parts.append(f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{value:g}</text>')
        for value in _ticks(*self.y):
            y = self._at(self.x[0], value).partition(",")[2]
            parts.append(f'<path d="M{LEFT} {y}H{right}" stroke="#ddd"/>')
            parts.append(f'<text x="{LEFT - 8}" y="{y}" dy="4" text-anchor="end">{value:g}</text>')
        middle = (TOP + bottom) / 2
        parts.append(
            f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across)}</text>'
        )
        parts.append(
            f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">{escape(up)}</text>'
        )
        return "\n".join(parts)

    def _at(self, cost: float, value: float) -> str:
        x = LEFT + (cost - self.x[0]) / ((self.x[1] - self.x[0]) or 1) * (WIDTH - RIGHT - LEFT)
        share = min(max((value - self.y[0]) / (self.y[1] - self.y[0]), 0.0), 1.0)
        return f"{x:.1f},{HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP):.1f}"


def _ticks(low: float, high: float, wanted: int = 6) -> list[float]:
    """Return round numbers between two values."""
    if high <= low:
        return [low]
    rough = (high - low) / wanted
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough)
    first = math.ceil(low / step)
    return [round(step * count, 12) for count in range(first, math.floor(high / step + 1e-9) + 1)]
