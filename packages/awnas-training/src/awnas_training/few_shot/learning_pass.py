"""Running candidates so that weights, and relaxed decisions with them, get the gradient of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.rollout import Purpose, RelaxedRollout
from awnas_torch.seeding import seeded
from awnas_training.evaluators.losses import CandidateLoss
from awnas_training.evaluators.measuring import Trial
from awnas_training.few_shot.episodes import Examples
from awnas_training.few_shot.meta_optimizer import Gradients


class LearningPass:
    """Stands in for the plain forward pass of a measurement, and gathers gradients.

    Args:
        loss: The loss of a candidate.
        rng: Seeds dropout.
        purpose: What the loss is for.
        of_decisions: Leave the gradient of relaxed decisions on the rollouts, the sum over all batches.
    """

    def __init__(
        self, loss: CandidateLoss, rng: np.random.Generator, purpose: Purpose, *, of_decisions: bool
    ) -> None:
        self._loss, self._rng, self._purpose, self._of_decisions = loss, rng, purpose, of_decisions
        self._gathered: dict[nn.Parameter, list[Tensor]] = {}

    @torch.enable_grad()
    def __call__(self, trial: Trial, examples: Examples) -> Any:
        """Return the outputs of a candidate, and take in the gradients."""
        weights = [weight for weight in trial.network.parameters() if weight.requires_grad]
        leaves = self._leaves(trial, weights[0].device)
        with seeded(self._rng):
            loss, outputs = self._loss(
                trial.network, trial.rollout, examples, purpose=self._purpose, leaves=leaves
            )
        wanted = [*weights, *(leaves or {}).values()]
        slopes = torch.autograd.grad(loss, wanted, allow_unused=True)
        for weight, slope in zip(weights, slopes, strict=False):
            if slope is not None:
                self._gathered.setdefault(weight, []).append(slope)
        if leaves:
            self._leave(trial, dict(zip(leaves, slopes[len(weights) :], strict=True)))
        return outputs.detach()

    @property
    def gradients(self) -> Gradients:
        """For each weight that was used the mean over the candidates that used it."""
        return {weight: torch.stack(slopes).mean(0) for weight, slopes in self._gathered.items()}

    def _leaves(self, trial: Trial, device: torch.device) -> dict[str, Tensor] | None:
        if not self._of_decisions or not isinstance(trial.rollout, RelaxedRollout):
            return None
        return {
            key: torch.as_tensor(value, device=device).detach().clone().requires_grad_()
            for key, value in trial.rollout.relaxed.items()
        }

    def _leave(self, trial: Trial, slopes: dict[str, Tensor | None]) -> None:
        rollout = trial.rollout
        assert isinstance(rollout, RelaxedRollout), "only relaxed decisions have leaves"
        before = rollout.gradient or {}
        given = {
            key: torch.zeros_like(torch.as_tensor(rollout.relaxed[key])) if slope is None else slope
            for key, slope in slopes.items()
        }
        rollout.gradient = {key: slope + before.get(key, 0) for key, slope in given.items()}
