"""Several objectives as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awnas_core.errors import ConfigError
from awnas_core.metrics import Accumulator, Goal, Metric
from awnas_core.options import Children, NonNegativeFloat
from awnas_core.roles.objective import Objective
from awnas_core.rollout import Rollout


class ContainerObjective(Objective):
    """Reports what all its parts report; loss and reward are weighted sums of theirs.

    A metric that several parts report comes from the first of them. A part without a loss adds nothing to the sum.

    Args:
        sub_objectives: The parts.
        losses_coef: Weight of each part's loss; 1 each by default.
        rewards_coef: Weight of each part's reward, which is always better when larger; 1 each by default.
    """

    def __init__(
        self,
        *,
        sub_objectives: tuple[Objective, ...] = Children("objective"),
        losses_coef: tuple[NonNegativeFloat, ...] | None = None,
        rewards_coef: tuple[NonNegativeFloat, ...] | None = None,
    ) -> None:
        self.sub_objectives = sub_objectives
        self.losses_coef = self._coefficients("losses_coef", losses_coef)
        self.rewards_coef = self._coefficients("rewards_coef", rewards_coef)

    def metrics(self) -> tuple[Metric, ...]:
        """Return the metrics of all parts."""
        named = {metric.name: metric for part in reversed(self.sub_objectives) for metric in part.metrics()}
        order = dict.fromkeys(metric.name for part in self.sub_objectives for metric in part.metrics())
        return tuple(named[name] for name in order)

    def accumulators(self) -> dict[str, Accumulator]:
        """Return fresh accumulators of all metrics on data."""
        gathered: dict[str, Accumulator] = {}
        for part in reversed(self.sub_objectives):
            gathered |= part.accumulators()
        return gathered

    def measure(self, rollout: Rollout) -> dict[str, float]:
        """Return the costs that any part knows."""
        costs: dict[str, float] = {}
        for part in reversed(self.sub_objectives):
            costs |= part.measure(rollout)
        return costs

    def goals(self) -> tuple[Goal, ...]:
        """Return the goals of all parts, weighted; what two parts want counts twice.

        Raises: ConfigError when two parts want a metric to move in different directions.
        """
        wanted: dict[str, Goal] = {}
        for part, coefficient in zip(self.sub_objectives, self.rewards_coef, strict=True):
            for goal in part.goals() if coefficient else ():
                before = wanted.get(goal.metric)
                if before is not None and before.direction != goal.direction:
                    raise ConfigError(
                        f"two sub_objectives want '{goal.metric}' to move in different directions"
                    )
                weight = coefficient * goal.coefficient + (before.coefficient if before else 0)
                wanted[goal.metric] = Goal(metric=goal.metric, direction=goal.direction, coefficient=weight)
        return tuple(wanted.values())

    def get_loss(self, inputs: Any, outputs: Any, targets: Any, **context: Any) -> Any:
        """Return the weighted sum of the losses there are; None when there are none."""
        total = None
        for part, coefficient in zip(self.sub_objectives, self.losses_coef, strict=True):
            loss = part.get_loss(inputs, outputs, targets, **context) if coefficient else None
            if loss is not None:
                total = coefficient * loss if total is None else total + coefficient * loss
        return total

    def state(self) -> dict[str, Any]:
        """Return the states of all parts."""
        return {"sub_objectives": [part.state() for part in self.sub_objectives]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Give each part its state."""
        for part, own in zip(self.sub_objectives, state["sub_objectives"], strict=True):
            part.load_state(own)

    def _coefficients(self, name: str, given: tuple[float, ...] | None) -> tuple[float, ...]:
        count = len(self.sub_objectives)
        if given is not None and len(given) != count:
            raise ConfigError(
                f"{name} must have one number for each of the {count} sub_objectives, got {len(given)}"
            )
        return given or (1.0,) * count
