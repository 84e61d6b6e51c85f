"""What is measured of an architecture, and what is wanted of it: metrics, goals, constraints."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from awnas_core.errors import ConfigError

Direction = Literal["max", "min"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One named quantity that an objective or evaluator reports.

    Args:
        name: Key in ``rollout.perf``; also the name used by goals and constraints.
        direction: Whether larger (``"max"``) or smaller (``"min"``) is better. Values are never negated.
        unit: ``""`` for a plain fraction, else for example ``"ms"``, ``"MAC"``, ``"%"``.
        scope: ``"data"`` for what is accumulated over batches, ``"architecture"`` for what is
            measured once, before any data is seen.
    """

    name: str
    direction: Direction = "max"
    unit: str = ""
    scope: Literal["data", "architecture"] = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A metric to improve; several goals make a search multi-objective.

    Args:
        metric: Name of a metric, or ``"reward"``.
        direction: Which way is better.
        coefficient: Weight of this goal where goals are summed into one reward.
        reference: The worst value that counts. When every goal has one, multi-objective searches report the
            hyper-volume beyond it.
    """

    metric: str
    direction: Direction = "max"
    coefficient: float = 1.0
    reference: float | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("max", "min"):
            raise ConfigError(
                f"direction of goal '{self.metric}' must be 'max' or 'min', got {self.direction!r}"
            )
        if not (math.isfinite(self.coefficient) and self.coefficient > 0):
            raise ConfigError(
                f"coefficient of goal '{self.metric}' must be positive and finite, got {self.coefficient}; "
                "state the way that is better with 'direction'"
            )
        if self.reference is not None and not math.isfinite(self.reference):
            raise ConfigError(f"reference of goal '{self.metric}' must be finite, got {self.reference}")

    def gain(self, value: float) -> float:
        """Return ``value`` so that larger is better."""
        return value if self.direction == "max" else -value


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A bound that an acceptable architecture keeps.

    Args:
        metric: Name of a metric.
        bound: The limit, in the unit of the metric.
        kind: ``"max"`` when the metric may not exceed the bound, ``"min"`` when it may not fall below it.
    """

    metric: str
    bound: float
    kind: Literal["max", "min"] = "max"

    def __post_init__(self) -> None:
        if self.kind not in ("max", "min"):
            raise ConfigError(
                f"kind of the constraint on '{self.metric}' must be 'max' or 'min', got {self.kind!r}"
            )

    def violation(self, perf: Mapping[str, float]) -> float:
        """Return by how much ``perf`` breaks the bound: 0 when it is kept, in the unit of the metric."""
        if self.metric not in perf:
            raise ConfigError(
                f"constraint on '{self.metric}', but only {', '.join(sorted(perf)) or 'nothing'} was measured"
            )
        excess = perf[self.metric] - self.bound
        return max(0.0, excess if self.kind == "max" else -excess)


class Accumulator(ABC):
    """Gathers one data-scope metric over the batches of one evaluation.

    Accumulators of the same metric merge, so that a value over several processes is the value over
    all their data, not a mean of means.
    """

    @abstractmethod
    def update(self, batch: Any) -> None:
        """Take in one batch; what a batch is, the objective that made the accumulator knows."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what was gathered as plain data (numbers, lists, arrays)."""

    @abstractmethod
    def merge(self, state: Mapping[str, Any]) -> None:
        """Add what another accumulator of the same metric gathered."""

    @abstractmethod
    def compute(self) -> float:
        """Return the value over everything seen; NaN when nothing was."""


class Mean(Accumulator):
    """A weighted mean: the default accumulator of fractions and losses."""

    def __init__(self) -> None:
        self._total: Any = 0.0
        self._weight = 0.0

    def update(self, batch: tuple[Any, float]) -> None:
        """Add ``(sum of the values, number of values)``; the sum may be a tensor still on its device."""
        total, weight = batch
        self._total = self._total + total
        self._weight += float(weight)

    def state(self) -> dict[str, float]:
        """Return the sum and the weight."""
        return {"total": float(self._total), "weight": self._weight}

    def merge(self, state: Mapping[str, float]) -> None:
        """Add the sum and the weight of another mean."""
        self._total = self._total + state["total"]
        self._weight += state["weight"]

    @property
    def mean(self) -> Any:
        """Sum / weight; a tensor still on its device when the sums were."""
        return self._total / self._weight

    def compute(self) -> float:
        """Return sum / weight as a number; the one host synchronisation of an evaluation."""
        return float(self._total) / self._weight if self._weight else math.nan
