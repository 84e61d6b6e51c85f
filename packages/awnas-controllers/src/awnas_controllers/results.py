"""What became of evaluated architectures, in a form that compares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_core.errors import CheckpointError, GenotypeError
from awnas_core.metrics import Constraint, Goal
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Rollout
from awnas_core.search.pareto import gains_of, violation_of


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one architecture.

    Args:
        arch: The architecture.
        gains: For each goal, larger is better; minus infinity where the architecture is infeasible.
        violation: By how much it breaks the constraints, 0 when it is feasible.
    """

    arch: Arch
    gains: tuple[float, ...]
    violation: float = 0.0


def results_of(
    rollouts: Iterable[Rollout], goals: Sequence[Goal], constraints: Sequence[Constraint]
) -> list[Result]:
    """Return the results of evaluated rollouts; failed ones, and gains that are not finite, are passed over.

    Raises: ValueError when a rollout is not evaluated; ConfigError when one that went well lacks a metric.
    """
    results = []
    for rollout in rollouts:
        if rollout.status == "pending":
            raise ValueError(f"{rollout} is not evaluated yet; step takes evaluated rollouts")
        if rollout.status == "failed":
            continue
        violation = violation_of(rollout, constraints)
        if violation > 0:
            results.append(Result(rollout.arch, (-math.inf,) * len(goals), violation))
        elif all(map(math.isfinite, gains := gains_of(rollout, goals))):
            results.append(Result(rollout.arch, gains))
    return results


def columns(results: Sequence[Result]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return gains of shape ``(n, m)`` and violations of shape ``(n,)``."""
    gains = np.array([result.gains for result in results], dtype=np.float64)
    return gains, np.array([result.violation for result in results], dtype=np.float64)


def packed(results: Iterable[Result]) -> dict[str, Any]:
    """Return results as arrays, the form they have in a checkpoint."""
    listed = list(results)
    gains, violations = columns(listed)
    archs = np.array([result.arch for result in listed], dtype=np.int64)
    return {"archs": archs, "gains": gains, "violations": violations}


def score(result: Result) -> tuple[float, float]:
    """Return what single results compare by: feasible ones by the first gain, before all others by their violation."""
    return (-result.violation, result.gains[0])


def unpacked(state: Mapping[str, Any], space: SearchSpace, num_goals: int) -> list[Result]:
    """Return what :func:`packed` packed.

    Raises: CheckpointError when it is of another search space or of another number of goals.
    """
    archs, gains, violations = state["archs"], state["gains"], state["violations"]
    if not len(archs):
        return []
    try:
        space.decisions.check_codes(archs)
    except GenotypeError as error:
        raise CheckpointError(f"the state is of another search space: {error}") from error
    if gains.shape[1] != num_goals:
        raise CheckpointError(f"the state has {gains.shape[1]} goals, this controller {num_goals}")
    columns = zip(archs.tolist(), gains.tolist(), violations.tolist(), strict=True)
    return [Result(tuple(arch), tuple(of_arch), violation) for arch, of_arch, violation in columns]
