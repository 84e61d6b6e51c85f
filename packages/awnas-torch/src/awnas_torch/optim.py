"""Optimizers and learning-rate schedulers from ``{"type": name or class, **options}``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from awnas_core.config.class_cfg import complaints
from awnas_core.errors import ConfigError, did_you_mean
from awnas_core.plugins.registry import classes_in
from awnas_torch import lr_schedulers


def build_optimizer(cfg: Mapping[str, Any] | None, params: Iterable[Any]) -> Optimizer | None:
    """Return the ``torch.optim`` optimizer that ``cfg`` describes; None for no ``cfg``.

    Raises: ConfigError for an unknown type or option.
    """
    if not cfg:
        return None
    optimizer: Optimizer = _built(cfg, "optimizer", _optimizers(), list(params))
    return optimizer


def optimizer_has(named: object, option: str) -> bool:
    """Tell whether an optimizer, a class or its name, takes ``option``; an unknown one takes none."""
    cls = named if isinstance(named, type) else _optimizers().get(str(named))
    return cls is not None and option in inspect.signature(cls).parameters


def build_scheduler(cfg: Mapping[str, Any] | None, optimizer: Optimizer | None) -> LRScheduler | None:
    """Return the scheduler that ``cfg`` describes, ours or one of torch; None without ``cfg`` or optimizer.

    Raises: ConfigError for an unknown type or option.
    """
    if not cfg or optimizer is None:
        return None
    scheduler: LRScheduler = _built(cfg, "LR scheduler", _schedulers(), optimizer)
    return scheduler


def step_scheduler(scheduler: LRScheduler | None, metric: float | None = None) -> None:
    """Move a scheduler one step on; a plateau scheduler is told ``metric``, and waits while there is none."""
    if scheduler is None:
        return
    if not isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step()
    elif metric is not None:
        scheduler.step(metric)


def scheduler_state(scheduler: LRScheduler | None) -> dict[str, Any] | None:
    """Return what a scheduler has to remember, as plain data."""
    if scheduler is None:
        return None
    state = scheduler.state_dict()
    return {name: value for name, value in state.items() if _is_plain(value)}


class ScheduledOptimizer:
    """An optimizer and its learning-rate scheduler, with one state.

    Args:
        optimizer: As for :func:`build_optimizer`.
        scheduler: As for :func:`build_scheduler`.
        params: What the optimizer moves.

    Attributes:
        optimizer: None when none was asked for.
    """

    def __init__(
        self, optimizer: Mapping[str, Any] | None, scheduler: Mapping[str, Any] | None, params: Iterable[Any]
    ) -> None:
        self.optimizer = build_optimizer(optimizer, params)
        self._scheduler = build_scheduler(scheduler, self.optimizer)

    def step(self) -> None:
        """Move the parameters by their gradients; without an optimizer they stay."""
        if self.optimizer is not None:
            self.optimizer.step()

    def forget(self) -> None:
        """Start anew with momentum and the like; the learning rate stays."""
        if self.optimizer is not None:
            self.optimizer.state.clear()

    def schedule(self, metric: float | None = None) -> None:
        """Move the learning rate on; see :func:`step_scheduler`."""
        step_scheduler(self._scheduler, metric)

    def state(self) -> dict[str, Any]:
        """Return a copy of what both have to remember; the parameters are not included."""
        return {
            "optimizer": copy.deepcopy(self.optimizer.state_dict()) if self.optimizer else None,
            "scheduler": scheduler_state(self._scheduler),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        for part, of_part in ((self.optimizer, state["optimizer"]), (self._scheduler, state["scheduler"])):
            if part is not None and of_part is not None:
                part.load_state_dict(copy.deepcopy(of_part))


def _optimizers() -> dict[str, type]:
    return classes_in(torch.optim, Optimizer)


def _schedulers() -> dict[str, type]:
    return classes_in(torch.optim.lr_scheduler, LRScheduler) | classes_in(lr_schedulers, LRScheduler)


def _built(cfg: Mapping[str, Any], what: str, known: Mapping[str, type], subject: Any) -> Any:
    """Build the class that ``cfg`` names, or holds, around ``subject``."""
    cls = cfg.get("type")
    if not isinstance(cls, type):
        if cls is None:
            raise ConfigError(f"the {what} needs a 'type', one of {', '.join(sorted(known))}")
        if cls not in known:
            hint = did_you_mean(str(cls), known) or f"; there are {', '.join(sorted(known))}"
            raise ConfigError(f"no {what} '{cls}'{hint}")
        cls = known[cls]
    for key, complaint in complaints(cls, cfg):
        raise ConfigError(f"{what} {cls.__name__}: {key}: {complaint}")
    try:
        return cls(subject, **{name: value for name, value in cfg.items() if name != "type"})
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{cls.__name__}: {error}") from error


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, list, tuple, dict))
