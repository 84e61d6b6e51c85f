"""Cells looked at as images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_torch.seeding import seeded


class RenasEmbedder(Embedder):
    """Convolutions over the type matrices of the cells: the number of the operation at each (to, from).

    Args:
        graphs: Any graphs of the space.
        rng: The weights are drawn from it.
        dims: Channels of the convolutions, 3×3 with batch normalisation and ReLU.

    Source: Xu et al., "ReNAS: Relativistic Evaluation of Neural Architecture Search", CVPR 2021; its matrices of FLOPs
    and parameters, which need the channels of a network, are left out.
    """

    def __init__(
        self, graphs: CellGraphs, rng: np.random.Generator, *, dims: Sequence[int] = (38, 128)
    ) -> None:
        super().__init__()
        _, groups, slots, nodes, _ = graphs.edges.shape
        self.out_dim = dims[-1] * nodes * nodes
        layers: list[nn.Module] = []
        with seeded(rng):
            for before, after in zip([groups * slots, *dims], dims, strict=False):
                layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Flatten())

    def forward(self, edges: Tensor) -> Tensor:
        """Return embeddings, shape ``(B, out_dim)``, of edges as in :class:`CellGraphs`, shape ``(B, G, S, V, V)``."""
        found: Tensor = self.layers(edges.flatten(1, 2).to(torch.get_default_dtype()))
        return found
