"""Trees on features of architectures: seconds to fit, and hard to beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor

from awnas_predictors.graph_features import graph_features
from awnas_predictors.graphs import CellGraphs

Floats = npt.NDArray[np.floating]
Features = Callable[[CellGraphs], Floats]


class ForestPredictor:
    """A random forest.

    Args:
        seed: Of the trees.
        features: Numbers of each architecture, ``(B, F)``; :meth:`CellGraphs.one_hot` is another choice.
        trees: Number of trees.
    """

    def __init__(self, seed: int, *, features: Features = graph_features, trees: int = 100) -> None:
        self.features = features
        self.forest = RandomForestRegressor(trees, max_features=0.5, random_state=seed)

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train on architectures and what was measured of each, shape ``(B,)``."""
        self.forest.fit(self.features(graphs), targets)

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return what each architecture should reach, shape ``(B,)``."""
        return np.asarray(self.forest.predict(self.features(graphs)))


class BoostingPredictor:
    """Gradient boosting of histogram trees.

    Args:
        seed: Of the trees.
        features: Numbers of each architecture, ``(B, F)``.
        rounds: Number of trees.
    """

    def __init__(self, seed: int, *, features: Features = graph_features, rounds: int = 300) -> None:
        self.features = features
        self.boosting = HistGradientBoostingRegressor(
            max_iter=rounds, learning_rate=0.05, min_samples_leaf=5, random_state=seed
        )

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train on architectures and what was measured of each, shape ``(B,)``."""
        self.boosting.fit(self.features(graphs), targets)

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return what each architecture should reach, shape ``(B,)``."""
        return np.asarray(self.boosting.predict(self.features(graphs)))
