"""The trainer: the order in which a search happens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from awnas_core.component import Component
from awnas_core.rollout import Rollout
from awnas_core.run.run import Run


class Trainer(Component, ABC):
    """Runs a search."""

    @abstractmethod
    def train(self, run: Run) -> None:
        """Search until the last epoch; continues where ``run`` was interrupted."""

    @abstractmethod
    def derive(
        self, n: int, steps: int | None = None, on_result: Callable[[Rollout], None] | None = None
    ) -> list[Rollout]:
        """Return the final choice of ``n`` architectures, evaluated, best first.

        Args:
            n: How many.
            steps: Batches for each; None for the whole derive queue.
            on_result: Called with each as soon as it is evaluated.
        """
