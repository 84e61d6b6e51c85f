"""A Gaussian process and a forest, which err in different places."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesRegressor

from awnas_predictors.graphs import CellGraphs
from awnas_predictors.normal_scores import NormalScores
from awnas_predictors.path_features import all_features
from awnas_predictors.relevance_process import RelevanceProcessPredictor

Floats = npt.NDArray[np.floating]


class ProcessForestPredictor:
    """The mean of what a Gaussian process and extremely randomised trees predict, as normal scores.

    Args:
        seed: Of the process and of the trees.
        features: Numbers of each architecture, not below 0, shape ``(B, F)``.
        trees: Number of trees.

    Source of the trees: Geurts et al., "Extremely Randomized Trees", Machine Learning 2006.
    """

    def __init__(
        self, seed: int, *, features: Callable[[CellGraphs], Floats] = all_features, trees: int = 200
    ) -> None:
        self.features = features
        self.process = RelevanceProcessPredictor(seed, features=features)
        self.forest = ExtraTreesRegressor(trees, max_features=0.5, random_state=seed)

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Fit both to architectures and what was measured of each, shape ``(B,)``; larger is better."""
        self.process.fit(graphs, targets)
        self.forest.fit(self.features(graphs), targets)  # trees do better on values than on scores of ranks
        self.scores = NormalScores(targets)

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return the normal score that each architecture should reach, shape ``(B,)``."""
        by_forest = self.scores(np.asarray(self.forest.predict(self.features(graphs))))
        return (self.process.predict(graphs) + by_forest) / 2
