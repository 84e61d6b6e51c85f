"""The one non-dominated sort: several goals, feasible architectures first, and what follows from it.

Points are rows of finite gains: larger is better in every column (``Goal.gain`` turns costs round).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint, Goal
from awnas_core.rollout import Rollout

Points = npt.NDArray[np.float64]
Item = TypeVar("Item")


def check_points(points: npt.ArrayLike) -> Points:
    """Return ``points`` as an array of shape ``(n, m)``.

    Raises: ValueError when it is of another shape, or a value is infinite or NaN.
    """
    rows = np.asarray(points, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"points are rows of gains, shape (n, m); got shape {rows.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("every objective must be finite; leave failed architectures out")
    return rows


def non_dominated_ranks(points: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the front of every point: 0 for those that nothing dominates, 1 for those only front 0 dominates, ….

    O(n log n) for up to two objectives, O(m·n²) comparisons in O(n) memory for more.

    Args:
        points: Shape ``(n, m)``, larger is better in each of the m columns. A point dominates another when it is at
            least as good everywhere and better somewhere; equal points share a front.

    Raises: ValueError when a value is infinite or NaN.

    Source: Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEVC 2002, section III.A.
    The rank of a point is the length of the longest chain of points that dominate one another and it.
    """
    rows = check_points(points)
    if not rows.size:
        return np.zeros(len(rows), dtype=np.int64)
    order = np.lexsort(rows.T[::-1])[::-1]  # whoever dominates a row stands before it
    descending = rows[order]
    is_new = np.append(True, (descending[1:] != descending[:-1]).any(-1))
    distinct = descending[is_new]
    ranks = _two_objective_ranks(distinct) if distinct.shape[1] <= 2 else _ranks_by_chains(distinct)
    result = np.empty(len(rows), dtype=np.int64)
    result[order] = ranks[np.cumsum(is_new) - 1]
    return result


def crowding_distances(
    points: npt.ArrayLike, fronts: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.float64]:
    """Return how far the neighbours of each point within its front are apart: larger is lonelier.

    The sum over objectives of the gap between the two neighbours, as a part of the front's range; infinite for the
    first and the last of an objective. Objectives in which all points of a front are equal do not count.

    Args:
        points: Shape ``(n, m)``.
        fronts: The front of each point, shape ``(n,)``; None when all are of one.

    Raises: ValueError when a value is infinite or NaN.

    Source: Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEVC 2002, section III.B.
    """
    rows = check_points(points)
    fronts = np.zeros(len(rows), dtype=np.int64) if fronts is None else fronts
    distances = np.zeros(len(rows))
    for column in rows.T if len(rows) else ():
        order = np.lexsort((column, fronts))
        values, front = column[order], fronts[order]
        first = np.flatnonzero(np.append(True, front[1:] != front[:-1]))
        last = np.append(first[1:], len(rows)) - 1
        gaps = np.append(values[1:], np.inf) - np.append(-np.inf, values[:-1])
        gaps[first] = gaps[last] = np.inf
        span = np.repeat(values[last] - values[first], last - first + 1)
        distances[order[span > 0]] += gaps[span > 0] / span[span > 0]
    return distances


def violation_of(rollout: Rollout, constraints: Iterable[Constraint]) -> float:
    """Return by how much a rollout breaks the constraints in all, each in parts of its bound: 0 when it is feasible.

    An infeasible rollout was perhaps given up before everything was measured: what is missing does not count, and where
    nothing that is broken was measured the violation is infinite.

    Raises: ConfigError when an evaluation that went well lacks a constraint's metric.

    Source: Deb, "An efficient constraint handling method for genetic algorithms", CMAME 2000.
    """
    perf = rollout.perf
    gave_up = rollout.status == "infeasible"
    known = [c for c in constraints if c.metric in perf] if gave_up else constraints
    total = sum(c.violation(perf) / (abs(c.bound) or 1.0) for c in known)
    return np.inf if gave_up and total == 0 else total


def gains_of(rollout: Rollout, goals: Sequence[Goal]) -> tuple[float, ...]:
    """Return the gain of a rollout in each goal.

    Raises: ConfigError when a goal's metric was not measured.
    """
    perf = rollout.perf
    for goal in goals:
        if goal.metric not in perf:
            raise ConfigError(
                f"goal '{goal.metric}' was not measured; there are {', '.join(sorted(perf)) or 'no metrics'}"
            )
    return tuple(goal.gain(perf[goal.metric]) for goal in goals)


def ranks_feasible_first(points: npt.ArrayLike, violations: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return the front of every point: feasible ones by their gains, then the others by their violation alone.

    Args:
        points: Shape ``(n, m)``; rows of infeasible points are not looked at.
        violations: Shape ``(n,)``, 0 where a point is feasible.

    Raises: ValueError when a gain of a feasible point is infinite or NaN.
    """
    rows, excess = np.asarray(points, dtype=np.float64), np.asarray(violations, dtype=np.float64)
    feasible = np.asarray(excess == 0)
    ranks = np.zeros(len(excess), dtype=np.int64)
    if feasible.any():
        ranks[feasible] = non_dominated_ranks(rows[feasible])
    first = int(ranks[feasible].max()) + 1 if feasible.any() else 0
    ranks[~feasible] = first + np.unique(excess[~feasible], return_inverse=True)[1].reshape(-1)
    return ranks


def rank_rollouts(
    rollouts: Sequence[Rollout], goals: Sequence[Goal], constraints: Sequence[Constraint] = ()
) -> npt.NDArray[np.int64]:
    """Return the front of every rollout: feasible ones by their goals, then infeasible ones by how far off they are.

    Raises: ConfigError when the metric of a goal or a constraint was not measured.
    """
    violations = [violation_of(rollout, constraints) for rollout in rollouts]
    nothing = (np.nan,) * len(goals)
    points = [
        gains_of(rollout, goals) if violation == 0 else nothing
        for rollout, violation in zip(rollouts, violations, strict=True)
    ]
    return ranks_feasible_first(np.array(points).reshape(len(rollouts), len(goals)), violations)


class ParetoArchive(Generic[Item]):
    """The best of everything that was ever added: items that none of the others dominates.

    Args:
        num_objectives: m.
    """

    def __init__(self, num_objectives: int) -> None:
        self.items: list[Item] = []
        self.points: Points = np.empty((0, num_objectives))  # row i belongs to items[i]

    def __len__(self) -> int:
        return len(self.items)

    def add(self, item: Item, point: Sequence[float]) -> bool:
        """Add an item unless it is dominated; what it dominates leaves. An item added again gets the new point.

        Args:
            item: Anything that compares.
            point: Its m gains.

        Returns: Whether the item is in the archive now.

        Raises: ValueError when a gain is infinite or NaN.
        """
        row = check_points([point])[0]
        if item in self.items:
            self._keep(np.arange(len(self)) != self.items.index(item))
        no_worse = (self.points >= row).all(-1)
        if (no_worse & (self.points > row).any(-1)).any():
            return False
        self._keep(~((self.points <= row).all(-1) & ~no_worse))
        self.items.append(item)
        self.points = np.concatenate([self.points, row[None]])
        return True

    def _keep(self, which: npt.NDArray[np.bool_]) -> None:
        if not which.all():
            self.items = [item for item, stays in zip(self.items, which.tolist(), strict=True) if stays]
            self.points = self.points[which]


def _two_objective_ranks(distinct: Points) -> npt.NDArray[np.int64]:
    """Rank distinct rows in descending order: a front dominates a row when its best second gain is no worse."""
    ranks = np.empty(len(distinct), dtype=np.int64)
    best: list[float] = []  # of each front, the negated best last gain so far; ascending
    for i, last in enumerate((-distinct[:, -1]).tolist()):
        ranks[i] = rank = bisect_right(best, last)
        best[rank : rank + 1] = [last]
    return ranks


def _ranks_by_chains(distinct: Points) -> npt.NDArray[np.int64]:
    """Rank distinct rows in descending order, so that no row is better in its first gain than those before it."""
    ranks = np.zeros(len(distinct), dtype=np.int64)
    others: Any = np.ascontiguousarray(distinct[:, 1:].T)
    for i in range(1, len(distinct)):
        dominated = np.logical_and.reduce([column[:i] >= column[i] for column in others])
        ranks[i] = (ranks[:i] + 1).max(initial=0, where=dominated)
    return ranks
