"""A Gaussian process and a forest on what stands on the paths of cells."""

from __future__ import annotations

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.options import PositiveInt
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.encoding import encode
from awnas_predictors.ensemble import ProcessForestPredictor
from awnas_predictors.predictor import Floats, Prediction, Predictor


class ProcessForest(Predictor):
    """Ranks architectures by the mean of a Gaussian process, which learns what matters, and of random trees.

    What it predicts are quantiles of a normal distribution at the ranks of what was measured; it is as unsure as the
    process is. See :class:`~awnas_predictors.ensemble.ProcessForestPredictor`.

    Args:
        trees: Number of trees.
    """

    def __init__(self, search_space: SearchSpace, *, trees: PositiveInt = 200) -> None:
        self.search_space = search_space
        self.trees = trees

    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Fit a new process and grow new trees."""
        self.fitted = ProcessForestPredictor(int(rng.integers(2**31)), trees=self.trees)
        self.fitted.fit(encode(self.search_space, codes), targets)

    def predict(self, codes: Codes) -> Prediction:
        """Return the mean of both, and the deviation of the process."""
        graphs = encode(self.search_space, codes)
        return Prediction(self.fitted.predict(graphs), self.fitted.process.deviations(graphs))
