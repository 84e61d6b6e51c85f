"""Fixed numbers as embeddings: what a perceptron reads when it reads no graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs

SMALLEST_DEVIATION = 1e-6  # columns that are constant stay 0


class FeatureEmbedder(Embedder):
    """Features brought to mean 0 and deviation 1.

    Args:
        graphs: Mean and deviation are those of these architectures.
        rng: Not drawn from: there are no weights.
        features: Numbers of each architecture, ``(B, F)``.
    """

    def __init__(
        self,
        graphs: CellGraphs,
        rng: np.random.Generator,
        *,
        features: Callable[[CellGraphs], npt.NDArray[np.float32]] = CellGraphs.one_hot,
    ) -> None:
        super().__init__()
        found = features(graphs)
        self.features, self.out_dim = features, found.shape[1]
        deviation = found.std(0)
        deviation[deviation < SMALLEST_DEVIATION] = np.inf
        self.register_buffer("mean", torch.from_numpy(found.mean(0)))
        self.register_buffer("deviation", torch.from_numpy(deviation))
        self.mean: Tensor
        self.deviation: Tensor

    def prepare(self, graphs: CellGraphs) -> tuple[Tensor, ...]:
        """Return the features, shape ``(B, F)``."""
        return (torch.from_numpy(self.features(graphs)),)

    def forward(self, features: Tensor) -> Tensor:
        """Return standardised features, shape ``(B, F)``."""
        return (features - self.mean) / self.deviation
