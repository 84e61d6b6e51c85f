"""GATES and TA-GATES: architectures encoded by the information that flows through them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from awnas_predictors.embedders.base import Embedder
from awnas_predictors.graphs import CellGraphs
from awnas_torch.seeding import seeded


class Links(NamedTuple):
    """The edges of a batch of cells, whose nodes are numbered through; both of shape ``(L,)``."""

    source: Tensor
    target: Tensor

    def reversed(self) -> Links:
        """Return the edges turned round."""
        return Links(self.target, self.source)


class GateLayer(nn.Module):
    """One step of information along all edges: an operation is a soft gate on what passes through it.

    ``H'_i = Σ σ(W_o e_ij) ⊙ (W h_j) + kept_i · W h_i``, where the sum runs over the edges from any j to i.
    """

    def __init__(self, in_dim: int, out_dim: int, op_dim: int) -> None:
        super().__init__()
        self.message = nn.Linear(in_dim, out_dim, bias=False)
        self.gate = nn.Linear(op_dim, out_dim)

    def forward(self, h: Tensor, ops: Tensor, links: Links, kept: Tensor) -> Tensor:
        """Return the next information of nodes.

        Args:
            h: Information of nodes, shape ``(N, D)``.
            ops: Embeddings of the operations on edges, shape ``(L, E)``.
            links: Where the edges lead.
            kept: 1 for nodes that keep their own information, shape ``(N, 1)``.

        Returns: Shape ``(N, D')``.
        """
        sent = self.message(h)
        passed = torch.sigmoid(self.gate(ops)) * sent.index_select(0, links.source)
        return (kept * sent).index_add(0, links.target, passed)


class Flow(nn.Module):
    """Gate layers with ReLU between them."""

    def __init__(self, in_dim: int, dims: Sequence[int], op_dim: int) -> None:
        super().__init__()
        sizes = itertools.pairwise([in_dim, *dims])
        self.layers = nn.ModuleList(GateLayer(before, after, op_dim) for before, after in sizes)

    def forward(self, h: Tensor, ops: Tensor, links: Links, kept: Tensor) -> Tensor:
        """See :meth:`GateLayer.forward`."""
        for place, layer in enumerate(self.layers):
            h = layer(torch.relu(h) if place else h, ops, links, kept)
        return h


class Gates(Embedder):
    """Embeds cells by the information that reaches their outputs; the same for isomorphic cells.

    With ``steps`` above 1 this is TA-GATES: as in training, information flows forward, a signal flows back from the
    output, and the embeddings of operations with weights are updated by both, step after step.

    Args:
        graphs: Any graphs of the space; only sizes and operations are read.
        rng: The weights are drawn from it.
        dims: Widths of the gate layers.
        op_dim: Size of embeddings of operations.
        node_dim: Size of embeddings of input nodes.
        steps: Training steps that are encoded; 1 is GATES.
        update_scale: Size of an update of the operations' embeddings.

    Source: Ning et al., "A Generic Graph-based Neural Architecture Encoding Scheme for Predictor-based NAS", ECCV
    2020; Ning et al., "TA-GATES: An Encoding Scheme for Neural Network Architectures", NeurIPS 2022.
    """

    def __init__(
        self,
        graphs: CellGraphs,
        rng: np.random.Generator,
        *,
        dims: Sequence[int] = (128, 128, 128, 128, 128),
        op_dim: int = 48,
        node_dim: int = 48,
        steps: int = 1,
        update_scale: float = 0.1,
    ) -> None:
        super().__init__()
        groups, nodes = graphs.edges.shape[1], graphs.edges.shape[-1]
        self.steps, self.update_scale, self.out_dim = steps, update_scale, groups * dims[-1]
        with seeded(rng):
            self._build(len(graphs.operations), (groups, graphs.num_inputs, node_dim), dims, op_dim)
        self.register_buffer("trained", torch.tensor([False, *graphs.parametrised]), persistent=False)
        place = torch.arange(nodes)[:, None]
        self.register_buffer("first", (place < graphs.num_inputs).float(), persistent=False)
        self.register_buffer("last", (place == nodes - 1).float(), persistent=False)
        self.trained: Tensor
        self.first: Tensor
        self.last: Tensor

    def _build(self, operations: int, inputs: tuple[int, int, int], dims: Sequence[int], op_dim: int) -> None:
        """Make the layers; ``inputs`` is the shape of what input nodes hold."""
        self.ops = nn.Embedding(operations + 1, op_dim, padding_idx=0)
        self.inputs = nn.Parameter(torch.randn(inputs))
        self.forwards = Flow(inputs[-1], dims, op_dim)
        if self.steps > 1:
            width = dims[-1]
            self.turn = nn.Sequential(
                nn.Linear(self.out_dim, width), nn.ReLU(), nn.Linear(width, self.out_dim)
            )
            self.backwards = Flow(width, dims, op_dim)
            self.update = nn.Sequential(nn.Linear(op_dim + 2 * width, 128), nn.ReLU(), nn.Linear(128, op_dim))

    def forward(self, edges: Tensor) -> Tensor:
        """Return the embedding after the last step, shape ``(B, out_dim)``; see :meth:`anytime`."""
        return self.anytime(edges)[-1]

    def anytime(self, edges: Tensor) -> list[Tensor]:
        """Return the embedding after each step.

        Args:
            edges: As in :class:`CellGraphs`, shape ``(B, G, S, V, V)``.
        """
        batch, groups, _, _, nodes = edges.shape
        cells = edges.flatten(0, 1)
        cell, slot, to, source = cells.nonzero(as_tuple=True)
        links = Links(cell * nodes + source, cell * nodes + to)
        kinds = cells[cell, slot, to, source]
        start = pad(self.inputs, (0, 0, 0, nodes - self.inputs.shape[1])).repeat(batch, 1, 1).flatten(0, 1)
        first, last = (mask.repeat(len(cells), 1) for mask in (self.first, self.last))
        ops = self.ops(kinds)
        h = self.forwards(start, ops, links, first)
        found = [read_out(h, batch, groups)]
        for _ in range(1, self.steps):
            signal = self.turn(found[-1]).reshape(len(cells), 1, -1) * self.last
            back = self.backwards(signal.flatten(0, 1), ops, links.reversed(), last)
            change = self.update(torch.cat([ops.detach(), h.detach()[links.target], back[links.source]], -1))
            ops = ops + self.update_scale * change * self.trained[kinds].unsqueeze(-1)
            h = self.forwards(start, ops, links, first)
            found.append(read_out(h, batch, groups))
        return found


def read_out(h: Tensor, batch: int, groups: int) -> Tensor:
    """Return the information at the outputs of the cells of each architecture, ``(B·G·V, D) → (B, G·D)``."""
    return h.reshape(batch, groups, -1, h.shape[-1])[:, :, -1].flatten(1)
