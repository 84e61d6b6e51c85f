"""A Gaussian process on features of architectures."""

from __future__ import annotations

from typing import Literal

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.options import PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.components.features import FeatureName, FeaturePredictor
from awnas_predictors.encoding import encode
from awnas_predictors.gaussian_process import GaussianProcess
from awnas_predictors.normal_scores import NormalScores
from awnas_predictors.predictor import Floats, Prediction, Predictor, Scale
from awnas_predictors.relevance_process import RelevanceProcessPredictor


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
            targets = NormalScores(targets)(targets)
        self.scale = Scale.of(targets)
        self.process = GaussianProcess()
        self.process.fit(self.scaled(codes), self.scale.scaled(targets))

    def predict(self, codes: Codes) -> Prediction:
        """Return the mean and deviation of the posterior."""
        return self.scale.restored(*self.process.predict(self.scaled(codes)))


class RelevanceProcess(Predictor):
    """A Gaussian process that finds out which features matter; see :class:`RelevanceProcessPredictor`.

    It is the surer judge of many results, and takes longer to fit than ``gaussian-process``. It learns
    ranks, and predicts quantiles of a normal distribution.

    Args:
        steps: Steps of Adam up the likelihood.
    """

    def __init__(self, search_space: SearchSpace, *, steps: PositiveInt = 60) -> None:
        self.search_space = search_space
        self.steps = steps

    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Find the relevance of features anew."""
        self.fitted = RelevanceProcessPredictor(int(rng.integers(2**31)), steps=self.steps)
        self.fitted.fit(encode(self.search_space, codes), targets)

    def predict(self, codes: Codes) -> Prediction:
        """Return the mean and deviation of the posterior."""
        graphs = encode(self.search_space, codes)
        return Prediction(self.fitted.predict(graphs), self.fitted.deviations(graphs))
