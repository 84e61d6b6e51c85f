"""A Gaussian process on features of architectures."""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.components.features import FeatureName, FeaturePredictor
from awnas_predictors.gaussian_process import GaussianProcess
from awnas_predictors.predictor import Floats, Prediction, Scale


class GaussianProcessPredictor(FeaturePredictor):
    """Expects of an architecture what similar ones reached, and is the less sure the less similar they are.

    Similar is what has similar features; see :class:`~awnas_predictors.gaussian_process.GaussianProcess`. Fits in
    milliseconds to some hundred architectures.

    Args:
        features: What architectures are described by; see :class:`FeaturePredictor`.
        targets: What it learns: the ``values`` as they are, or their ``ranks``, as quantiles of a normal distribution,
            which a few architectures far below all others do not disturb. Then what it predicts are such quantiles.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        *,
        features: FeatureName = "graph",
        targets: Literal["values", "ranks"] = "values",
    ) -> None:
        super().__init__(search_space, features=features)
        self.targets = targets

    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Condition the process on what was measured."""
        if self.targets == "ranks":
            targets = normal_quantiles(targets)
        self.scale = Scale.of(targets)
        self.process = GaussianProcess()
        self.process.fit(self.scaled(codes), self.scale.scaled(targets))

    def predict(self, codes: Codes) -> Prediction:
        """Return the mean and deviation of the posterior."""
        return self.scale.restored(*self.process.predict(self.scaled(codes)))


def normal_quantiles(values: Floats) -> Floats:
    """Return the quantile of a normal distribution at the rank of each value; equal values share one."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / len(values)
    return np.array([NormalDist().inv_cdf(share) for share in middles])[places]
