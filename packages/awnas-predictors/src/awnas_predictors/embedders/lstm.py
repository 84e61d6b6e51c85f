"""Cells read as sequences."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_torch.seeding import seeded


class LstmEmbedder(Embedder):
    """A long short-term memory that reads the edges of the cells, each as its operation and its place.

    What it says after each edge is brought to length 1, averaged, and brought to length 1 again.

    Args:
        graphs: Any graphs of the space.
        rng: The weights are drawn from it.
        op_dim: Size of embeddings of operations.
        place_dim: Size of embeddings of places.
        hidden: Size of the memory.

    Source: Luo et al., "Neural Architecture Optimization", NeurIPS 2018.
    """

    def __init__(
        self,
        graphs: CellGraphs,
        rng: np.random.Generator,
        *,
        op_dim: int = 48,
        place_dim: int = 48,
        hidden: int = 96,
    ) -> None:
        super().__init__()
        places = torch.from_numpy(np.flatnonzero(graphs.possible()))
        self.out_dim = hidden
        with seeded(rng):
            self.ops = nn.Embedding(len(graphs.operations) + 1, op_dim, padding_idx=0)
            self.places = nn.Embedding(len(places), place_dim)
            self.lstm = nn.LSTM(op_dim + place_dim, hidden, batch_first=True)
        self.register_buffer("possible", places, persistent=False)
        self.possible: Tensor

    def forward(self, edges: Tensor) -> Tensor:
        """Return embeddings, shape ``(B, hidden)``, of edges as in :class:`CellGraphs`, shape ``(B, G, S, V, V)``."""
        ops = edges.flatten(1)[:, self.possible]  # (B, L)
        counts = (ops > 0).sum(1, keepdim=True)
        # edges that exist come first, in their order; the padding after them is never averaged
        order = (ops == 0).long().argsort(dim=1, stable=True)[:, : max(1, int(counts.max()))]
        said, _ = self.lstm(torch.cat([self.ops(ops.gather(1, order)), self.places(order)], -1))
        read = torch.arange(order.shape[1]) < counts
        return normalize((normalize(said, dim=-1) * read.unsqueeze(-1)).sum(1), dim=-1)
