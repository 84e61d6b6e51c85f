"""Training the shared weights: averaged gradients, clipping, the optimizer and its schedule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from awnas_core.metrics import Mean
from awnas_core.options import OptimizerCfg, SchedulerCfg
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.world import World
from awnas_torch.distributed import average_gradients
from awnas_torch.optim import ScheduledOptimizer


class WeightsOptimizer:
    """Moves the weights of a supernet by gradients of several candidates.

    Args:
        weights_manager: A module.
        optimizer: ``{"type": …}``.
        scheduler: ``{"type": …}``, or None.
        every_batch: Step the scheduler after every batch, not after every epoch.
        world: The processes whose gradients are averaged.
    """

    def __init__(
        self,
        weights_manager: WeightsManager,
        optimizer: OptimizerCfg,
        scheduler: SchedulerCfg | None,
        *,
        every_batch: bool,
        world: World,
    ) -> None:
        assert isinstance(weights_manager, nn.Module), "shared weights live in a module"
        self._cfg = dict(optimizer), scheduler
        self._weights_manager = weights_manager
        self._scheduled = ScheduledOptimizer(optimizer, scheduler, weights_manager.parameters())
        group = self.optimizer.param_groups[0]
        self._first_lr: float = group.get("initial_lr", group["lr"])  # a schedule may have changed it already
        self._every_batch = every_batch
        self._world = world
        self._gradients: dict[nn.Parameter, tuple[Tensor, int]] = {}  # sum, number of candidates
        self._epoch_loss = Mean()

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer itself."""
        assert self._scheduled.optimizer is not None, "the option is not optional"
        return self._scheduled.optimizer

    def add(self, network: nn.Module, loss: Tensor) -> None:
        """Take in the gradient of a candidate's loss; what the candidate does not use has none."""
        weights = list(network.parameters())
        for weight, gradient in zip(
            weights, torch.autograd.grad(loss, weights, allow_unused=True), strict=True
        ):
            if gradient is not None:
                total, count = self._gradients.get(weight, (None, 0))
                self._gradients[weight] = (gradient if total is None else total + gradient, count + 1)

    def step(self, loss: Tensor) -> None:
        """Move every weight by the mean of its gradients, over the candidates that have one, and forget them.

        Args:
            loss: The mean loss, for schedulers that look at it.
        """
        active = list(self._gradients)
        for weight, (total, count) in self._gradients.items():
            weight.grad = total / count if count > 1 else total
        self._gradients.clear()
        average_gradients(active, self._world)
        if self._weights_manager.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(active, self._weights_manager.max_grad_norm)
        self._scheduled.step()
        for weight in active:
            weight.grad = None
        self._epoch_loss.update((loss, 1))
        if self._every_batch:
            self._step_scheduler()

    def restart(self, lr_factor: float) -> None:
        """Begin anew: no momentum, the schedule at its start, the first learning rate divided by ``lr_factor``."""
        optimizer, scheduler = self._cfg
        optimizer = {**optimizer, "lr": self._first_lr / lr_factor}
        self._scheduled = ScheduledOptimizer(optimizer, scheduler, self._weights_manager.parameters())
        self._epoch_loss = Mean()

    def end_epoch(self) -> None:
        """Step the scheduler, where that is due after every epoch."""
        if not self._every_batch:
            self._step_scheduler()

    def state(self) -> dict[str, Any]:
        """Return the states of optimizer and scheduler; the weights are not included."""
        return self._scheduled.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._scheduled.load_state(state)

    def _step_scheduler(self) -> None:
        mean = self._epoch_loss.compute()
        self._scheduled.schedule(None if math.isnan(mean) else mean)
        self._epoch_loss = Mean()
