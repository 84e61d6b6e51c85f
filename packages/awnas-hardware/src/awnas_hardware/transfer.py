"""A new device from ten measurements: what other devices take tells which architectures cost alike.

The cost of architectures on the new device is a Gaussian process whose covariance comes of the other devices: their
standardised costs have a mean and principal components; the new device follows the mean, deviates along the components
as much as others do, and by what its architectures consist of. Which architectures to measure follows as well: those
that leave least unknown.

For comparison: HELP (Lee et al., NeurIPS 2021) meta-learns a network for the same purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from awnas_hardware.vocabulary import Matrix

COMPONENTS = 8
CLIPPED = 0.002  # the share of values at either end that outliers may take
OF_MEAN, OF_COMPONENTS, OF_KINDS, OF_PARTS = 1.0, 1.0, 0.1, 0.02
"""Prior variances of what a device's costs follow, in units of the variance of its costs."""
NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Transfer:
    """Predicts a device from the tables of others and a few measurements.

    Args:
        features: Of every architecture, scaled by how much is expected to depend on each, shape ``(n, F)``.
    """

    features: Matrix

    @classmethod
    def of(cls, others: Matrix, parts: Matrix, kinds: Matrix) -> Transfer:
        """Learn from other devices.

        Args:
            others: Costs of ``n`` architectures on ``m`` devices, shape ``(n, m)``.
            parts: Counts of their parts, shape ``(n, P)``.
            kinds: Counts of their kinds of parts, wherever these stand, shape ``(n, K)``.
        """
        standard = _standardised(others)
        mean = standard.mean(1, keepdims=True)
        left, values, _ = np.linalg.svd(standard - mean, full_matrices=False)
        components = (left * values)[:, :COMPONENTS] / np.sqrt(standard.shape[1])
        blocks = (
            (OF_MEAN, mean),
            (OF_COMPONENTS, components),
            (OF_KINDS, (kinds - kinds.mean(0)) / 2),
            (OF_PARTS, parts - parts.mean(0)),
        )
        return cls(np.hstack([block * np.sqrt(variance) for variance, block in blocks]))

    def choose(self, n: int) -> npt.NDArray[np.int64]:
        """Return which ``n`` architectures to measure, each the least certain after those before it."""
        centred = self.features - self.features.mean(0)
        covariance = np.eye(centred.shape[1])
        chosen = []
        for _ in range(n):
            uncertainty = np.einsum("nf,nf->n", centred @ covariance, centred)
            chosen.append(int(uncertainty.argmax()))
            pull = covariance @ centred[chosen[-1]]
            covariance -= np.outer(pull, pull) / (NOISE + uncertainty[chosen[-1]])
        return np.array(chosen)

    def predict(self, rows: npt.NDArray[np.integer], costs: Matrix) -> Matrix:
        """Return the cost of every architecture, shape ``(n,)``.

        Args:
            rows: The architectures that were measured, shape ``(k,)``.
            costs: What each of them costs, shape ``(k,)``.
        """
        level, width = costs.mean(), costs.std() or 1.0
        centre = self.features[rows].mean(0)
        measured = self.features[rows] - centre
        covariance = measured @ measured.T + NOISE * np.eye(len(rows))
        weights = measured.T @ np.linalg.solve(covariance, (costs - level) / width)
        return np.asarray((self.features - centre) @ weights * width + level)


def _standardised(costs: Matrix) -> Matrix:
    low, high = np.quantile(costs, [CLIPPED, 1 - CLIPPED], axis=0)
    clipped = np.clip(costs, low, high)
    return np.asarray((clipped - clipped.mean(0)) / clipped.std(0))
