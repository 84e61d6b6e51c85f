"""The supernet of DARTS and of PC-DARTS: every operation on every edge, one after the other, nothing shared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from plain.network import Inputs, Network
from plain.operations import operation, preprocess

NODES, EDGES = 4, 14


class MixedEdge(nn.Module):
    """The weighted sum of all operations, on one in ``partial`` channels."""

    def __init__(self, primitives: Sequence[str], c: int, stride: int, partial: int) -> None:
        super().__init__()
        self.partial, self.stride = partial, stride
        self.operations = nn.ModuleList(operation(name, c // partial, stride) for name in primitives)

    def forward(self, state: Tensor, weights: Tensor) -> Tensor:
        """Return what the edge adds to a node."""
        if self.partial == 1:
            return self.mixed(state, weights)
        size = state.shape[1] // self.partial
        rest = state[:, size:]
        if self.stride == 2:
            rest = functional.max_pool2d(rest, 2, 2)
        both = torch.cat([self.mixed(state[:, :size], weights), rest], 1)
        return functional.channel_shuffle(both, self.partial)

    def mixed(self, state: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted sum."""
        return sum(w * op(state) for w, op in zip(weights, self.operations, strict=True))


class MixedCell(nn.Module):
    """Four nodes, each the sum over the edges from all earlier ones."""

    def __init__(self, primitives: Sequence[str], inputs: Inputs, c: int, stride: int, partial: int) -> None:
        super().__init__()
        self.preprocess = nn.ModuleList(preprocess(c_in, c, finer, False) for c_in, finer in inputs)
        self.edges = nn.ModuleList(
            MixedEdge(primitives, c, stride if source < 2 else 1, partial)
            for node in range(NODES)
            for source in range(2 + node)
        )

    def forward(self, older: Tensor, newer: Tensor, weights: Tensor, betas: Tensor | None = None) -> Tensor:
        """Return the output for weights ``(E, P)`` of operations and, with edge normalisation, ``(E,)`` of edges."""
        states = [self.preprocess[0](older), self.preprocess[1](newer)]
        first = 0
        for _ in range(NODES):
            parts = []
            for edge, state in enumerate(states, first):
                part = self.edges[edge](state, weights[edge])
                parts.append(part if betas is None else betas[edge] * part)
            first += len(states)
            states.append(sum(parts))
        return torch.cat(states[2:], 1)


class MixedNetwork(nn.Module):
    """The network with its architecture parameters: α ``(E, P)`` and perhaps β ``(E,)`` for each group.

    Args:
        primitives: Names of the operations.
        layout: Group of each cell, 1 for reductions.
        channels: Of the first cell.
        partial: Operations see one in so many channels.
        edges: Whether edges have weights that sum to 1 over those into a node.
    """

    def __init__(
        self, primitives: Sequence[str], layout: Sequence[int], channels: int, *, partial: int, edges: bool
    ) -> None:
        super().__init__()
        self.network = Network(
            lambda _, inputs, c, stride: MixedCell(primitives, inputs, c, stride, partial),
            layout,
            channels,
            NODES,
        )
        shapes = [(EDGES, len(primitives)), (EDGES,)][: 1 + edges]
        self.logits = nn.ParameterList(nn.Parameter(torch.zeros(shape)) for _ in range(2) for shape in shapes)
        self.edges = edges

    def forward(self, images: Tensor) -> Tensor:
        """Return class logits."""
        logits = list(self.logits)
        if not self.edges:
            return self.network(images, [(alpha.softmax(-1),) for alpha in logits])
        groups = [
            (alpha.softmax(-1), edge_softmax(beta))
            for alpha, beta in zip(logits[::2], logits[1::2], strict=True)
        ]
        return self.network(images, groups)


def edge_softmax(betas: Tensor) -> Tensor:
    """Return the softmax over the edges into each node."""
    return torch.cat([part.softmax(0) for part in betas.split([2 + node for node in range(NODES)])])
