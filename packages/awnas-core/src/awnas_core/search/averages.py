"""Means of named values over the steps of an epoch."""

from __future__ import annotations

from collections.abc import Mapping


class Averages:
    """Adds up named values, each over the steps that reported it."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """Take in the values of one step.

        A value may be a tensor still on its device: it is turned into a number only by :meth:`means`.
        """
        for name, value in values.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
            self._counts[name] = self._counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """Return the mean of every value."""
        return {name: float(total) / self._counts[name] for name, total in self._sums.items()}
