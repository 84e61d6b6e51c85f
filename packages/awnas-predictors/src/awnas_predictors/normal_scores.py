"""Values by their ranks."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


class NormalScores:
    """Brings values to a normal distribution by their ranks among known ones.

    Accuracies have a long tail of bad architectures, which would be most of what a regression sees.

    Args:
        known: Shape ``(N,)``.
    """

    def __init__(self, known: Floats) -> None:
        self.values, counts = np.unique(known, return_counts=True)
        quantiles = (np.cumsum(counts) - counts / 2) / len(known)
        self.scores = np.array([NormalDist().inv_cdf(quantile) for quantile in quantiles.tolist()])

    def __call__(self, values: Floats) -> Floats:
        """Return a score for each value: interpolated between known values, cut at the worst and the best of them."""
        return np.interp(values, self.values, self.scores)
