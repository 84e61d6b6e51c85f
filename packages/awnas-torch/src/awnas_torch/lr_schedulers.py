"""Learning-rate schedulers that torch lacks, each a closed form of the step counter e = 0, 1, …"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from awnas_core.errors import ConfigError


class _ClosedForm(LRScheduler, ABC):
    """Sets every group's rate to ``rate(base, e)``; knows nothing of the rate before."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        super().__init__(optimizer, last_epoch)

    @abstractmethod
    def rate(self, base: float, e: int) -> float:
        """Return the rate of step ``e`` of a group that begins with ``base``."""

    def get_lr(self) -> list[Any]:
        """Return the rates of the current step."""
        return [self.rate(float(base), self.last_epoch) for base in self.base_lrs]


class CosineWithRestarts(_ClosedForm):
    """η_min + (η − η_min)/2 · (1 + cos(π c/L)), restarting with ever longer cycles.

    Args:
        optimizer: Its rates are set.
        t_0: Length of the first cycle, in steps; also written ``T_0``.
        eta_min: Rate at the end of a cycle.
        factor: Cycle k is ``int(t_0 · factor^k)`` steps long.
        base_lr_factor: The base rate is multiplied by this at each restart.

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, eq. 5.
    """

    warmup_epochs = 0

    def __init__(
        self,
        optimizer: Optimizer,
        t_0: int | None = None,
        eta_min: float = 0.0,
        factor: float = 1.0,
        base_lr_factor: float = 1.0,
        last_epoch: int = -1,
        T_0: int | None = None,
    ) -> None:
        length = t_0 if t_0 is not None else T_0
        if length is None or (t_0 is not None and T_0 is not None):
            raise ConfigError("give the length of the first cycle as t_0 (or T_0)")
        if length < 1 or factor < 1:
            raise ConfigError(f"t_0 must be at least 1 and factor at least 1, got {length} and {factor}")
        self.t_0, self.eta_min, self.factor, self.base_lr_factor = length, eta_min, factor, base_lr_factor
        super().__init__(optimizer, last_epoch)

    def cycle(self, e: int) -> tuple[int, int, int]:
        """Return (number of the cycle, step within it, its length)."""
        number = 0
        length = self.t_0
        while e >= length:
            e -= length
            number += 1
            length = int(self.t_0 * self.factor**number)
        return number, e, length

    def rate(self, base: float, e: int) -> float:
        """Return the rate of step ``e``."""
        number, step, length = self.cycle(e)
        peak = base * self.base_lr_factor**number
        if step < self.warmup_epochs:
            return peak * (step + 1) / self.warmup_epochs
        return self.eta_min + (peak - self.eta_min) / 2 * (1 + math.cos(math.pi * step / length))


class WarmupCosineWithRestarts(CosineWithRestarts):
    """As :class:`CosineWithRestarts`, but every cycle begins with a linear ramp of ``warmup_epochs`` steps."""

    def __init__(
        self,
        optimizer: Optimizer,
        t_0: int | None = None,
        warmup_epochs: int = 0,
        eta_min: float = 0.0,
        factor: float = 1.0,
        base_lr_factor: float = 1.0,
        last_epoch: int = -1,
        T_0: int | None = None,
    ) -> None:
        self.warmup_epochs = warmup_epochs
        super().__init__(optimizer, t_0, eta_min, factor, base_lr_factor, last_epoch, T_0)


class ExpDecay(_ClosedForm):
    """max(η_min, η · γ^⌊(e − start)/every⌋); the base rate before ``start_epoch``."""

    def __init__(
        self,
        optimizer: Optimizer,
        gamma: float,
        every: int = 1,
        start_epoch: int = 0,
        eta_min: float | None = None,
        last_epoch: int = -1,
    ) -> None:
        if every < 1:
            raise ConfigError(f"every must be at least 1, got {every}")
        self.gamma, self.every, self.start_epoch, self.eta_min = gamma, every, start_epoch, eta_min or 0.0
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, e: int) -> float:
        """Return the rate of step ``e``."""
        return max(self.eta_min, base * self.gamma ** (max(0, e - self.start_epoch) // self.every))


class WarmupCosineAnnealingLR(_ClosedForm):
    """A linear ramp from 0 over ``warmup_epochs`` steps, then half a cosine of ``T_max`` steps down to ``eta_min``.

    With ``every`` above 1 the ramp rises only every so many steps. After the half cosine the rate stays at ``eta_min``.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        warmup_epochs: int,
        every: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_max < 1 or every < 1 or warmup_epochs < 0:
            raise ConfigError("T_max and every must be at least 1, warmup_epochs at least 0")
        self.T_max, self.warmup_epochs, self.every, self.eta_min = T_max, warmup_epochs, every, eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, base: float, e: int) -> float:
        """Return the rate of step ``e``."""
        if e < self.warmup_epochs:
            return base * (e // self.every) / max(1, self.warmup_epochs // self.every)
        step = min(e - self.warmup_epochs, self.T_max)
        return self.eta_min + (base - self.eta_min) / 2 * (1 + math.cos(math.pi * step / self.T_max))
