"""Values by their ranks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Floats = npt.NDArray[np.floating]


class NormalScores:
    """Brings values to a normal distribution by their ranks among known ones.

    Accuracies have a long tail of bad architectures, which would be most of what a regression sees.

    Args:
        known: Shape ``(N,)``.
    """

    def __init__(self, known: Floats) -> None:
        self.values, counts = np.unique(known, return_counts=True)
        self.scores = norm.ppf((np.cumsum(counts) - counts / 2) / len(known))

    def __call__(self, values: Floats) -> Floats:
        """Return a score for each value: interpolated between known values, cut at the worst and the best of them."""
        return np.interp(values, self.values, self.scores)
