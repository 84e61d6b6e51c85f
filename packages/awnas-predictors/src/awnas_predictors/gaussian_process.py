"""Gaussian processes: what is expected between measured points, and how surely."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

LENGTHS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Length scales to choose from, for points about √2 apart."""
NOISES = (0.001, 0.01, 0.05, 0.1)
"""Shares of noise in the variance to choose from."""


class _Fit(NamedTuple):
    """A process with given scales, and how likely it makes what was measured."""

    evidence: float
    length: float
    amplitude: float  # variance of the process
    root: Floats  # Cholesky factor of the covariance of the points
    white: Floats  # the targets, whitened by it


class GaussianProcess:
    """A process with mean 0 and a Matérn 5/2 kernel, its scales chosen by the marginal likelihood.

    Args:
        lengths: Length scales to choose from.
        noises: Variances of the noise to choose from, as shares of that of the process.

    Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, sections 2.2, 4.2 and 5.4.
    """

    def __init__(self, lengths: tuple[float, ...] = LENGTHS, noises: tuple[float, ...] = NOISES) -> None:
        self.lengths = lengths
        self.noises = noises

    def fit(self, points: Floats, targets: Floats) -> None:
        """Take in what was measured.

        Args:
            points: Shape ``(B, F)``.
            targets: At mean 0 and deviation about 1, shape ``(B,)``.
        """
        self.points = points
        distances = distances_of(points, points)
        grid = itertools.product(self.lengths, self.noises)
        self.best = max((_fit(distances, targets, *scales) for scales in grid), key=lambda fit: fit.evidence)

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Return the posterior mean and the deviation of the process without noise, both of shape ``(B,)``."""
        fit = self.best
        shared = np.linalg.solve(fit.root, matern(distances_of(self.points, points), fit.length))
        left = np.maximum(1 - (shared**2).sum(0), 1e-9)
        return shared.T @ fit.white, np.sqrt(fit.amplitude * left)


def distances_of(a: Floats, b: Floats) -> Floats:
    """Return Euclidean distances, ``(A, F), (B, F) → (A, B)``."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))


def matern(distances: Floats, length: float) -> Floats:
    """Return the Matérn 5/2 correlation at distances: ``(1 + r + r²/3) exp(-r)`` with ``r = √5 d / length``."""
    r = math.sqrt(5) / length * distances
    return np.asarray((1 + r + r**2 / 3) * np.exp(-r))


def _fit(distances: Floats, targets: Floats, length: float, noise: float) -> _Fit:
    """Return the process of these scales; its amplitude is the best, drawn to 1 as by one more target."""
    count = len(targets) + 1
    root = np.linalg.cholesky(matern(distances, length) + noise * np.eye(len(targets)))
    white = np.linalg.solve(root, targets)
    amplitude = float(white @ white + 1) / count
    evidence = -0.5 * count * math.log(amplitude) - float(np.log(np.diag(root)).sum())
    return _Fit(evidence, length, amplitude, root, white)
