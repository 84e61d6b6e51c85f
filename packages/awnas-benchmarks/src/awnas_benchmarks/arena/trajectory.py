"""How one search went: what it had found at which cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_benchmarks.arena.budget import Budget
from awnas_core.metrics import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Incumbent:
    """An architecture that was the best by its reward when it was found.

    Args:
        evaluations: Evaluations up to it, itself among them.
        seconds: Simulated seconds up to it; 0 where they are not known.
        reward: The signal it was found by.
        report: How good it really is.
        genotype: Its text.
    """

    evaluations: int
    seconds: float
    reward: float
    report: float
    genotype: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """One search.

    Args:
        algorithm: Its name in the contest.
        seed: Its seed.
        metric: What the report is.
        direction: Which way it is better.
        evaluations: All evaluations.
        seconds: All simulated seconds.
        optimum: The best report there is, None where nobody knows.
        incumbents: In the order they were found, at least one.
    """

    algorithm: str
    seed: int
    metric: str
    direction: Direction
    evaluations: int
    seconds: float
    optimum: float | None
    incumbents: tuple[Incumbent, ...]

    @property
    def final(self) -> Incumbent:
        """The last and best."""
        return self.incumbents[-1]

    def reports(self, costs: Sequence[float], unit: str) -> npt.NDArray[np.float64]:
        """Return the report of the incumbent at each cost, NaN before there was one."""
        found = np.array([getattr(incumbent, unit) for incumbent in self.incumbents], dtype=np.float64)
        reports = np.array([np.nan, *(incumbent.report for incumbent in self.incumbents)])
        return reports[np.searchsorted(found, np.asarray(costs), side="right")]

    def to_record(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Trajectory:
        """Return what :meth:`to_record` gave."""
        incumbents = tuple(Incumbent(**item) for item in record["incumbents"])
        return cls(**{**record, "incumbents": incumbents})


def cost_grid(trajectories: Sequence[Trajectory], budget: Budget, points: int = 200) -> list[float]:
    """Return costs at which to compare: every evaluation while they are few, else evenly spread ones."""
    if budget.unit == "evaluations" and budget.amount <= points:
        return [float(count) for count in range(1, int(budget.amount) + 1)]
    first = min(getattr(trajectory.incumbents[0], budget.unit) for trajectory in trajectories)
    return np.linspace(first, budget.amount, points).tolist()
