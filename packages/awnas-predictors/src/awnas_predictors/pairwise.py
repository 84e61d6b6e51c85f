"""Which of two architectures is better, asked of both at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_predictors.losses import bce_loss_of_pairs, hinge_loss_of_pairs
from awnas_predictors.neural import Floats, NeuralPredictor, perceptron
from awnas_torch.seeding import seeded

LOSSES = {"bce": bce_loss_of_pairs, "hinge": hinge_loss_of_pairs}


class Comparator(nn.Module):
    """An embedder, and a perceptron that reads an embedding and how another differs from it."""

    def __init__(self, embedder: Embedder, hiddens: Sequence[int]) -> None:
        super().__init__()
        self.embedder, self.head = embedder, perceptron(2 * embedder.out_dim, hiddens)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return embeddings, shape ``(B, out_dim)``."""
        embeddings: Tensor = self.embedder(*inputs)
        return embeddings

    def margins(self, one: Tensor, other: Tensor) -> Tensor:
        """Return by how much each of ``one`` is better than its fellow, ``(..., out_dim) → (...)``.

        Asked in both orders, so that a pair turned round has the opposite margin.
        """
        there = self.head(torch.cat([one, other - one], -1))
        back = self.head(torch.cat([other, one - other], -1))
        return (there - back).squeeze(-1) / 2


class PairwisePredictor(NeuralPredictor):
    """Compares pairs; the score of an architecture is how often it should beat those of the last fit.

    Args:
        embedder: Of architectures; it is trained, too.
        rng: The weights of the perceptron, the order of batches and the opponents are drawn from it.
        loss: bce trains probabilities, hinge trains margins of 0.1.
        hiddens: Widths of the perceptron.
        partners: Pairs in a batch, for each of its architectures.
        opponents: Architectures of the last fit that a score compares with.
        options: Of :class:`NeuralPredictor`.
    """

    def __init__(
        self,
        embedder: Embedder,
        rng: np.random.Generator,
        *,
        loss: Literal["bce", "hinge"] = "bce",
        hiddens: Sequence[int] = (200, 200, 200),
        partners: int = 4,
        opponents: int = 64,
        **options: Any,
    ) -> None:
        with seeded(rng):
            self.comparator = Comparator(embedder, hiddens)
        super().__init__(self.comparator, embedder, rng, **options)
        self.loss, self.partners, self.most_opponents = LOSSES[loss], partners, opponents
        self.opponents: CellGraphs | None = None

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train on architectures and what was measured of each, shape ``(B,)``; larger is better."""
        self.descend(graphs, targets, self._loss)
        self.opponents = graphs[self.rng.permutation(len(graphs))[: self.most_opponents]]

    def _loss(self, inputs: tuple[Tensor, ...], values: Tensor) -> Tensor:
        """Compare each architecture of a batch, which is in random order, with those that follow it."""
        embeddings = self.comparator(*inputs)
        steps = range(1, self.partners + 1)
        others = torch.stack([embeddings.roll(step, 0) for step in steps])
        better = values - torch.stack([values.roll(step, 0) for step in steps])
        return self.loss(self.comparator.margins(embeddings.expand_as(others), others), better)

    @torch.inference_mode()
    def compare(self, one: CellGraphs, other: CellGraphs) -> Floats:
        """Return how probably each of ``one`` is better than its fellow in ``other``, shape ``(B,)``."""
        margins = self.comparator.margins(self.answer(one), self.answer(other))
        probabilities: Floats = margins.sigmoid().numpy()
        return probabilities

    @torch.inference_mode()
    def predict(self, graphs: CellGraphs) -> Floats:
        """Return the mean probability of beating the opponents, shape ``(B,)``.

        Raises: ConfigError before the first fit.
        """
        if self.opponents is None:
            raise ConfigError(
                "a pairwise predictor scores against architectures of its last fit: fit it first"
            )
        against = self.answer(self.opponents)
        scores = [
            self.comparator.margins(
                one.unsqueeze(1).expand(-1, len(against), -1), against.expand(len(one), -1, -1)
            )
            for one in self.answer(graphs).split(128)
        ]
        found: Floats = torch.cat(scores).sigmoid().mean(1).numpy()
        return found
