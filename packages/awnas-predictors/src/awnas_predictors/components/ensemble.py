"""Several predictors that answer together, and say how much they disagree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.options import Child, PositiveInt
from awnas_predictors.predictor import Floats, Prediction, Predictor


class EnsemblePredictor(Predictor):
    """Predictors of one kind with different seeds; together they are the less sure the more they disagree.

    Args:
        member: What each of them is.
        size: How many there are.

    Source: Lakshminarayanan et al., "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles",
    NeurIPS 2017; in architecture search White et al., "BANANAS", AAAI 2021.
    """

    def __init__(
        self,
        *,
        member: Callable[..., Predictor] = Child("predictor", "pointwise", {"loss": "mse"}, deferred=True),
        size: PositiveInt = 5,
    ) -> None:
        self.members = [member() for _ in range(size)]

    def fit(self, codes: Codes, targets: Floats, rng: np.random.Generator) -> None:
        """Fit every member to everything."""
        for member in self.members:
            member.fit(codes, targets, rng)

    def predict(self, codes: Codes) -> Prediction:
        """Return the mean of all members, and the deviation between and within them."""
        answers = [member.predict(codes) for member in self.members]
        means = np.stack([answer.mean for answer in answers])
        within = np.stack([answer.deviation for answer in answers])
        return Prediction(means.mean(0), np.sqrt(means.var(0) + (within**2).mean(0)))
