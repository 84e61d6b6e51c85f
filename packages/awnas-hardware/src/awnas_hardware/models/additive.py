"""Costs that add up: a fixed part, and one for every run of a primitive."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from awnas_core.errors import ConfigError
from awnas_hardware.models.base import Arrays, CostModel, Matrix, Sample

RIDGE = 1.0


class _Additive(CostModel):
    """``cost = fixed + Σ count · part``.

    Args:
        parts: Cost of one run of each primitive, shape ``(P,)``.
        fixed: Cost of a network without primitives.
    """

    def __init__(self, parts: Matrix, fixed: float) -> None:
        self.parts, self.fixed = parts, fixed

    def predict(self, counts: Matrix) -> Matrix:
        """Return the sums."""
        return np.asarray(counts @ self.parts + self.fixed)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return both."""
        return {"parts": self.parts, "fixed": np.array([self.fixed])}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Take up both."""
        (fixed,) = arrays["fixed"].tolist()
        return cls(np.asarray(arrays["parts"], dtype=np.float64), float(fixed))


class SumModel(_Additive):
    """The naive sum of what primitives cost by themselves: what every other model has to beat."""

    kind = "sum"
    needs_parts = True

    @classmethod
    def fit(cls, sample: Sample) -> Self:
        """Take the measured parts as they are."""
        return cls(measured_parts(sample), 0.0)


class TableModel(_Additive):
    """A look-up table: the sum of what primitives cost by themselves, and a fixed overhead."""

    kind = "table"
    needs_parts = True

    @classmethod
    def fit(cls, sample: Sample) -> Self:
        """Take the measured parts; the overhead is what the sums lack, in the median."""
        parts = measured_parts(sample)
        return cls(parts, float(np.median(sample.costs - sample.counts @ parts)))


class LinearModel(_Additive):
    """Ridge regression of whole networks on counts: the table that whole networks imply."""

    kind = "linear"

    @classmethod
    def fit(cls, sample: Sample) -> Self:
        """Solve for the parts; their mean effect is the fixed part, which is not shrunk."""
        mean, level = sample.counts.mean(0), sample.costs.mean()
        centred = sample.counts - mean
        gram = centred.T @ centred + RIDGE * np.eye(centred.shape[1])
        parts = np.linalg.solve(gram, centred.T @ (sample.costs - level))
        return cls(parts, float(level - mean @ parts))


def measured_parts(sample: Sample) -> Matrix:
    """Return the cost of every primitive by itself.

    Raises: ConfigError when some were not measured.
    """
    unknown = [name for name, part in zip(sample.names, sample.parts, strict=True) if np.isnan(part)]
    if unknown:
        raise ConfigError(
            f"a table needs the cost of every primitive by itself, which lacks for {len(unknown)} of them, such as "
            f"{unknown[0]}; measure networks with their parts, or fit another kind of model"
        )
    return sample.parts
