"""How good predictions of cost are: relative errors and ranks, always beside the simplest of predictors."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

Floats = npt.NDArray[np.floating]
DIGITS = 10
"""Predictions are ranked after rounding: equal costs get predictions that differ in the last bits."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Predictions against measurements.

    Args:
        rrmse: Root of the mean square of relative errors; a few costs near zero ruin it.
        median_error: Median of the absolute relative errors.
        trimmed_error: Mean of the absolute relative errors without the worst hundredth.
        within_5: Share of predictions at most 5 % off.
        tau: Kendall's τ-b of predictions and measurements, 0 where either is constant.
        n: Number of networks.
    """

    rrmse: float
    median_error: float
    trimmed_error: float
    within_5: float
    tau: float
    n: int

    @classmethod
    def of(cls, predicted: Floats, measured: Floats) -> Accuracy:
        """Compare costs of the same networks, both of shape ``(n,)``; measured ones are above 0."""
        errors = np.abs(np.asarray(predicted) / measured - 1)
        ordered = np.sort(errors)[: max(1, len(errors) - len(errors) // 100)]
        tau = kendalltau(_rounded(np.asarray(predicted)), measured).statistic
        return cls(
            rrmse=float(np.sqrt((errors**2).mean())),
            median_error=float(np.median(errors)),
            trimmed_error=float(ordered.mean()),
            within_5=float((errors <= 0.05).mean()),
            tau=0.0 if np.isnan(tau) else float(tau),
            n=len(errors),
        )

    def to_record(self) -> dict[str, float]:
        """Return the figures as JSON data."""
        return asdict(self)


def _rounded(values: Floats) -> Floats:
    scale = np.abs(values).max() or 1.0
    return np.round(values / scale, DIGITS)
