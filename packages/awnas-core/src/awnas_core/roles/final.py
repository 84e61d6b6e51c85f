"""Training one found architecture for real: the final model and its trainer."""

from __future__ import annotations

from abc import ABC, abstractmethod

from awnas_core.components import Component
from awnas_core.layers import LayerSpec
from awnas_core.run.run import Run


class FinalModel(Component, ABC):
    """A network built from one genotype; also a ``torch.nn.Module``."""

    @abstractmethod
    def layers(self) -> list[LayerSpec]:
        """Return the layers, counted without running on data; an auxiliary head is left out."""


class FinalTrainer(Component, ABC):
    """Trains a final model from scratch."""

    @abstractmethod
    def train(self, run: Run) -> None:
        """Train until the last epoch; continues where ``run`` was interrupted."""

    @abstractmethod
    def evaluate_split(self, split: str) -> dict[str, float]:
        """Return every metric of the model on a split of the data set."""
