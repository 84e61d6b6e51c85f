"""What controllers with parameters have in common: an optimizer, its schedule, and the perf they learn from."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import nn
from torch.optim import Optimizer

from awnas_core.errors import ConfigError
from awnas_core.roles.controller import Controller
from awnas_core.rollout import Rollout
from awnas_torch.optim import ScheduledOptimizer, optimizer_has

ADAM = {"type": "Adam", "lr": 0.001}


class LearningController(Controller):
    """A controller that moves parameters of its own by an optimizer."""

    @abstractmethod
    def learnable(self) -> Iterable[nn.Parameter]:
        """Return the parameters."""

    def configure_optimizer(
        self,
        optimizer: Mapping[str, Any] | None,
        scheduler: Mapping[str, Any] | None = None,
        *,
        perf_name: str = "reward",
    ) -> None:
        """Take another optimizer than Adam with a learning rate of 0.001; None stops the learning.

        The scheduler moves on after each epoch; ``ReduceLROnPlateau`` is told the mean perf of the epoch, so give it
        ``mode: max``.
        """
        self.scheduled = ScheduledOptimizer(_fused(optimizer), scheduler, self.learnable())
        self.perf_name = perf_name
        self._perfs: list[float] = []  # of this epoch

    @property
    def optimizer(self) -> Optimizer | None:
        """What moves the parameters."""
        return self.scheduled.optimizer

    def on_epoch_end(self, epoch: int) -> None:
        """Move the learning rate on."""
        super().on_epoch_end(epoch)
        self.scheduled.schedule(float(np.mean(self._perfs)) if self._perfs else None)
        self._perfs = []

    def note_perf(self, rollout: Rollout) -> float | None:
        """Return what an evaluated rollout is worth, None where there is nothing to learn from.

        Raises: ConfigError when an evaluation that went well lacks the perf to learn from.
        """
        if rollout.status == "pending":
            raise ValueError(f"{rollout} is not evaluated yet; step takes evaluated rollouts")
        perf = rollout.perf
        if rollout.status == "ok" and self.perf_name not in perf:
            raise ConfigError(
                f"the controller is to learn from '{self.perf_name}', but only {', '.join(perf) or 'nothing'} was "
                "measured; set trainer_cfg.perf_name to one of these"
            )
        value = perf.get(self.perf_name, math.nan)
        if rollout.status == "failed" or not math.isfinite(value):
            return None
        self._perfs.append(value)
        return value


def _fused(optimizer: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return settings by which one call moves all parameters, where there is a choice: they are many and small."""
    chosen = ("fused", "foreach", "differentiable", "capturable")
    if not optimizer or not optimizer_has(optimizer.get("type"), "fused"):
        return optimizer
    return optimizer if any(option in optimizer for option in chosen) else {**optimizer, "fused": True}
