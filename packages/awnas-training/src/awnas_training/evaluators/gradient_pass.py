"""Running candidates so that their rollouts get the gradient of the relaxed decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

from awnas_core.rollout import Purpose, RelaxedRollout
from awnas_core.world import World
from awnas_torch.distributed import average_tensors
from awnas_torch.seeding import draw_seed, seeded
from awnas_training.evaluators.architecture_gradients import LossOf, direct_gradient, unrolled_gradient
from awnas_training.evaluators.losses import CandidateLoss
from awnas_training.evaluators.measuring import Trial

Order = Literal["first", "second"]


class GradientPass:
    """Stands in for the plain forward pass while candidates are measured, and leaves the gradients behind.

    Args:
        order: ``second`` looks ahead along the next step of the weights.
        loss: The loss of a candidate.
        rng: Seeds dropout.
        world: The processes whose gradients are averaged.
        train_batch: Returns the batch of the next step of the weights.
        optimizer: That takes this step.
    """

    def __init__(
        self,
        order: Order,
        loss: CandidateLoss,
        rng: np.random.Generator,
        world: World,
        train_batch: Callable[[], tuple[Any, Any]],
        optimizer: Optimizer,
    ) -> None:
        self._order = order
        self._loss = loss
        self._rng = rng
        self._world = world
        self._train_batch = train_batch
        self._optimizer = optimizer
        self._gathered: dict[RelaxedRollout, list[tuple[int, dict[str, Tensor]]]] = {}

    @torch.enable_grad()
    def __call__(self, trial: Trial, batch: tuple[Any, Any]) -> Any:
        """Return the outputs of a candidate, and take in the gradient on the batch."""
        rollout = trial.rollout
        assert isinstance(rollout, RelaxedRollout), "only relaxed decisions have a gradient"
        weights = [weight for weight in trial.network.parameters() if weight.requires_grad]
        leaves = {
            key: torch.as_tensor(value, device=weights[0].device).detach().clone().requires_grad_()
            for key, value in rollout.relaxed.items()
        }
        validation = self._loss_of(trial, batch, Purpose.PROPOSE)
        if self._order == "first":
            gradients, outputs = direct_gradient(validation, leaves, weights)
        else:
            train = self._loss_of(trial, self._train_batch(), Purpose.TRAIN_WEIGHTS)
            gradients, outputs = unrolled_gradient(
                train, validation, leaves, weights, self._optimizer, self._world
            )
        average_tensors(gradients, self._world)
        of_batch = (len(batch[1]), dict(zip(leaves, gradients, strict=True)))
        self._gathered.setdefault(rollout, []).append(of_batch)
        return outputs

    def finish(self) -> None:
        """Write the mean over all examples to ``rollout.gradient``."""
        for rollout, parts in self._gathered.items():
            total = sum(size for size, _ in parts)
            rollout.gradient = {
                key: sum(size / total * gradients[key] for size, gradients in parts) for key in parts[0][1]
            }

    def _loss_of(self, trial: Trial, batch: tuple[Any, Any], purpose: Purpose) -> LossOf:
        seed = draw_seed(
            self._rng
        )  # one for all calls: a difference of two losses has to be about the same dropout

        def loss_of(leaves: Any) -> tuple[Tensor, Any]:
            with seeded(seed):
                return self._loss(trial.network, trial.rollout, batch, purpose=purpose, leaves=leaves)

        return loss_of
