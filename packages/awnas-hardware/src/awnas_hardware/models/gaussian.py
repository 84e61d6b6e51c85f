"""A Gaussian process over networks: costs of primitives that resemble each other, what does not add up, and drift.

The cost of a network is ``level + linear(counts) + linear(totals) + smooth(totals) + smooth(counts) + drift + noise``:

- *counts*: every primitive has a cost of its own, drawn towards 0.
- *totals*: runs, multiply-adds, memory traffic, weights, and runs of each operation, summed over the network. This is
  where primitives share what is known of them: a 5×5 convolution that was hardly seen costs about what its arithmetic
  and its traffic say.
- *smooth*: what overlaps, fills caches or is fused does not add up; both are squared exponentials.
- *drift*: a device warms up and is disturbed, so that measurements next to each other in time err together. The drift
  is told from the architectures while fitting, and left out of predictions.

How much each matters is what makes the measurements most likely. Networks that were disturbed while they were measured
count less: the noise has the tails of Student's t with four degrees of freedom, by reweighting.

Source of the inference: Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, sections 2.3 and 5.4.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from awnas_hardware.models.base import Arrays, CostModel, Matrix, Sample

SMOOTH_TOTALS, SMOOTH_COUNTS = 2.0, 0.7
"""Length scales in units of the root mean square distance between networks."""
DRIFTS = (3.0, 30.0)
"""Networks after which a disturbance has faded to 1/e."""
TUNED_ON = 700
"""Networks from which the variances are found; all of them count after that."""
STUDENT, REWEIGHTINGS = 4.0, 2
JITTER = 1e-8


class GaussianModel(CostModel):
    """The mean of the process for networks that were not measured.

    Args:
        descriptors: What is known of each primitive, shape ``(P, F)``.
        scales: Centre and width of each total and its logarithm, shape ``(2, 2F)``.
        support: Counts of the measured networks, shape ``(n, P)``.
        pull: What each of them contributes, shape ``(n,)``.
        variances: Of the four parts that are functions of the network, and of its level.
        level: Factor and offset that lead back to the unit of the costs.
    """

    kind = "gaussian"

    def __init__(
        self,
        descriptors: Matrix,
        scales: Matrix,
        support: Matrix,
        pull: Matrix,
        variances: Matrix,
        level: Matrix,
    ) -> None:
        self.descriptors, self.scales, self.support = descriptors, scales, support
        self.pull, self.variances, self.level = pull, variances, level
        self._kernels = _Kernels(support, self._totals(support))

    @classmethod
    def fit(cls, sample: Sample) -> Self:
        """Find the variances, then condition on all networks."""
        centre, width = float(np.median(sample.costs)), float(sample.costs.std()) or 1.0
        targets = (sample.costs - centre) / width
        scales = _scales(sample.counts, sample.descriptors)
        support = sample.counts.astype(np.float32).astype(np.float64)
        kernels = _Kernels(support, _standardised(support, sample.descriptors, scales))
        parts = [*kernels.between(support, kernels.totals), *_drifts(sample.order)]
        variances, weights = _robust_variances(parts, targets)
        covariance = sum(v * part for v, part in zip(variances, parts, strict=False))
        noisy = covariance + np.diag(variances[-1] / weights + JITTER)
        pull = cho_solve(cho_factor(noisy, lower=True), targets)
        own = len(parts) - len(DRIFTS)
        model = cls(
            sample.descriptors, scales, support, pull, np.asarray(variances[:own]), np.array([width, centre])
        )
        return model._calibrated(sample)

    def predict(self, counts: Matrix) -> Matrix:
        """Return the mean."""
        between = self._kernels.between(counts, self._totals(counts))
        mean = sum(v * (part @ self.pull) for v, part in zip(self.variances, between, strict=True))
        return np.asarray(mean * self.level[0] + self.level[1])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything."""
        return {
            "descriptors": self.descriptors,
            "scales": self.scales,
            "support": self.support.astype(np.float32),
            "pull": self.pull,
            "variances": self.variances,
            "level": self.level,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Take up everything."""
        names = ("descriptors", "scales", "support", "pull", "variances", "level")
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in names))

    def _totals(self, counts: Matrix) -> Matrix:
        return _standardised(counts, self.descriptors, self.scales)

    def _calibrated(self, sample: Sample) -> Self:
        """Scale predictions so that the mean square of relative errors is least.

        Noise and drift make that less than 1: an error of 10 % of a small cost weighs more than one of a large cost.
        """
        ratio = self.predict(sample.counts) / sample.costs
        self.level = self.level * (ratio.sum() / (ratio**2).sum())
        return self


class _Kernels:
    """How alike networks are to those that were measured, one matrix for each part of the cost.

    Args:
        counts: Counts of the measured networks, shape ``(n, P)``.
        totals: Their standardised totals, shape ``(n, F)``.
    """

    def __init__(self, counts: Matrix, totals: Matrix) -> None:
        self.counts, self.totals = counts, totals
        self._mean = counts.mean(0)
        self._spread = float(((counts - self._mean) ** 2).sum(1).mean()) or 1.0

    def between(self, counts: Matrix, totals: Matrix) -> tuple[Matrix, ...]:
        """Return the similarities of other networks to the measured ones, each of shape ``(m, n)``."""
        centred, own = counts - self._mean, self.counts - self._mean
        width = max(1, totals.shape[1])
        return (
            centred @ own.T / self._spread,
            totals @ self.totals.T / width,
            _near(totals, self.totals, width * SMOOTH_TOTALS**2),
            _near(centred, own, self._spread * SMOOTH_COUNTS**2),
            np.ones((len(counts), len(self.counts))),
        )


def _near(a: Matrix, b: Matrix, scale: float) -> Matrix:
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(squares, 0) / (2 * scale)))


def _drifts(order: npt.NDArray[np.integer[Any]]) -> list[Matrix]:
    apart = np.abs(order[:, None] - order)
    return [np.exp(-apart / length) for length in DRIFTS]


def _robust_variances(parts: Sequence[Matrix], targets: Matrix) -> tuple[Matrix, Matrix]:
    """Return the variance of each part and of the noise, and the weight of each network."""
    rows = np.arange(len(targets))[:TUNED_ON]
    tuned = [part[np.ix_(rows, rows)] for part in parts]
    logs = np.append(np.full(len(parts), -2.0), -3.0)
    weights = np.ones(len(rows))
    for _ in range(REWEIGHTINGS + 1):
        logs = _most_likely(tuned, targets[rows], weights, logs)
        weights = _student_weights(parts_left_out(tuned, targets[rows], weights, logs))
    if len(rows) < len(targets):
        weights = _student_weights(parts_left_out(parts, targets, np.ones(len(targets)), logs))
    return np.exp(logs), weights


def _student_weights(residuals: Matrix) -> Matrix:
    scale = max(float(np.median(np.abs(residuals))) / 0.6745, 1e-9)
    return np.asarray((STUDENT + 1) / (STUDENT + (residuals / scale) ** 2))


def parts_left_out(parts: Sequence[Matrix], targets: Matrix, weights: Matrix, logs: Matrix) -> Matrix:
    """Return how far each network is from what all others say of it (Rasmussen & Williams, equation 5.12)."""
    inverse = np.linalg.inv(_covariance(parts, weights, np.exp(logs)))
    return np.asarray(inverse @ targets / np.diag(inverse))


def _covariance(parts: Sequence[Matrix], weights: Matrix, variances: Matrix) -> Matrix:
    total: Matrix = sum(v * part for v, part in zip(variances, parts, strict=False))  # type: ignore[assignment]
    return total + np.diag(variances[-1] / weights + JITTER)


def _most_likely(parts: Sequence[Matrix], targets: Matrix, weights: Matrix, start: Matrix) -> Matrix:
    """Return the logarithms of the variances that make the targets most likely."""

    def loss(logs: Matrix) -> tuple[float, Matrix]:
        variances = np.exp(logs)
        factor = cho_factor(_covariance(parts, weights, variances), lower=True)
        inverse = cho_solve(factor, np.eye(len(targets)))
        pull = inverse @ targets
        surplus = inverse - np.outer(pull, pull)
        value = targets @ pull / 2 + np.log(np.diag(factor[0])).sum()
        slopes = [(surplus * part).sum() for part in parts] + [(np.diag(surplus) / weights).sum()]
        return float(value), np.array(slopes) * variances / 2

    bounds = [(-14.0, 4.0)] * len(start)
    return np.asarray(
        minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 30}).x
    )


def _raw_totals(counts: Matrix, descriptors: Matrix) -> Matrix:
    totals = counts @ descriptors
    return np.hstack([totals, np.log1p(np.maximum(totals, 0))])


def _scales(counts: Matrix, descriptors: Matrix) -> Matrix:
    totals = _raw_totals(counts, descriptors)
    deviation = totals.std(0)
    return np.stack([totals.mean(0), np.where(deviation > 0, deviation, 1.0)])


def _standardised(counts: Matrix, descriptors: Matrix, scales: Matrix) -> Matrix:
    return np.asarray((_raw_totals(counts, descriptors) - scales[0]) / scales[1])
