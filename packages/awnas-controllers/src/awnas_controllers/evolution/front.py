"""What is reported of a front, and who is crowded in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from awnas_core.metrics import Goal
from awnas_core.search.hypervolume import hypervolume
from awnas_core.search.pareto import crowding_distances


def front_statistics(points: npt.NDArray[np.float64], goals: Sequence[Goal]) -> dict[str, float]:
    """Return the size of a front, and its hyper-volume when every goal has a reference.

    Args:
        points: Gains of shape ``(n, m)``, none of them dominated.
        goals: The m goals.
    """
    values = {"front_size": float(len(points))}
    references = [goal.gain(goal.reference) for goal in goals if goal.reference is not None]
    if len(references) == len(goals):
        values["hypervolume"] = hypervolume(points, references)
    return values


def crowding_within(points: npt.NDArray[np.float64], ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the crowding distance of each point within its front; 0 for infeasible ones, which have no gains."""
    feasible = np.isfinite(points).all(-1)
    distances = np.zeros(len(points))
    distances[feasible] = crowding_distances(points[feasible], ranks[feasible])
    return distances
