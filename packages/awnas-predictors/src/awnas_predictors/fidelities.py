"""One predictor of several measurements: half-way and final accuracy, many cheap ones and a dear one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_predictors.losses import LOSSES, LossName
from awnas_predictors.neural import Floats, NeuralPredictor, perceptron
from awnas_torch.seeding import seeded


class FidelityHeads(nn.Module):
    """A perceptron for each fidelity, on its step of an anytime embedder, or all on one embedding."""

    def __init__(self, embedder: Embedder, fidelities: int, hiddens: Sequence[int]) -> None:
        super().__init__()
        self.embedder = embedder
        self.heads = nn.ModuleList(perceptron(embedder.out_dim, hiddens) for _ in range(fidelities))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return scores, shape ``(B, fidelities)``."""
        if self.embedder.steps > 1:
            steps = self.embedder.anytime(*inputs)
        else:
            steps = [self.embedder(*inputs)] * len(self.heads)
        return torch.cat([head(step) for head, step in zip(self.heads, steps, strict=True)], 1)


class MultiFidelityPredictor(NeuralPredictor):
    """Scores of every fidelity from one embedder, the last being what counts.

    Args:
        embedder: Of architectures; with several steps, as TA-GATES has, the t-th is read for the t-th fidelity.
        rng: The weights of the perceptrons and the order of batches are drawn from it.
        fidelities: How many measurements there are.
        loss: Of each fidelity; they are added.
        hiddens: Widths of each perceptron.
        options: Of :class:`NeuralPredictor`.

    Raises: ConfigError when the embedder has several steps, but not one for each fidelity.

    Source: Ning et al., "TA-GATES: An Encoding Scheme for Neural Network Architectures", NeurIPS 2022 (anytime).
    """

    def __init__(
        self,
        embedder: Embedder,
        rng: np.random.Generator,
        *,
        fidelities: int,
        loss: LossName = "hinge",
        hiddens: Sequence[int] = (200, 200, 200),
        **options: Any,
    ) -> None:
        if embedder.steps not in (1, fidelities):
            raise ConfigError(
                f"the embedder has {embedder.steps} steps; give it 1, or {fidelities} as fidelities"
            )
        with seeded(rng):
            network = FidelityHeads(embedder, fidelities, hiddens)
        super().__init__(network, embedder, rng, **options)
        self.loss = LOSSES[loss]

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Train on what was measured, shape ``(B, fidelities)``; larger is better, NaN where it was not measured."""
        self.descend(graphs, targets, self._loss)

    def _loss(self, inputs: tuple[Tensor, ...], values: Tensor) -> Tensor:
        columns = zip(self.network(*inputs).unbind(1), values.unbind(1), strict=True)
        return torch.stack([self._loss_of_known(scores, known) for scores, known in columns]).sum()

    def _loss_of_known(self, scores: Tensor, values: Tensor) -> Tensor:
        known = ~values.isnan()
        return self.loss(scores[known], values[known]) if known.any() else scores.sum() * 0

    def predict(self, graphs: CellGraphs) -> Floats:
        """Return a score of the last fidelity for each architecture, shape ``(B,)``."""
        return self.predict_all(graphs)[:, -1]

    def predict_all(self, graphs: CellGraphs) -> Floats:
        """Return a score of each fidelity for each architecture, shape ``(B, fidelities)``."""
        scores: Floats = self.answer(graphs).numpy()
        return scores
