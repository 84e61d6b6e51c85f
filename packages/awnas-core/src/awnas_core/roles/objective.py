"""The objective: what is good."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awnas_core.components import Component
from awnas_core.metrics import Accumulator, Goal, Metric
from awnas_core.rollout import Rollout


@dataclass(frozen=True, slots=True)
class Batch:
    """What an accumulator sees of one batch.

    Args:
        inputs: Model inputs.
        outputs: What the candidate returned for them.
        targets: What was wanted.
        loss: The loss of the batch where it was computed already, a detached scalar tensor; else None.
        size: Number of examples.
    """

    inputs: Any
    outputs: Any
    targets: Any
    loss: Any = None
    size: int = 1


class Objective(Component, ABC):
    """Defines the loss to train on, the metrics to report and the reward to search by."""

    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """Return every metric this objective reports, in order."""

    @abstractmethod
    def get_loss(
        self,
        inputs: Any,
        outputs: Any,
        targets: Any,
        *,
        candidate: Any = None,
        rollout: Rollout | None = None,
        purpose: str = "train-weights",
    ) -> Any:
        """Return the loss of a batch, a scalar tensor, lower is better; None where nothing can be trained on it.

        ``purpose`` tells regularisation of the weights (``train-weights``) from that of the controller (``propose``).
        """

    def accumulators(self) -> dict[str, Accumulator]:
        """Return a fresh accumulator for each metric of scope ``data``; each is updated with a :class:`Batch`."""
        return {}

    def measure(self, rollout: Rollout) -> dict[str, float]:
        """Return the metrics of scope ``architecture``, before any data is seen."""
        return {}

    def goals(self) -> tuple[Goal, ...]:
        """Return what to improve when the config states no goals: the first metric."""
        first = self.metrics()[0]
        return (Goal(metric=first.name, direction=first.direction),)

    def reward(self, perf: Mapping[str, float], goals: tuple[Goal, ...] | None = None) -> float:
        """Return one number from all metrics; larger is better: the weighted sum of the goals' gains."""
        return sum(
            goal.coefficient * goal.gain(perf[goal.metric])
            for goal in (goals or self.goals())
            if goal.metric in perf
        )
