"""The cost of an architecture as something to keep small."""

from __future__ import annotations

from typing import Any

from awnas_core.metrics import Metric
from awnas_core.roles.objective import Objective
from awnas_core.roles.search_space import SearchSpace
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Rollout
from awnas_training.objectives.costs import ArchitectureCosts


class FlopsObjective(Objective):
    """Reports floating-point operations, multiply-adds (half as many) and parameters for one example.

    There is no loss: beside an objective that has one, in a ``container``, weights can be trained too.
    """

    def __init__(self, search_space: SearchSpace, weights_manager: WeightsManager | None = None) -> None:
        self._costs = ArchitectureCosts(search_space, weights_manager)

    def metrics(self) -> tuple[Metric, ...]:
        """Return flops, macs and params, all known before any data is seen."""
        return (
            Metric("flops", "min", "FLOP", "architecture"),
            Metric("macs", "min", "MAC", "architecture"),
            Metric("params", "min", "", "architecture"),
        )

    def get_loss(self, inputs: Any, outputs: Any, targets: Any, **context: Any) -> None:
        """Return nothing: the cost depends on no weight."""
        return None

    def measure(self, rollout: Rollout) -> dict[str, float]:
        """Return all three."""
        cost = self._costs.of(rollout)
        return {"flops": cost.flops, "macs": cost.macs, "params": cost.params}
