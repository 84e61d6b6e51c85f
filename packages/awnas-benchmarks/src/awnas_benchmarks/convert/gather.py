"""Columns that fill up value by value, as a file of records is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_benchmarks.tables.columns import Column
from awnas_benchmarks.tables.metrics import column_named, compact


class Gathered:
    """Values by column, row, training and epoch; what never comes stays a hole.

    Args:
        size: Number of rows.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._runs: dict[str, dict[int, npt.NDArray[np.float64]]] = {}
        self._single: dict[str, npt.NDArray[np.float64]] = {}
        self._curves: dict[str, tuple[int, ...]] = {}

    def put(self, name: str, row: int, value: float) -> None:
        """Note a value that does not depend on a training."""
        if name not in self._single:
            self._single[name] = np.full(self.size, np.nan)
        self._single[name][row] = value

    def put_run(
        self, name: str, row: int, seed: int, values: Sequence[float], curve: tuple[int, ...] = ()
    ) -> None:
        """Note what one training gave: one value, or one for each epoch of ``curve``."""
        if curve:
            self._curves[name] = curve
        runs = self._runs.setdefault(name, {})
        if seed not in runs:
            runs[seed] = np.full((self.size, max(len(curve), 1)), np.nan)
        runs[seed][row] = values

    def finish(self, costs: dict[str, str]) -> tuple[list[Column], dict[str, npt.NDArray[Any]]]:
        """Return the columns and their values, trainings in the order of their seeds.

        Args:
            costs: Column → column with the seconds it takes.
        """
        columns, values = [], {}
        for name, single in self._single.items():
            column, values[name] = compact(column_named(name), single)
            columns.append(column)
        for name, by_seed in self._runs.items():
            seeds = sorted(by_seed)
            curve = self._curves.get(name, ())
            whole = np.stack([by_seed[seed] for seed in seeds], axis=1)  # (n, runs, epochs)
            column = replace(column_named(name), runs=tuple(seeds), curve=curve, cost=costs.get(name))
            column, values[name] = compact(column, whole if curve else whole[..., 0])
            columns.append(column)
        return columns, values
