"""Graph convolutions: over the nodes of cells, or over their edges."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_torch.seeding import seeded


class Convolutions(nn.Module):
    """Graph convolutions ``H' = (A + I) H W + b`` with ReLU between them.

    Source: Kipf & Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR 2017; sums are not
    divided by degrees, which tell cells apart.
    """

    def __init__(self, in_dim: int, dims: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in itertools.pairwise([in_dim, *dims]))

    def forward(self, h: Tensor, adjacency: Tensor) -> Tensor:
        """Return the last information of nodes, ``(N, V, D) → (N, V, D')``; ``adjacency`` is ``(N, to, from)``."""
        for place, layer in enumerate(self.layers):
            h = torch.relu(h) if place else h
            h = layer(adjacency @ h + h)
        return h


class ConvolutionEmbedder(Embedder):
    """Embeddings of operations, and graph convolutions over what they stand on.

    Args:
        graphs: Any graphs of the space.
        rng: The weights are drawn from it.
        dims: Widths of the convolutions.
        op_dim: Size of embeddings of operations.
    """

    def __init__(
        self,
        graphs: CellGraphs,
        rng: np.random.Generator,
        *,
        dims: Sequence[int] = (128, 128),
        op_dim: int = 48,
    ) -> None:
        super().__init__()
        self.out_dim = graphs.edges.shape[1] * dims[-1]
        with seeded(rng):
            self.ops = nn.Embedding(len(graphs.operations) + 1, op_dim, padding_idx=0)
            self._set_up(graphs, op_dim)
            self.convolutions = Convolutions(op_dim, dims)

    @abstractmethod
    def _set_up(self, graphs: CellGraphs, op_dim: int) -> None:
        """Make what the convolutions begin from."""


class GcnEmbedder(ConvolutionEmbedder):
    """Graph convolutions over the nodes of each cell, averaged over those that an edge reaches.

    A node starts as the mean of the operations on the edges into it, an input node as an embedding of its own.

    Source: Shi et al., "Bridging the Gap between Sample-based and One-shot NAS with BONAS", NeurIPS 2020.
    """

    def _set_up(self, graphs: CellGraphs, op_dim: int) -> None:
        self.inner = nn.Linear(op_dim, op_dim)
        self.first = nn.Parameter(torch.randn(graphs.num_inputs, op_dim))

    def forward(self, edges: Tensor) -> Tensor:
        """Return embeddings, shape ``(B, out_dim)``, of edges as in :class:`CellGraphs`, shape ``(B, G, S, V, V)``."""
        cells = edges.flatten(0, 1)
        linked = (cells > 0).float().sum(1)  # (N, to, from)
        degree = linked.sum(2, keepdim=True)
        inner = self.inner(self.ops(cells).sum((1, 3)) / degree.clamp(min=1))
        first = self.first.expand(len(cells), -1, -1)
        h = self.convolutions(torch.cat([first, inner[:, first.shape[1] :]], 1), linked)
        return masked_mean(h, degree > 0).reshape(len(edges), -1)


class LineGcnEmbedder(ConvolutionEmbedder):
    """Graph convolutions over the edges of each cell; an edge hears from the edges into the node that it leaves."""

    def _set_up(self, graphs: CellGraphs, op_dim: int) -> None:
        possible = torch.tensor(graphs.possible()[0])
        _, to, source = possible.nonzero(as_tuple=True)
        self.register_buffer("possible", possible.flatten().nonzero().squeeze(1), persistent=False)
        self.register_buffer("follows", (source[:, None] == to[None, :]).float(), persistent=False)
        self.possible: Tensor
        self.follows: Tensor

    def forward(self, edges: Tensor) -> Tensor:
        """Return embeddings, shape ``(B, out_dim)``, of edges as in :class:`CellGraphs`, shape ``(B, G, S, V, V)``."""
        ops = edges.flatten(2).flatten(0, 1)[:, self.possible]  # (N, L)
        exists = (ops > 0).unsqueeze(-1)
        heard = self.follows * exists.transpose(1, 2)
        return masked_mean(self.convolutions(self.ops(ops), heard), exists).reshape(len(edges), -1)


def masked_mean(h: Tensor, mask: Tensor) -> Tensor:
    """Return the mean, ``(N, V, D) → (N, D)``, over nodes where ``mask``, ``(N, V, 1)``, holds; 0 if it never does."""
    return (h * mask).sum(1) / mask.sum(1).clamp(min=1)
