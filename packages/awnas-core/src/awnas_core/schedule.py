"""Schedules: attribute values as a function of the epoch."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from awnas_core.errors import ConfigError, did_you_mean


class Schedule(ABC):
    """The value of one attribute in every epoch."""

    def value(self, epoch: int) -> Any:
        """Return the value in ``epoch``, 1-based.

        Raises: ValueError when ``epoch`` is below 1.
        """
        if epoch < 1:
            raise ValueError(f"epochs are numbered from 1, got {epoch}")
        return self._value(epoch)

    @abstractmethod
    def _value(self, epoch: int) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class ValueSchedule(Schedule):
    """Listed values, each from its boundary on.

    Args:
        boundary: First epochs, rising, the first of them 1.
        value_list: One value for each boundary; anything at all. Written ``value`` in a config.
    """

    boundary: tuple[int, ...]
    value_list: tuple[Any, ...]

    def __post_init__(self) -> None:
        _check_boundary(self.boundary)
        if self.boundary[0] != 1:
            raise ConfigError(f"the first boundary must be 1, got {self.boundary[0]}")
        if len(self.boundary) != len(self.value_list):
            raise ConfigError(
                f"{len(self.boundary)} boundaries but {len(self.value_list)} values; give one for each"
            )

    def _value(self, epoch: int) -> Any:
        return self.value_list[bisect_right(self.boundary, epoch) - 1]


@dataclass(frozen=True, kw_only=True)
class _SteppedSchedule(Schedule):
    """A start value, changed at regular or listed epochs, clipped.

    Args:
        start: Value until the first change; not clipped up to ``start_epoch``.
        step: What one change applies.
        every: Epochs between changes; give this or ``boundary``.
        boundary: Epochs of the changes, rising, counted from ``start_epoch``.
        min: Lower clip.
        max: Upper clip.
        start_epoch: Epochs before the clock of the schedule starts.
    """

    start: float
    step: float
    every: int | None = None
    boundary: tuple[int, ...] | None = None
    min: float | None = None
    max: float | None = None
    start_epoch: int = 0

    def __post_init__(self) -> None:
        for name in ("start", "step", "min", "max"):
            _check_number(name, getattr(self, name), optional=name in ("min", "max"))
        if (self.every is None) == (self.boundary is None):
            raise ConfigError("give exactly one of 'every' and 'boundary'")
        if self.every is not None and (not _is_int(self.every) or self.every < 1):
            raise ConfigError(f"'every' must be a whole number of at least 1, got {self.every!r}")
        if not _is_int(self.start_epoch) or self.start_epoch < 0:
            raise ConfigError(f"'start_epoch' must be a whole number of at least 0, got {self.start_epoch!r}")
        if self.boundary is not None:
            _check_boundary(self.boundary)
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ConfigError(f"'min' is {self.min}, above 'max', which is {self.max}")

    def _value(self, epoch: int) -> Any:
        clock = epoch - self.start_epoch
        if clock <= 0:
            return self.start
        changes = (
            (clock - 1) // self.every if self.every is not None else bisect_right(self.boundary or (), clock)
        )
        value = self._changed(changes)
        if self.min is not None:
            value = max(value, self.min)
        return value if self.max is None else min(value, self.max)

    @abstractmethod
    def _changed(self, changes: int) -> float: ...


@dataclass(frozen=True, kw_only=True)
class MulSchedule(_SteppedSchedule):
    """``start · step^k`` after k changes, clipped."""

    def _changed(self, changes: int) -> float:
        return self.start * self.step**changes


@dataclass(frozen=True, kw_only=True)
class AddSchedule(_SteppedSchedule):
    """``start + step · k`` after k changes, clipped."""

    def _changed(self, changes: int) -> float:
        return self.start + self.step * changes


TYPES: Mapping[str, type[ValueSchedule] | type[MulSchedule] | type[AddSchedule]] = {
    "value": ValueSchedule,
    "mul": MulSchedule,
    "add": AddSchedule,
}


def parse_schedule(cfg: Any) -> Schedule:
    """Return the schedule that ``{"type": "value" | "mul" | "add", …}`` describes.

    Raises: ConfigError saying what is wrong with it.
    """
    if not isinstance(cfg, Mapping):
        raise ConfigError(f"a schedule is a mapping with a 'type', got {cfg!r}")
    given = dict(cfg)
    kind = given.pop("type", None)
    if kind not in TYPES:
        hint = did_you_mean(str(kind), TYPES)
        raise ConfigError(f"the type of a schedule must be one of {', '.join(TYPES)}, got {kind!r}{hint}")
    schedule = TYPES[kind]
    known = {"value" if field.name == "value_list" else field.name: field for field in fields(schedule)}
    for name in given:
        if name not in known:
            raise ConfigError(
                f"a '{kind}' schedule has no '{name}'{did_you_mean(str(name), known)}; it has {', '.join(known)}"
            )
    missing = [name for name, field in known.items() if field.default is MISSING and name not in given]
    if missing:
        raise ConfigError(f"a '{kind}' schedule needs {' and '.join(missing)}")
    arguments = {known[name].name: _tuple(name, value) for name, value in given.items()}
    return schedule(**arguments)


def _tuple(name: str, value: Any) -> Any:
    if name in ("boundary", "value"):
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"'{name}' must be a list, got {value!r}")
        return tuple(value)
    return value


def _check_boundary(boundary: tuple[int, ...]) -> None:
    if not boundary or not all(_is_int(epoch) and epoch >= 1 for epoch in boundary):
        raise ConfigError(f"'boundary' must list epochs, whole numbers of at least 1, got {list(boundary)}")
    if any(later <= earlier for earlier, later in itertools.pairwise(boundary)):
        raise ConfigError(f"'boundary' must rise from epoch to epoch, got {list(boundary)}")


def _check_number(name: str, value: Any, *, optional: bool) -> None:
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigError(f"'{name}' must be a finite number, got {value!r}")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
