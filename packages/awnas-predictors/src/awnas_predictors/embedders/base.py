"""What every embedder is."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from awnas_predictors.graphs import CellGraphs


class Embedder(nn.Module):
    """Turns a batch of architectures into vectors; ``forward`` maps its inputs to shape ``(B, out_dim)``.

    An embedder is made as ``Kind(graphs, rng, *, ...)``: the graphs tell it the sizes and operations of the space, and
    its weights are drawn from the generator.
    """

    out_dim: int
    steps: int = 1
    """Steps of training that are encoded; where there are several, ``anytime`` returns the embedding after each."""
    anytime: Callable[..., list[Tensor]]

    def prepare(self, graphs: CellGraphs) -> tuple[Tensor, ...]:
        """Return what ``forward`` takes, a row for each architecture; prepared once, before any training."""
        return (torch.from_numpy(graphs.edges),)


class Beside(Embedder):
    """Several embeddings of the same architectures, one beside the other.

    Args:
        members: Embedders of one input each.
    """

    def __init__(self, *members: Embedder) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.preparations = [member.prepare for member in members]
        self.out_dim = sum(member.out_dim for member in members)

    def prepare(self, graphs: CellGraphs) -> tuple[Tensor, ...]:
        """Return the input of each member."""
        return tuple(part for prepare in self.preparations for part in prepare(graphs))

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return all embeddings, shape ``(B, out_dim)``."""
        return torch.cat([member(part) for member, part in zip(self.members, inputs, strict=True)], 1)
