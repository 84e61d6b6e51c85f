"""The one non-dominated sort: several goals, feasible architectures first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint, Goal
from awnas_core.rollout import Rollout

Points = npt.NDArray[np.float64]


def non_dominated_ranks(points: Points) -> npt.NDArray[np.int64]:
    """Return the front of every point: 0 for those that nothing dominates, 1 for those only front 0 dominates, ….

    Args:
        points: Shape ``(n, m)``, larger is better in each of the m columns. A point dominates another when it is at
            least as good everywhere and better somewhere; equal points share a front.

    Raises: ValueError when a value is infinite or NaN.

    Source: Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEVC 2002, section III.A.
    """
    if not np.isfinite(points).all():
        raise ValueError("every objective must be finite; leave failed architectures out")
    ranks = np.full(len(points), -1, dtype=np.int64)
    at_least = np.asarray((points[:, None, :] >= points[None, :, :]).all(-1))
    dominates = at_least & ~at_least.T
    dominators = dominates.sum(0)
    rank = 0
    while (ranks < 0).any():
        front = (dominators == 0) & (ranks < 0)
        ranks[front] = rank
        dominators = dominators - dominates[front].sum(0)
        rank += 1
    return ranks


def rank_rollouts(
    rollouts: Sequence[Rollout], goals: Sequence[Goal], constraints: Sequence[Constraint] = ()
) -> npt.NDArray[np.int64]:
    """Return the front of every rollout: feasible ones by their goals, then infeasible ones by how far off they are.

    Source of the order: Deb, "An efficient constraint handling method for genetic algorithms", CMAME 2000.

    Raises: ConfigError when a goal's metric was not measured.
    """
    violation = np.array([sum(c.violation(r.perf) for c in constraints) for r in rollouts], dtype=np.float64)
    feasible = np.asarray(violation == 0)
    ranks = np.zeros(len(rollouts), dtype=np.int64)
    if feasible.any():
        ranks[feasible] = non_dominated_ranks(
            _points([r for r, ok in zip(rollouts, feasible, strict=True) if ok], goals)
        )
    first = int(ranks[feasible].max()) + 1 if feasible.any() else 0
    ranks[~feasible] = first + np.unique(violation[~feasible], return_inverse=True)[1]
    return ranks


def _points(rollouts: Sequence[Rollout], goals: Sequence[Goal]) -> Points:
    for goal in goals:
        for rollout in rollouts:
            if goal.metric not in rollout.perf:
                raise ConfigError(
                    f"goal '{goal.metric}' was not measured; there are {', '.join(sorted(rollout.perf))}"
                )
    return np.array([[goal.gain(r.perf[goal.metric]) for goal in goals] for r in rollouts], dtype=np.float64)
