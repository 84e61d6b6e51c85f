"""What came of a contest: the ranking, curves and significance, as files that other programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from awnas_benchmarks.arena.budget import Budget
from awnas_benchmarks.arena.plot import Curve, draw_curves
from awnas_benchmarks.arena.statistics import Mean, holm, pairs, ranks, wilcoxon
from awnas_benchmarks.arena.trajectory import Trajectory, cost_grid
from awnas_core.run.files import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one algorithm did.

    Args:
        algorithm: Its name.
        report: The report of what it found, over seeds.
        regret: How far that is from the best there is; None where nobody knows.
        rank: Its mean rank among the algorithms, seed by seed; 1 is best.
        wins: Seeds in which nobody did better.
        evaluations: Mean number of evaluations.
        seconds: Mean simulated seconds.
    """

    algorithm: str
    report: Mean
    regret: float | None
    rank: float
    wins: int
    evaluations: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two algorithms, seed by seed.

    Args:
        first: The one.
        second: The other.
        difference: Mean of first − second.
        p: Wilcoxon signed-rank, two-sided.
        corrected: The same after Holm's correction for the number of comparisons.
    """

    first: str
    second: str
    difference: float
    p: float
    corrected: float


class Outcome:
    """The results of a contest.

    Args:
        trajectories: Algorithm → its searches, in the same order of seeds.
        budget: What each could spend.
    """

    def __init__(self, trajectories: Mapping[str, Sequence[Trajectory]], budget: Budget) -> None:
        self.trajectories = trajectories
        self.budget = budget
        self._final = {
            name: np.array([item.final.report for item in items]) for name, items in trajectories.items()
        }
        first = next(iter(trajectories.values()))[0]
        self.metric = first.metric
        self._sign = 1.0 if first.direction == "max" else -1.0

    def standings(self) -> list[Standing]:
        """Return how every algorithm did, the best mean first."""
        names = list(self._final)
        table = self._sign * np.stack([self._final[name] for name in names])  # (algorithms, seeds)
        by_seed = np.stack([ranks(-column) for column in table.T], axis=1)
        best = table.max(0)
        standings = []
        for place, name in enumerate(names):
            items, report = self.trajectories[name], Mean.of(self._final[name])
            optimum = items[0].optimum
            standings.append(
                Standing(
                    algorithm=name,
                    report=report,
                    regret=None if optimum is None else self._sign * (optimum - report.mean),
                    rank=float(by_seed[place].mean()),
                    wins=int((table[place] == best).sum()),
                    evaluations=float(np.mean([item.evaluations for item in items])),
                    seconds=float(np.mean([item.seconds for item in items])),
                )
            )
        return sorted(standings, key=lambda standing: -self._sign * standing.report.mean)

    def comparisons(self) -> list[Comparison]:
        """Return every two algorithms, better ones first."""
        names = pairs([standing.algorithm for standing in self.standings()])
        p_values = {(a, b): wilcoxon(self._final[a], self._final[b]) for a, b in names}
        corrected = holm(p_values)
        return [
            Comparison(a, b, float((self._final[a] - self._final[b]).mean()), p_values[a, b], corrected[a, b])
            for a, b in names
        ]

    def curves(self) -> list[Curve]:
        """Return the mean best-so-far report of every algorithm against cost, with its interval."""
        everything = [item for items in self.trajectories.values() for item in items]
        costs = cost_grid(everything, self.budget)
        curves = []
        for standing in self.standings():
            items = self.trajectories[standing.algorithm]
            table = np.stack([item.reports(costs, self.budget.unit) for item in items])
            curves.append(Curve(standing.algorithm, costs, [Mean.of(column) for column in table.T]))
        return curves

    def write(self, folder: Path) -> None:
        """Write ``ranking.csv``, ``curves.csv``, ``significance.csv``, ``searches.csv`` and ``curves.svg``."""
        curves = self.curves()
        _write_csv(
            folder / "ranking.csv",
            (
                "algorithm",
                "mean",
                "std",
                "interval95",
                "regret",
                "mean_rank",
                "wins",
                "evaluations",
                "seconds",
            ),
            (
                (
                    s.algorithm,
                    s.report.mean,
                    s.report.deviation,
                    s.report.half,
                    s.regret,
                    s.rank,
                    s.wins,
                    s.evaluations,
                    s.seconds,
                )
                for s in self.standings()
            ),
        )
        _write_csv(
            folder / "significance.csv",
            ("first", "second", "mean_difference", "p_wilcoxon", "p_holm"),
            ((c.first, c.second, c.difference, c.p, c.corrected) for c in self.comparisons()),
        )
        _write_csv(
            folder / "curves.csv",
            ("algorithm", self.budget.unit, "mean", "low95", "high95"),
            (
                (curve.name, cost, point.mean, point.mean - point.half, point.mean + point.half)
                for curve in curves
                for cost, point in zip(curve.costs, curve.points, strict=True)
            ),
        )
        _write_csv(
            folder / "searches.csv",
            ("algorithm", "seed", "report", "reward", "evaluations", "seconds", "genotype"),
            (
                (
                    item.algorithm,
                    item.seed,
                    item.final.report,
                    item.final.reward,
                    item.evaluations,
                    item.seconds,
                    item.final.genotype,
                )
                for items in self.trajectories.values()
                for item in items
            ),
        )
        write_atomically(folder / "curves.svg", draw_curves(curves, self.budget.unit, self.metric).encode())


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    write_atomically(path, text.getvalue().encode())
