"""Surrogate steps: a candidate is trained a little before it is measured, and the shared weights are put back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from awnas_core.errors import ConfigError
from awnas_core.options import NonNegativeInt, OptimizerCfg, SchedulerCfg
from awnas_core.rollout import Rollout
from awnas_core.world import World
from awnas_torch.distributed import average_gradients
from awnas_torch.optim import ScheduledOptimizer
from awnas_torch.recalibrate import batch_statistics
from awnas_torch.seeding import seeded
from awnas_training.evaluators.losses import CandidateLoss
from awnas_training.evaluators.virtual_weights import weights_replaced

StepCount = NonNegativeInt | tuple[NonNegativeInt, ...]
"""A number, or several of which one is drawn for each call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surrogate:
    """How candidates are trained before they are measured.

    Args:
        controller_steps: Steps before proposals are measured, or their gradient is taken; of a list one is drawn for
            each call.
        weights_steps: Steps before the gradient of the shared weights is taken; likewise.
        derive_steps: Steps before the final choice is measured; None for the most of ``controller_steps``.
        optimizer: Takes the steps, anew for each candidate.
        scheduler: Its learning-rate scheduler, stepped after every epoch.
        same_data: All architectures of a call are trained on the same batches.
        own_queue: Take the batches from a queue of its own, the first of ``data_portion``; else from that of the
            weights.
    """

    controller_steps: StepCount = 0
    weights_steps: StepCount = 0
    derive_steps: StepCount | None = None
    optimizer: OptimizerCfg = field(default_factory=lambda: {"type": "SGD", "lr": 0.001})
    scheduler: SchedulerCfg | None = None
    same_data: bool = False
    own_queue: bool = False

    def __post_init__(self) -> None:
        if not self.optimizer:
            raise ConfigError(
                "the optimizer of surrogate steps must be given, such as {type: SGD, lr: 0.001}"
            )
        for name in ("controller_steps", "weights_steps", "derive_steps"):
            if getattr(self, name) == ():
                raise ConfigError(f"{name} lists no number to draw")


class SurrogateTraining:
    """Trains candidates for a few steps on weights of their own.

    Args:
        settings: How.
        weights: All shared weights.
        loss: The loss of a candidate.
        next_batch: Returns the next batch, on the device.
        rng: Draws numbers of steps, and seeds dropout.
        world: The processes whose gradients are averaged.
    """

    def __init__(
        self,
        settings: Surrogate,
        weights: Iterable[nn.Parameter],
        loss: CandidateLoss,
        next_batch: Callable[[], tuple[Any, Any]],
        rng: np.random.Generator,
        world: World,
    ) -> None:
        self._same_data = settings.same_data
        self._loss = loss
        self._next_batch = next_batch
        self._rng = rng
        self._world = world
        self._optimizer = ScheduledOptimizer(settings.optimizer, settings.scheduler, weights)

    def lessons(self, steps: StepCount, candidates: int) -> list[list[tuple[Any, Any]]]:
        """Return the batches for each candidate, the same number for all, which may be drawn here."""
        count = steps if isinstance(steps, int) else int(self._rng.choice(steps))
        if self._same_data:
            return [[self._next_batch() for _ in range(count)]] * candidates
        return [[self._next_batch() for _ in range(count)] for _ in range(candidates)]

    @contextmanager
    def trained(
        self, network: nn.Module, rollout: Rollout, batches: Sequence[tuple[Any, Any]]
    ) -> Iterator[None]:
        """Within the block a candidate has been trained on ``batches``; afterwards its weights are as before.

        Running statistics do not move, and momentum starts anew for each candidate.
        """
        weights = [weight for weight in network.parameters() if weight.requires_grad] if batches else []
        with weights_replaced(weights, [weight.data.clone() for weight in weights]):
            for batch in batches:
                self._step(network, rollout, weights, batch)
            self._optimizer.forget()
            yield

    def end_epoch(self) -> None:
        """Step the scheduler."""
        self._optimizer.schedule()

    def state(self) -> dict[str, Any]:
        """Return the states of optimizer and scheduler."""
        return self._optimizer.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._optimizer.load_state(state)

    @torch.enable_grad()
    def _step(
        self, network: nn.Module, rollout: Rollout, weights: Sequence[nn.Parameter], batch: tuple[Any, Any]
    ) -> None:
        with batch_statistics(network, training=True), seeded(self._rng):
            loss, _ = self._loss(network, rollout, batch)
        for weight, gradient in zip(
            weights, torch.autograd.grad(loss, weights, allow_unused=True), strict=True
        ):
            weight.grad = gradient
        average_gradients(weights, self._world)
        self._optimizer.step()
        for weight in weights:
            weight.grad = None
