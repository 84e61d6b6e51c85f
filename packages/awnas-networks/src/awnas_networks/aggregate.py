"""Making the output of a cell from its nodes."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from awnas_core.errors import ConfigError

Aggregate = Callable[[list[Tensor]], Tensor]


def aggregation(name: str) -> Aggregate:
    """Return ``concat`` (over channels), ``sum``, ``mean`` or ``mul`` over tensors ``(N, C, H, W)``.

    Raises: ConfigError for any other name.
    """
    known: dict[str, Aggregate] = {"concat": _concat, "sum": _sum, "mean": _mean, "mul": _mul}
    if name not in known:
        raise ConfigError(f"concat_op must be one of {', '.join(known)}, got '{name}'")
    return known[name]


def _concat(states: list[Tensor]) -> Tensor:
    return torch.cat(states, 1)


def _sum(states: list[Tensor]) -> Tensor:
    return functools.reduce(torch.add, states)


def _mean(states: list[Tensor]) -> Tensor:
    return _sum(states) / len(states)


def _mul(states: list[Tensor]) -> Tensor:
    return functools.reduce(torch.mul, states)
