"""Rejection sampling: another controller's proposals, without those that are not wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awnas_controllers.rejection.rejectors import Rejector
from awnas_core.errors import SpaceExhaustedError
from awnas_core.options import Child, PositiveInt
from awnas_core.roles.controller import Controller
from awnas_core.rollout import Purpose, Rollout


class RejectionSampleController(Controller):
    """Asks a base sampler until enough of its architectures are accepted; it learns from them as ever.

    The final choice is that of the base sampler.

    Args:
        base_sampler: Where architectures come from.
        rejector: What decides on them.
        maximum_sample_threshold: Times that the base sampler is asked to replace what was rejected.
        accept_when_reaching_threshold: After as many times take what is there; otherwise that is an error.
    """

    def __init__(
        self,
        *,
        base_sampler: Controller = Child("controller", "random-sample"),
        rejector: Rejector = Child("rejector", "canonical-table"),
        maximum_sample_threshold: PositiveInt = 1000,
        accept_when_reaching_threshold: bool = False,
    ) -> None:
        self.base_sampler = base_sampler
        self.rejector = rejector
        self.maximum_sample_threshold = maximum_sample_threshold
        self.accept_when_reaching_threshold = accept_when_reaching_threshold

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Return ``n`` architectures that are accepted.

        Raises: SpaceExhaustedError when too few are accepted.
        """
        if purpose is Purpose.DERIVE:
            return self.base_sampler.sample(n, purpose)
        accepted: list[Rollout] = []
        rejected: list[Rollout] = []
        for _ in range(self.maximum_sample_threshold):
            missing = n - len(accepted)
            if missing == 0:
                break
            rejected = []
            for rollout in self.base_sampler.sample(missing, purpose):
                (accepted if self.rejector.accepts(rollout) else rejected).append(rollout)
        if len(accepted) < n and not self.accept_when_reaching_threshold:
            raise SpaceExhaustedError(
                f"{len(accepted)} of {n} architectures were accepted in {self.maximum_sample_threshold} rounds; raise "
                "maximum_sample_threshold, or set accept_when_reaching_threshold to true"
            )
        return [*accepted, *rejected]

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Let the base sampler learn."""
        return self.base_sampler.step(rollouts)

    def summary(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Return what the base sampler says."""
        return self.base_sampler.summary(rollouts)

    def configure_optimizer(
        self,
        optimizer: Mapping[str, Any] | None,
        scheduler: Mapping[str, Any] | None = None,
        *,
        perf_name: str = "reward",
    ) -> None:
        """Hand the settings on to the base sampler."""
        self.base_sampler.configure_optimizer(optimizer, scheduler, perf_name=perf_name)

    def state(self) -> dict[str, Any]:
        """Return the states of base sampler and rejector."""
        return {"base_sampler": self.base_sampler.state(), "rejector": self.rejector.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.base_sampler.load_state(state["base_sampler"])
        self.rejector.load_state(state["rejector"])
