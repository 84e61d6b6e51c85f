"""A cell in which every edge mixes its operations, weighted: the cell of gradient-based search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from awnas_networks.operation import NodeState, Term, weighted_total
from awnas_networks.shared_cell import SharedCell


@dataclass(frozen=True, slots=True)
class Mixing:
    """What the edges of one cell group weigh in one forward pass; E edges, P primitives.

    Args:
        weights: E times P weights, edge by edge, each a scalar or ``(N, 1, 1, 1)``; weights of edges are in them.
        active: E times P; False where the weight is exactly 0.
        edges: Weights of the edges alone; None for 1.
        skip: Leave operations out that are not active. Otherwise they are evaluated for the gradient of their weight.
    """

    weights: Sequence[Tensor]
    active: Sequence[bool]
    edges: Sequence[Tensor] | None
    skip: bool


def run_mixed(cell: SharedCell, mixing: Mixing, inputs: Sequence[Tensor]) -> Tensor:
    """Run a cell whose nodes are the sum over their edges, and whose edges are the weighted sum over operations.

    Args:
        cell: Where the operations are.
        mixing: Their weights.
        inputs: Outputs of the cells before, oldest first.

    Returns: The output ``(N, C_out, H, W)``.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.2, equation 2.
    """
    nodes = cell.begin(inputs)
    first = 0
    for to in range(cell.num_inputs, cell.num_nodes):
        mixed = weighted_total(_terms(cell, mixing, nodes, first))
        edges = None if mixing.edges is None else mixing.edges[first : first + to]
        nodes.append(cell.channels.split(cell.channels.join(mixed, nodes, edges), is_input=False))
        first += to
    return cell.finish(nodes, cell.concat, inputs)


def _terms(cell: SharedCell, mixing: Mixing, nodes: Sequence[NodeState], first: int) -> Iterator[Term]:
    """Yield what each operation adds to the next node, whose edges start with number ``first``."""
    is_empty = True
    for edge, node in enumerate(nodes, first):
        operations = cell.operations(edge - first, len(nodes))
        for index, operation in enumerate(operations, edge * len(operations)):
            active = mixing.active[index]
            if operation.is_zero or (mixing.skip and not active):
                continue
            is_empty = False
            yield (operation.weighted if active else operation.frozen)(node, mixing.weights[index])
    if is_empty:
        yield cell.nothing(nodes[0].seen), None
