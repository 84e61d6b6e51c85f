"""What the metrics of tables are called, in one unit each, and how they are best stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from awnas_benchmarks.tables.columns import Column
from awnas_core.errors import ConfigError
from awnas_core.metrics import Direction

METRICS: dict[str, tuple[str, Direction, Literal["data", "architecture"]]] = {
    "accuracy": ("", "max", "data"),  # a fraction, whatever percent the source gives
    "loss": ("nat", "min", "data"),
    "perplexity": ("", "min", "data"),
    "seconds": ("s", "min", "data"),
    "energy_kwh": ("kWh", "min", "data"),
    "params": ("", "min", "architecture"),
    "macs": ("MAC", "min", "architecture"),  # one multiply-add = 1
    "latency_ms": ("ms", "min", "architecture"),
    "energy_mj": ("mJ", "min", "architecture"),
    "throughput": ("1/s", "max", "architecture"),
}
"""Metric → (unit, which way is better, whether a training is needed to know it)."""
MOST_DECIMALS = 9


def column_named(name: str) -> Column:
    """Return a column with the unit, direction and scope that its name says: ``cifar10/valid_accuracy@12``.

    Raises: ConfigError when no part of the name is a known metric.
    """
    for part in name.partition("@")[0].split("/"):
        for metric, (unit, direction, scope) in METRICS.items():
            if part == metric or part.endswith(f"_{metric}"):
                return Column(name=name, unit=unit, direction=direction, scope=scope)
    raise ConfigError(
        f"'{name}' does not say what it measures; a part of the name ends with one of {', '.join(METRICS)}"
    )


def compact(column: Column, values: npt.NDArray[np.float64]) -> tuple[Column, npt.NDArray[np.float64]]:
    """Return the column as it is stored without loss in least space, and its values ready for that.

    Values that are all short decimals become whole numbers; others keep the precision of float32, or of float64 where
    that is too little for a count.
    """
    known = values[~np.isnan(values)]
    for decimals in range(MOST_DECIMALS + 1):
        scaled = known * 10.0**decimals
        if scaled.max(initial=0) >= 2**32 - 1 or scaled.min(initial=0) < 0:
            break
        if (np.abs(scaled - np.rint(scaled)) <= 1e-6).all():
            return replace(column, decimals=decimals), values
    is_count = known.size and (known == np.rint(known)).all()
    return column, values if is_count else values.astype(np.float32)
