"""A cell of the supernet: every operation on every connection, and the walk of one architecture through them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from torch import Tensor, nn

from awnas_networks.cell_frame import CellFrame, CellSettings, Step
from awnas_networks.macro import CellShape, LayerPlan
from awnas_networks.operation import NodeState, Operation, edge_operation, total
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.genotype import Cell

Term = tuple[Operation, int]
"""(operation, node it reads)."""


class SharedCell(CellFrame):
    """All operations of one layer, shared by every architecture.

    An operation without parameters is the same on every edge that leaves a node: these edges hold one module.

    Args:
        table: Where primitives come from.
        space: Says what is inside.
        plan: Channels, stride and inputs of the layer.
        settings: What it is made like.
    """

    def __init__(
        self, table: PrimitiveTable, space: CellShape, plan: LayerPlan, settings: CellSettings
    ) -> None:
        super().__init__(table, space, plan, settings)
        self.edges = nn.ModuleDict()
        once: dict[tuple[int, str], Operation] = {}
        for to in range(self.num_inputs, self.num_nodes):
            for source in range(to):
                stride = plan.stride if source < self.num_inputs else 1
                operations = []
                for name in self.primitives:
                    operation = once.get((source, name)) or edge_operation(
                        table,
                        name,
                        plan.channels // settings.partial,
                        stride,
                        settings.bn_affine,
                        pool_norm=settings.pool_norm,
                    )
                    if operation.is_shared:
                        once[source, name] = operation
                    operations.append(operation)
                self.edges[edge_name(source, to)] = nn.ModuleList(operations)

    def operations(self, source: int, to: int) -> list[Operation]:
        """Return the operations of an edge, in the order of the primitives."""
        return list(self.edges[edge_name(source, to)])  # type: ignore[arg-type,call-overload]

    def walk(self, cell: Cell) -> CellWalk:
        """Return the part of this cell that one architecture uses."""
        index = {name: i for i, name in enumerate(self.primitives)}
        nodes: dict[int, list[Term]] = {}
        for name, source, to in cell.connections:
            nodes.setdefault(to, []).append((self.operations(source, to)[index[name]], source))
        return CellWalk(self, [nodes[to] for to in sorted(nodes)], cell.concat)


class CellWalk(nn.Module):
    """One cell of one architecture: a fixed list of operations to run, borrowed from a :class:`SharedCell`.

    Args:
        cell: The cell.
        nodes: For each inner node the (operation, node it reads) to be summed.
        concat: Nodes of the output.
    """

    def __init__(self, cell: SharedCell, nodes: Sequence[Sequence[Term]], concat: Sequence[int]) -> None:
        super().__init__()
        self._used = frozenset(source for node in nodes for _, source in node)
        self.members = nn.ModuleList(cell.members(self._used))
        self.members.extend(dict.fromkeys(op for node in nodes for op, _ in node))
        self._steps: list[Step] = [
            ([source for _, source in node], functools.partial(_sum, without_zeros(node))) for node in nodes
        ]
        self._concat = tuple(concat)
        self._run = cell.run

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the output ``(N, C_out, H, W)`` for the outputs of the cells before, oldest first."""
        return self._run(inputs, self._steps, self._concat, self._used)


def _sum(terms: Sequence[Term], nodes: Sequence[NodeState]) -> Tensor:
    return total(operation(nodes[source]) for operation, source in terms)


def without_zeros(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Return the terms that add something to a sum; the first when none does."""
    return tuple(term for term in terms if not term[0].is_zero) or tuple(terms[:1])


def edge_name(source: int, to: int) -> str:
    """Return the name of a connection in a state dict."""
    return f"f_{source}_t_{to}"
