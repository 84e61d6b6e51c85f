"""What controllers with parameters have in common: an optimizer, its schedule, and the perf they learn from."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import nn

from awnas_core.errors import ConfigError
from awnas_core.roles.controller import Controller
from awnas_core.rollout import Rollout
from awnas_torch.optim import build_optimizer, build_scheduler, scheduler_state, step_scheduler

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
        self.optimizer = build_optimizer(optimizer, self.learnable())
        self.scheduler = build_scheduler(scheduler, self.optimizer)
        self.perf_name = perf_name
        self._perfs: list[float] = []  # of this epoch

    def on_epoch_end(self, epoch: int) -> None:
        """Move the learning rate on."""
        super().on_epoch_end(epoch)
        step_scheduler(self.scheduler, float(np.mean(self._perfs)) if self._perfs else None)
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

    def optimizer_state(self) -> dict[str, Any]:
        """Return the states of optimizer and scheduler."""
        return {
            "optimizer": copy.deepcopy(self.optimizer.state_dict()) if self.optimizer else None,
            "scheduler": scheduler_state(self.scheduler),
        }

    def load_optimizer_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for part, of_part in ((self.optimizer, state["optimizer"]), (self.scheduler, state["scheduler"])):
            if part is not None and of_part is not None:
                part.load_state_dict(copy.deepcopy(of_part))
