"""The cost on a device as something to keep small, or within a budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from awnas_core.errors import ConfigError
from awnas_core.layers import LayerSpec
from awnas_core.metrics import Constraint, Metric
from awnas_core.roles.objective import Objective
from awnas_core.roles.search_space import SearchSpace
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.rollout import Arch, RelaxedRollout, Rollout, broken_constraints
from awnas_hardware.devices import counted, open_model

REMEMBERED = 100_000
DRAWS, STEPS = 50, 100
"""Random architectures, then steps downhill from the cheapest, that look for one within the budget."""


class HardwareObjective(Objective):
    """Reports what a cost model predicts of an architecture, before any data is seen.

    A constraint on it that no architecture can keep is refused before anything is trained. There is no loss: beside an
    objective that has one, in a ``container``, weights can be trained too.

    Args:
        model: A device of ``awnas hw devices``, or a file of ``awnas hw genmodel``.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        weights_manager: WeightsManager | None = None,
        constraints: tuple[Constraint, ...] = (),
        *,
        model: str,
    ) -> None:
        self._space, self._source = search_space, weights_manager or search_space
        self.device_model = open_model(model)
        self.metric = self.device_model.metric
        self._known: dict[Arch, float] = {}
        own = [constraint for constraint in constraints if constraint.metric == self.metric]
        if own:
            self._check_budget(own, rng)

    def metrics(self) -> tuple[Metric, ...]:
        """Return the one that the model predicts."""
        return (Metric(self.metric, "min", self.device_model.unit, "architecture"),)

    def get_loss(self, inputs: Any, outputs: Any, targets: Any, **context: Any) -> None:
        """Return nothing: the cost depends on no weight."""
        return None

    def measure(self, rollout: Rollout) -> dict[str, float]:
        """Return the predicted cost; of a relaxed architecture, that of its most likely one.

        Raises: MissingPrimitiveError when the model does not know a primitive of it.
        """
        return {self.metric: self._cost(rollout)}

    def _cost(self, rollout: Rollout) -> float:
        """Return the cost, worked out once for each architecture."""
        if rollout.arch not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[rollout.arch] = self._predicted(rollout)
        return self._known[rollout.arch]

    def _predicted(self, rollout: Rollout) -> float:
        discrete = rollout.discretize() if isinstance(rollout, RelaxedRollout) else rollout
        return self.device_model.cost(counted(self.device_model, discrete, self._layers))

    def _layers(self, rollout: Rollout) -> list[LayerSpec]:
        if layers := self._source.layers(rollout):
            return layers
        raise ConfigError(
            f"{type(self._source).__name__} does not say which layers an architecture has, so its cost is unknown; "
            "name a network with 'weights_manager_type'"
        )

    def _check_budget(self, constraints: list[Constraint], rng: np.random.Generator) -> None:
        """Look for one architecture that keeps the bounds.

        Raises: ConfigError with the nearest cost that was seen.
        """
        nearest: Rollout | None = None
        for number in range(DRAWS + STEPS):
            if nearest is None or number < DRAWS:
                rollout = self._space.random_sample(rng)
            else:
                rollout = self._space.mutate(nearest, rng)
            if not broken_constraints(constraints, self.measure(rollout)):
                return
            if nearest is None or self._excess(constraints, rollout) < self._excess(constraints, nearest):
                nearest = rollout
        assert nearest is not None, "there was at least one draw"
        broken = "; ".join(broken_constraints(constraints, self.measure(nearest)))
        raise ConfigError(
            f"no architecture keeps the budget on {self.device_model.name}: of {DRAWS + STEPS} the nearest has {broken}"
        )

    def _excess(self, constraints: list[Constraint], rollout: Rollout) -> float:
        return sum(constraint.violation(self.measure(rollout)) for constraint in constraints)
