"""Experts for cheap measurements, and a gate that learns whom to trust for which architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_predictors.losses import hinge_loss
from awnas_predictors.neural import Floats, NeuralPredictor, Scorer, perceptron
from awnas_torch.seeding import seeded


class Experts(nn.Module):
    """Scorers, and the weight of each for an architecture."""

    def __init__(self, embedders: Sequence[Embedder], hiddens: Sequence[int]) -> None:
        super().__init__()
        judge, *members = embedders
        self.experts = nn.ModuleList(Scorer(member, hiddens) for member in members)
        self.embedder, self.gate = judge, perceptron(judge.out_dim, hiddens, len(members))

    def opinions(self, *inputs: Tensor) -> Tensor:
        """Return the score of each expert, shape ``(B, K)``."""
        return torch.stack([expert(*inputs) for expert in self.experts], 1)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return scores ``Σ_k softmax(gate)_k · opinion_k``, shape ``(B,)``."""
        trust = self.gate(self.embedder(*inputs)).softmax(1)
        return (trust * self.opinions(*inputs)).sum(1)


class DynamicEnsemblePredictor(NeuralPredictor):
    """Ranks by experts, each first trained on one cheap measurement, whose weights depend on the architecture (DELE).

    Args:
        embedder: Makes an embedder; called once for the gate and once for each expert.
        rng: The weights of the perceptrons and the order of batches are drawn from it.
        experts: How many cheap measurements there are.
        hiddens: Widths of each perceptron.
        options: Of :class:`NeuralPredictor`.

    Source: Zhao et al., "Dynamic Ensemble of Low-fidelity Experts: Mitigating NAS Cold-Start", AAAI 2023.
    """

    def __init__(
        self,
        embedder: Callable[[], Embedder],
        rng: np.random.Generator,
        *,
        experts: int,
        hiddens: Sequence[int] = (200, 200, 200),
        **options: Any,
    ) -> None:
        embedders = [embedder() for _ in range(1 + experts)]
        with seeded(rng):
            self.experts = Experts(embedders, hiddens)
        super().__init__(self.experts, embedders[0], rng, **options)

    def fit_experts(self, graphs: CellGraphs, cheap: Floats) -> None:
        """Train each expert to rank by its column of ``cheap``, shape ``(B, experts)``; larger is better."""
        self.descend(graphs, cheap, self._loss_of_experts)

    def _loss_of_experts(self, inputs: tuple[Tensor, ...], values: Tensor) -> Tensor:
        opinions = self.experts.opinions(*inputs)
        losses = [hinge_loss(*column) for column in zip(opinions.unbind(1), values.unbind(1), strict=True)]
        return torch.stack(losses).sum()

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train experts and gate together to rank by what counts, shape ``(B,)``; larger is better."""
        self.descend(graphs, targets, lambda inputs, values: hinge_loss(self.experts(*inputs), values))

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return a score for each architecture, shape ``(B,)``."""
        scores: Floats = self.answer(graphs).numpy()
        return scores
