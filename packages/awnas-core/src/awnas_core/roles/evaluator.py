"""The evaluator: how good an architecture is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

from awnas_core.components import Component
from awnas_core.roles.controller import Controller
from awnas_core.rollout import Purpose, Rollout


class Evaluator(Component, ABC):
    """Measures architectures: with shared weights, by training, from a table, by a predictor."""

    @abstractmethod
    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Record an evaluation on every rollout and return them, in order.

        Args:
            rollouts: Fresh rollouts.
            purpose: ``PROPOSE`` may be quick and share one batch; ``DERIVE`` is careful and the same data for all.
            gradient: Fill ``rollout.gradient`` of relaxed rollouts, to this order.
            steps: Number of batches where the evaluator works in batches; None for its own choice.
        """

    def update_evaluator(self, controller: Controller) -> dict[str, float]:
        """Train the evaluator one step with architectures from ``controller``; return statistics.

        Does nothing by default.
        """
        return {}

    def observe(self, rollouts: Sequence[Rollout]) -> None:
        """Take notice of evaluated rollouts (evaluators that learn from evaluations do)."""

    def suggested_controller_steps(self) -> int | None:
        """Return how many controller steps make one epoch, None where nothing suggests a number."""
        return None

    def suggested_evaluator_steps(self) -> int | None:
        """Return how many evaluator steps make one epoch, None where nothing suggests a number."""
        return None

    def queue_indices(self) -> dict[str, list[int]]:
        """Return data queue → indices of its examples, to be written into the run directory; empty without data."""
        return {}
