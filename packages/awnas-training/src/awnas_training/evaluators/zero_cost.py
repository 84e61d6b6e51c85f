"""Evaluation without data passes or training: an architecture is worth what its objective knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint, Goal
from awnas_core.options import PositiveInt
from awnas_core.pairs import takes_pairs
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.objective import Objective
from awnas_core.rollout import Purpose, Rollout
from awnas_core.world import World
from awnas_training.evaluators.agreement import refuse_disagreement
from awnas_training.evaluators.measuring import Measurer


class ZeroCostEvaluator(Evaluator):
    """Reports the metrics of an objective that belong to the architecture: zero-cost proxies, parameters, FLOPs.

    Nothing is ever trained.

    Args:
        controller_steps: Controller steps of an epoch that it suggests.

    Raises: ConfigError for an objective that has metrics on data.
    """

    def __init__(
        self,
        objective: Objective,
        goals: tuple[Goal, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        world: World = World(),
        *,
        controller_steps: PositiveInt = 100,
    ) -> None:
        if on_data := [metric.name for metric in objective.metrics() if metric.scope != "architecture"]:
            raise ConfigError(
                f"{', '.join(on_data)} can only be measured on data, which this evaluator does without; take an "
                "objective such as zero-shot or flops, or another evaluator"
            )
        self._measurer = Measurer(objective, goals, constraints, world)
        self._world = world
        self._controller_steps = controller_steps

    @takes_pairs
    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Record an evaluation on each; neither ``purpose`` nor ``steps`` make a difference.

        Raises: ConfigError when a gradient is wanted: there is none.
        """
        if gradient is not None:
            raise ConfigError("proxies have no gradients; take a controller of discrete architectures")
        refuse_disagreement(rollouts, self._world)
        for rollout in rollouts:
            costs = self._measurer.screen(rollout)
            if rollout.status == "pending":
                rollout.record(self._measurer.evaluation(dict(costs), None, {"batches": 0}))
        return list(rollouts)

    def suggested_controller_steps(self) -> int:
        """Return the number given."""
        return self._controller_steps
