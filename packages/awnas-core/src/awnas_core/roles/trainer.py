"""The trainer: the order in which a search happens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from awnas_core.components import Component
from awnas_core.rollout import Arch, Evaluation, Rollout
from awnas_core.run.run import Run


class Trainer(Component, ABC):
    """Runs a search."""

    @abstractmethod
    def train(self, run: Run) -> None:
        """Search until the last epoch; continues where ``run`` was interrupted."""

    @abstractmethod
    def derive(
        self,
        n: int | None = None,
        steps: int | None = None,
        *,
        known: Mapping[Arch, Evaluation] | None = None,
        on_result: Callable[[Rollout], None] | None = None,
    ) -> list[Rollout]:
        """Return the final choice of ``n`` architectures, evaluated, best first.

        Args:
            n: How many; None for the trainer's own number.
            steps: Batches for each; None for the whole derive queue.
            known: Evaluations to take over instead of measuring again.
            on_result: Called with each as soon as it is evaluated.
        """
