"""The best architectures that were ever seen."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from awnas_controllers.results import Result, score
from awnas_core.rollout import Arch


class HallOfFame:
    """Remembers the best results by score, each architecture once, with its latest score.

    Args:
        size: How many are remembered for certain; up to twice as many are held, so that adding one is cheap.
    """

    def __init__(self, size: int = 1000) -> None:
        self.size = size
        self.results: dict[Arch, Result] = {}

    def add(self, results: Iterable[Result]) -> None:
        """Remember results."""
        for result in results:
            self.results[result.arch] = result
        if len(self.results) > 2 * self.size:
            self.results = {result.arch: result for result in self.best(self.size)}

    def best(self, n: int) -> list[Result]:
        """Return the ``n`` best, best first; of equals the first seen comes first."""
        return heapq.nlargest(n, self.results.values(), key=score)
