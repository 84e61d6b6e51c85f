"""Forests and boosted trees on features of architectures."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.options import PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.encoding import encode
from awnas_predictors.forest import BoostingPredictor, ForestPredictor
from awnas_predictors.predictor import Floats, Prediction, Predictor


class RandomForestPredictor(Predictor):
    """A random forest on features of graphs; it is the less sure the more its trees disagree.

    Args:
        trees: Number of trees.

    Source: Breiman, "Random Forests", Machine Learning 2001; deviations as in Hutter et al., "Sequential Model-Based
    Optimization for General Algorithm Configuration", LION 2011, section 4.1.
    """

    def __init__(self, search_space: SearchSpace, *, trees: PositiveInt = 100) -> None:
        self.search_space = search_space
        self.trees = trees

    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Grow a new forest."""
        self.fitted = ForestPredictor(int(rng.integers(2**31)), trees=self.trees)
        self.fitted.fit(encode(self.search_space, codes), targets)

    def predict(self, codes: Codes) -> Prediction:
        """Return the mean and deviation over trees."""
        features = self.fitted.features(encode(self.search_space, codes))
        votes = np.stack([tree.predict(features) for tree in self.fitted.forest.estimators_])
        return Prediction(votes.mean(0), votes.std(0))


class BoostedTreesPredictor(Predictor):
    """Gradient boosting of trees on features of graphs.

    Args:
        rounds: Number of trees.
    """

    knows_deviation: ClassVar[bool] = False

    def __init__(self, search_space: SearchSpace, *, rounds: PositiveInt = 300) -> None:
        self.search_space = search_space
        self.rounds = rounds

    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Grow new trees."""
        self.fitted = BoostingPredictor(int(rng.integers(2**31)), rounds=self.rounds)
        self.fitted.fit(encode(self.search_space, codes), targets)

    def predict(self, codes: Codes) -> Prediction:
        """Return the sum over trees."""
        mean = self.fitted.predict(encode(self.search_space, codes))
        return Prediction(mean, np.zeros(len(codes)))
