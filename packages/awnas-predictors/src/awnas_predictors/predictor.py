"""The predictor: what architectures should reach, learned from those that were measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from awnas_core.components import Component
from awnas_core.decisions import Codes

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is expected of architectures.

    Args:
        mean: Expected value of each, larger is better, shape ``(B,)``.
        deviation: Standard deviation of what is known about it, noise of measurements left out, shape ``(B,)``; 0
            where the predictor does not know how sure it is.
    """

    mean: Floats
    deviation: Floats


class Predictor(Component, ABC):
    """Learns what architectures are worth, and says so of others.

    It has no state: what it predicts follows from the architectures it was fitted to and the generator it was handed,
    so that a search which is resumed fits it again.
    """

    knows_deviation: ClassVar[bool] = True
    """Whether deviations mean anything."""

    @abstractmethod
    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Forget everything and learn from architectures that were measured.

        Args:
            codes: A row of codes of decisions for each architecture, shape ``(B, D)``.
            targets: What was measured, larger is better, in any unit, shape ``(B,)``.
            rng: Where every draw comes from.
        """

    @abstractmethod
    def predict(self, codes: Codes) -> Prediction:
        """Return what is expected of architectures, shape ``(B, D)``."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How measured values are brought to mean 0 and deviation 1, and back.

    Args:
        mean: Their mean.
        deviation: Their standard deviation, 1 where they are all equal.
    """

    mean: float
    deviation: float

    @classmethod
    def of(cls, values: Floats) -> Scale:
        """Return the scale of values, shape ``(B,)``."""
        return cls(float(values.mean()), float(values.std()) or 1.0)

    def scaled(self, values: Floats) -> Floats:
        """Return values at mean 0 and deviation 1."""
        return np.asarray((values - self.mean) / self.deviation)

    def restored(self, mean: Floats, deviation: Floats) -> Prediction:
        """Return a prediction of scaled values in the unit of the values."""
        return Prediction(self.mean + self.deviation * mean, self.deviation * deviation)
