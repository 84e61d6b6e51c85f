"""An encoder of architectures that follows the flow of information through them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from awnas_networks.close.flow_graph import FlowGraph, GraphLayout


class FlowEncoder(nn.Module):
    """Represents every node of the cells by the information that reaches it; operations are gates on the way.

    All inner nodes start alike, so that only operations and topology count, not how nodes are numbered.

    Args:
        layout: How nodes are numbered.
        op_dim: Size of the representation of an operation.
        node_dim: Size of the representation of a node before any information has flown.
        hidden_dim: The same, after a linear layer.
        flow_dims: Sizes after each step of the flow; take as many steps as a cell has inner nodes.

    Source: Ning et al., "A Generic Graph-based Neural Architecture Encoding Scheme for Predictor-based NAS" (GATES),
    ECCV 2020, section 3.2.
    """

    _input_of: Tensor
    _is_input: Tensor

    def __init__(
        self, layout: GraphLayout, *, op_dim: int, node_dim: int, hidden_dim: int, flow_dims: Sequence[int]
    ) -> None:
        super().__init__()
        self.operations = nn.Embedding(len(layout.vocabulary), op_dim)
        self.inputs = nn.Embedding(max(layout.inputs) + 1, node_dim)
        self.inner = nn.Parameter(torch.zeros(node_dim))
        self.hidden = nn.Linear(node_dim, hidden_dim)
        sizes = [hidden_dim, *flow_dims]
        self.steps = nn.ModuleList(
            FlowStep(before, after, op_dim) for before, after in itertools.pairwise(sizes)
        )
        nodes = torch.tensor(layout.inputs)
        self.register_buffer("_input_of", nodes.clamp_min(0), persistent=False)
        self.register_buffer("_is_input", (nodes >= 0).unsqueeze(1), persistent=False)

    def forward(self, graph: FlowGraph) -> Tensor:
        """Return the representations ``(V, D)`` of all nodes of an architecture; D is the last of ``flow_dims``."""
        operations = self.operations(graph.operations[graph.carriers])
        ends = graph.sources[graph.carriers], graph.targets[graph.carriers]
        nodes: Tensor = self.hidden(torch.where(self._is_input, self.inputs(self._input_of), self.inner))
        for number, step in enumerate(self.steps):
            nodes = step(torch.relu(nodes) if number else nodes, operations, ends, self._is_input)
        return nodes


class FlowStep(nn.Module):
    """One step of the flow: a node gets what its predecessors have, through the gates of the operations between.

    Args:
        before: Size of the representation of a node.
        after: Its size afterwards.
        op_dim: Size of the representation of an operation.
    """

    def __init__(self, before: int, after: int, op_dim: int) -> None:
        super().__init__()
        self.information = nn.Linear(before, after, bias=False)
        self.gate = nn.Linear(op_dim, after, bias=False)
        self.bias = nn.Parameter(torch.zeros(after))

    def forward(
        self, nodes: Tensor, operations: Tensor, ends: tuple[Tensor, Tensor], is_input: Tensor
    ) -> Tensor:
        """Return the nodes ``(V, after)``, given ``(V, before)``.

        Args:
            nodes: V representations.
            operations: One representation for each of M connections, ``(M, op_dim)``.
            ends: The nodes they come from and go to, ``(M,)`` each.
            is_input: ``(V, 1)``; inputs, which nothing flows into, keep what they have.
        """
        information = self.information(nodes)
        sources, targets = ends
        arriving = torch.sigmoid(self.gate(operations)) * information[sources]
        return (information * is_input).index_add(0, targets, arriving) + self.bias
