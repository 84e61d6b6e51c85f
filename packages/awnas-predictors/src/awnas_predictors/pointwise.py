"""A score for each architecture, trained by value or by rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_predictors.losses import LOSSES, LossName
from awnas_predictors.neural import Floats, NeuralPredictor, Scorer
from awnas_torch.seeding import seeded


class PointwisePredictor(NeuralPredictor):
    """An embedder and a perceptron on top of it.

    Args:
        embedder: Of architectures; it is trained, too.
        rng: The weights of the perceptron and the order of batches are drawn from it.
        loss: bce, hinge, listwise or mse. For mse, targets are best brought to mean 0 and deviation 1.
        hiddens: Widths of the perceptron.
        options: Of :class:`NeuralPredictor`.
    """

    def __init__(
        self,
        embedder: Embedder,
        rng: np.random.Generator,
        *,
        loss: LossName = "hinge",
        hiddens: Sequence[int] = (200, 200, 200),
        **options: Any,
    ) -> None:
        with seeded(rng):
            network = Scorer(embedder, hiddens)
        super().__init__(network, embedder, rng, **options)
        self.loss = LOSSES[loss]

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train on architectures and what was measured of each, shape ``(B,)``; larger is better."""
        self.descend(graphs, targets, lambda inputs, values: self.loss(self.network(*inputs), values))

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return a score for each architecture, shape ``(B,)``."""
        scores: Floats = self.answer(graphs).numpy()
        return scores
