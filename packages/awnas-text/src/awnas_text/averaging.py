"""Averaged SGD: when to begin, and the running mean of the weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn


def has_stopped_improving(loss: float, past: Sequence[float], window: int) -> bool:
    """Tell whether a validation loss is above the best one of all but the last ``window`` epochs.

    Args:
        loss: Of this epoch.
        past: Of the epochs before, oldest first.
        window: Epochs that a loss may be no better for, n in the paper.

    Source: Merity et al., "Regularizing and Optimizing LSTM Language Models", ICLR 2018, algorithm 1.
    """
    return len(past) > window and loss > min(past[: len(past) - window])


class RunningMean:
    """The mean of weights over all steps since it began.

    Args:
        weights: What is averaged.

    Source: Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging", SIAM Journal on Control and
    Optimization 1992.
    """

    def __init__(self, weights: Iterable[nn.Parameter]) -> None:
        self._weights = list(weights)
        self.means = [weight.detach().clone() for weight in self._weights]
        self.steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are after a step."""
        self.steps += 1
        for mean, weight in zip(self.means, self._weights, strict=True):
            mean.add_(weight - mean, alpha=1 / self.steps)

    def load(self, means: Sequence[Tensor], steps: int) -> None:
        """Go on from there."""
        for mean, saved in zip(self.means, means, strict=True):
            mean.copy_(saved)
        self.steps = steps
