"""How much of the objective space a set of points dominates: the one number that compares fronts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from awnas_core.search.pareto import check_points


def hypervolume(points: npt.ArrayLike, reference: Sequence[float]) -> float:
    """Return the volume of everything that some point dominates and that is no worse than ``reference``, exactly.

    O(n log n) for up to three objectives; each further one multiplies that by n.

    Args:
        points: Shape ``(n, m)``, larger is better. Points that do not exceed the reference everywhere add nothing.
        reference: The m gains of the worst that counts.

    Raises: ValueError when a value is infinite or NaN, or the reference has another number of objectives.

    Source: Zitzler and Thiele, "Multiobjective Evolutionary Algorithms: A Comparative Case Study and the Strength
    Pareto Approach", IEEE TEVC 1999; three objectives by the sweep of Beume et al., "On the Complexity of Computing the
    Hypervolume Indicator", IEEE TEVC 2009; more by slicing, While et al., IEEE TEVC 2006.
    """
    rows, worst = check_points(points), check_points([reference])[0]
    if rows.shape[1] != len(worst):
        raise ValueError(f"the points have {rows.shape[1]} objectives, the reference {len(worst)}")
    sides = rows - worst
    return _volume(sides[(sides > 0).all(-1)])


def _volume(sides: npt.NDArray[np.float64]) -> float:
    """Return the volume of the union of boxes that all have one corner at 0."""
    m = sides.shape[1]
    if not len(sides):
        return 0.0
    if m == 1:
        return float(sides.max())
    if m == 2:
        return _swept(np.column_stack([sides, np.ones(len(sides))]))
    sides = sides[np.argsort(-sides[:, -1], kind="stable")]
    if m == 3:
        return _swept(sides)
    depths: list[float] = (sides[:, -1] - np.append(sides[1:, -1], 0.0)).tolist()
    return sum(depth * _volume(sides[: i + 1, :-1]) for i, depth in enumerate(depths) if depth > 0)


def _swept(boxes: npt.NDArray[np.float64]) -> float:
    """Return the volume of boxes in descending order of their third side."""
    staircase = _Staircase()
    volume, heights = 0.0, boxes[:, 2].tolist()
    for (x, y, height), below in zip(boxes.tolist(), [*heights[1:], 0.0], strict=True):
        staircase.add(x, y)
        volume += staircase.area * (height - below)
    return volume


class _Staircase:
    """The area of a union of rectangles that all have one corner at 0, as they are added."""

    def __init__(self) -> None:
        self.area = 0.0
        self._widths = [0.0, np.inf]  # ascending; the first and the last stand for the axes
        self._heights = [np.inf, 0.0]  # descending

    def add(self, width: float, height: float) -> None:
        """Add a rectangle of positive sides."""
        widths, heights = self._widths, self._heights
        end = bisect_left(widths, width)
        if heights[end] >= height:
            return  # within a wider one
        start = end
        while heights[start - 1] <= height:
            start -= 1
        edge = widths[start - 1]
        gained = (width - edge) * height
        for i in range(start, end):
            gained -= (widths[i] - edge) * heights[i]
            edge = widths[i]
        self.area += gained - (width - edge) * heights[end]
        replaced = slice(start, end + (widths[end] == width))
        widths[replaced] = [width]
        heights[replaced] = [height]
