"""Pairs of architectures, drawn by another controller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awnas_core.errors import ConfigError
from awnas_core.options import Child
from awnas_core.pairs import CompareRollout
from awnas_core.roles.controller import Controller
from awnas_core.rollout import Purpose, Rollout


class PairsController(Controller):
    """Proposes pairs of what an inner controller proposes, and lets it learn from both.

    Weights are trained with, and the final choice is, single architectures of the inner controller.

    Args:
        inner_controller: Where the architectures come from; one of discrete architectures.
    """

    def __init__(
        self, *, inner_controller: Controller = Child("controller", "random-sample", own_rollouts=True)
    ) -> None:
        if inner_controller.wants_gradient is not None:
            raise ConfigError("pairs are of discrete architectures; inner_controller is one of relaxed ones")
        self.inner_controller = inner_controller

    def sample(self, n: int, purpose: Purpose = Purpose.PROPOSE) -> list[Rollout]:
        """Return ``n`` pairs to learn from; for other purposes ``n`` architectures."""
        if purpose is not Purpose.PROPOSE:
            return self.inner_controller.sample(n, purpose)
        members = self.inner_controller.sample(2 * n, purpose)
        return [CompareRollout(a, b) for a, b in zip(members[::2], members[1::2], strict=True)]

    def step(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Let the inner controller learn from the members."""
        return self.inner_controller.step([r for r in _members(rollouts) if r.status != "pending"])

    def configure_optimizer(
        self,
        optimizer: Mapping[str, Any] | None,
        scheduler: Mapping[str, Any] | None = None,
        *,
        perf_name: str = "reward",
    ) -> None:
        """Hand the settings to the inner controller."""
        self.inner_controller.configure_optimizer(optimizer, scheduler, perf_name=perf_name)

    def summary(self, rollouts: Sequence[Rollout]) -> dict[str, float]:
        """Return what the inner controller says about the members."""
        return self.inner_controller.summary(_members(rollouts))

    def state(self) -> dict[str, Any]:
        """Return the state of the inner controller."""
        return {"inner": self.inner_controller.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.inner_controller.load_state(state["inner"])


def _members(rollouts: Sequence[Rollout]) -> list[Rollout]:
    pairs = [rollout.pair if isinstance(rollout, CompareRollout) else (rollout,) for rollout in rollouts]
    return [member for pair in pairs for member in pair]
