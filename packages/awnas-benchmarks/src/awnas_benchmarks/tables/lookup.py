"""Asking a table for several columns at once, for one of several trainings or their mean."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from awnas_benchmarks.tables.columns import ColumnName
from awnas_benchmarks.tables.table import Rows, Table, Values
from awnas_core.errors import ConfigError
from awnas_spaces.benchmark import Keys

Run = Literal["mean", "random"] | int
"""Which training of several to believe: all on average, one drawn for each question, or the one of that number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a table says of n architectures.

    Args:
        rows: Their rows, −1 for those that the table lacks; shape ``(n,)``.
        values: Column → values, shape ``(n,)``; NaN where the table says nothing.
        seconds: What training them would have taken, shape ``(n,)``; NaN where that is not known.
        seeds: Seed of the training that was believed, shape ``(n,)``; None for a mean.
    """

    rows: Rows
    values: dict[str, Values]
    seconds: Values
    seeds: Rows | None


class Lookup:
    """Questions to a table about the same columns.

    Args:
        table: Whom to ask.
        signal: The column by which architectures are told apart; ``run`` is about its trainings.
        others: More columns; those with the trainings of the signal are of the same one, others are means.
        run: Which training to believe.

    Raises: ConfigError when the table lacks a column, or the signal has fewer trainings.
    """

    def __init__(self, table: Table, signal: str, others: Sequence[str] = (), run: Run = "mean") -> None:
        self.table = table
        self.columns = {name: table.column(name) for name in (signal, *others)}
        self.signal = self.columns[signal]
        self.signal_name = signal
        self._cost = ColumnName.parse(signal).at(self.signal.cost) if self.signal.cost else None
        self.run = run
        if isinstance(run, int) and not 0 <= run < max(len(self.signal.runs), 1):
            raise ConfigError(f"'{signal}' has the runs 0 … {max(len(self.signal.runs), 1) - 1}, got {run}")

    def __call__(self, keys: Keys, rng: np.random.Generator) -> Answer:
        """Return what the table says of the architectures with these keys."""
        rows = self.table.rows(keys)
        known = np.flatnonzero(rows >= 0)
        if not len(known):
            nothing = np.full(len(rows), np.nan)
            return Answer(rows, dict.fromkeys(self.columns, nothing), nothing, None)
        runs = self._runs(rows[known], rng)
        values = {name: self._spread(name, rows, known, runs) for name in self.columns}
        seconds = self._spread(self._cost, rows, known, runs) if self._cost else np.full(len(rows), np.nan)
        return Answer(rows, values, seconds, self._seeds(rows, known, runs))

    def of_rows(self, rows: Rows) -> Values:
        """Return the signal of given rows, the mean over its trainings; for analysis, not for a search."""
        return self._one_each(self.signal_name, rows, None)

    def _runs(self, rows: Rows, rng: np.random.Generator) -> Rows | None:
        """Return the run of the signal to believe, for each row; None for the mean."""
        if self.run == "mean" or not self.signal.runs:
            return None
        if isinstance(self.run, int):
            return np.full(len(rows), self.run)
        there = ~np.isnan(self.table.values(self.signal_name, rows))  # (n, runs)
        return np.where(there, rng.random(there.shape), -1.0).argmax(-1)

    def _spread(self, name: str, rows: Rows, known: Rows, runs: Rows | None) -> Values:
        values = np.full(len(rows), np.nan)
        values[known] = self._one_each(name, rows[known], runs)
        return values

    def _one_each(self, name: str, rows: Rows, runs: Rows | None) -> Values:
        found = self.table.values(name, rows)
        if found.ndim == 1:
            return found
        if runs is not None and self.table.column(name).runs == self.signal.runs:
            return found[np.arange(len(rows)), runs]
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # no training at all: the mean is NaN, which is meant
            return np.nanmean(found, axis=-1)

    def _seeds(self, rows: Rows, known: Rows, runs: Rows | None) -> Rows | None:
        if runs is None:
            return None
        seeds = np.full(len(rows), -1)
        seeds[known] = np.array(self.signal.runs)[runs]
        return seeds
