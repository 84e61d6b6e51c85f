"""How much is to be gained by measuring an architecture, given what is expected of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from awnas_predictors.predictor import Floats, Prediction

AcquisitionName = Literal["mean", "ucb", "ei", "thompson"]
Acquisition = Callable[[Prediction, float, np.random.Generator, float], Floats]
"""(prediction, best expected value of what was measured, generator, exploration) → value of each, shape ``(B,)``."""


def expected_value(
    prediction: Prediction, best: float, rng: np.random.Generator, exploration: float
) -> Floats:
    """Return the mean: measure what is expected to be the best."""
    return prediction.mean


def upper_bound(prediction: Prediction, best: float, rng: np.random.Generator, exploration: float) -> Floats:
    """Return the mean and as many deviations on top.

    Source: Srinivas et al., "Gaussian Process Optimization in the Bandit Setting", ICML 2010.
    """
    return np.asarray(prediction.mean + exploration * prediction.deviation)


def expected_improvement(
    prediction: Prediction, best: float, rng: np.random.Generator, exploration: float
) -> Floats:
    """Return by how much the best is exceeded on average: ``(μ - best) Φ(z) + σ φ(z)``, ``z = (μ - best) / σ``.

    Source: Jones et al., "Efficient Global Optimization of Expensive Black-Box Functions", 1998, equation 15.
    """
    deviation = np.maximum(prediction.deviation, 1e-12)
    gain = prediction.mean - best
    z = gain / deviation
    below = 0.5 * (1 + np.array([math.erf(value / math.sqrt(2)) for value in z.tolist()]))
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.asarray(gain * below + deviation * density)


def thompson_sample(
    prediction: Prediction, best: float, rng: np.random.Generator, exploration: float
) -> Floats:
    """Return a draw from what each architecture may be worth, independently of all others.

    Source: White et al., "BANANAS: Bayesian Optimization with Neural Architectures for Neural Architecture Search",
    AAAI 2021, "independent Thompson sampling".
    """
    return rng.normal(prediction.mean, prediction.deviation)


ACQUISITIONS: dict[AcquisitionName, Acquisition] = {
    "mean": expected_value,
    "ucb": upper_bound,
    "ei": expected_improvement,
    "thompson": thompson_sample,
}
