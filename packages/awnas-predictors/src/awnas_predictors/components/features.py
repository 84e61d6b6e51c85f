"""The numbers that describe architectures to predictors which know no graphs."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np

from awnas_core.decisions import Codes
from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.encoding import encode
from awnas_predictors.graph_features import graph_features
from awnas_predictors.predictor import Floats, Predictor

REFERENCE = 1000
"""Random architectures that say how features vary over the space."""
FeatureName = Literal["graph", "one-hot"]


class FeaturePredictor(Predictor):
    """A predictor of features.

    Args:
        features: ``graph`` counts operations, paths and degrees of the pruned cells, of spaces that have cells;
            ``one-hot`` are the decisions as they are, of any space.
    """

    def __init__(self, search_space: SearchSpace, *, features: FeatureName = "graph") -> None:
        self.search_space = search_space
        self.features = features

    def describe(self, codes: Codes) -> Floats:
        """Return the features of architectures, shape ``(B, F)``."""
        if self.features == "graph":
            return graph_features(encode(self.search_space, codes))
        choices = [len(decision.choices) for decision in self.search_space.decisions]
        return np.concatenate([np.eye(n)[codes[:, place]] for place, n in enumerate(choices)], 1)

    def scaled(self, codes: Codes) -> Floats:
        """Return the features that vary over the space at mean 0 and deviation 1, divided by √F; shape ``(B, F)``.

        Squared distances between random architectures are 2 on average.
        """
        mean, deviation, varies = self._scale
        features = (self.describe(codes)[:, varies] - mean) / deviation
        return np.asarray(features / np.sqrt(max(features.shape[1], 1)))

    @cached_property
    def _scale(self) -> tuple[Floats, Floats, Floats]:
        sample = self.describe(self.search_space.sample_codes(REFERENCE, np.random.default_rng(0)))
        varies = sample.std(0) > 0
        return sample[:, varies].mean(0), sample[:, varies].std(0), varies
