"""A cell whose operations belong to no connection: blocks of them, which connections are assigned to."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from awnas_networks.cell_frame import CellFrame, CellSettings
from awnas_networks.close.gate import Choice
from awnas_networks.macro import CellSpace, LayerPlan
from awnas_networks.operation import NodeState, Operation, Term, edge_operation, weighted_total
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.genotype import Cell


class GlowCell(CellFrame):
    """Global operation weights (GLOW): several blocks, each with one of every operation.

    A cell with a stride has as many blocks again for the connections that leave its inputs. An operation without
    parameters is the same in every block.

    Args:
        table: Where primitives come from.
        space: The search space.
        plan: Channels, stride and inputs of the layer.
        settings: What it is made like.
        num_blocks: Blocks.

    Source: Zhou et al., "CLOSE: Curriculum Learning On the Sharing Extent Towards Better One-shot NAS", ECCV 2022,
    section 3.2.
    """

    def __init__(
        self,
        table: PrimitiveTable,
        space: CellSpace,
        plan: LayerPlan,
        settings: CellSettings,
        *,
        num_blocks: int,
    ) -> None:
        super().__init__(table, space, plan, settings)
        make = functools.partial(self._block, table, plan.channels // settings.partial, settings.bn_affine)
        self.inner = make(1, num_blocks)
        self.outer = self.inner if plan.stride == 1 else make(plan.stride, num_blocks)

    def versions(self, name: str, source: int) -> list[Operation]:
        """Return the operation ``name`` of every block, for a connection that leaves the node ``source``."""
        blocks = self.outer if source < self.num_inputs else self.inner
        index = self.primitives.index(name)
        return [block[index] for block in blocks]  # type: ignore[index]

    def copy_block(self, block: int, parent: int) -> None:
        """Overwrite the weights of ``block`` by those of ``parent``, running statistics included."""
        for blocks in dict.fromkeys((self.inner, self.outer)):
            blocks[block].load_state_dict(blocks[parent].state_dict())

    def walk(self, cell: Cell, num_blocks: int) -> GlowWalk:
        """Return the part of this cell that one architecture uses while there are ``num_blocks``."""
        nodes: dict[int, list[Connection]] = {}
        for number, (name, source, to) in enumerate(cell.connections):
            versions = self.versions(name, source)[:num_blocks]
            nodes.setdefault(to, []).append(Connection(versions, source, number))
        return GlowWalk(self, [nodes[to] for to in sorted(nodes)], cell.concat)

    def _block(
        self, table: PrimitiveTable, channels: int, affine: bool, stride: int, num_blocks: int
    ) -> nn.ModuleList:
        blocks = nn.ModuleList()
        shared: dict[str, Operation] = {}
        for _ in range(num_blocks):
            operations = [
                shared.get(name) or edge_operation(table, name, channels, stride, affine)
                for name in self.primitives
            ]
            shared = {name: op for name, op in zip(self.primitives, operations, strict=True) if op.is_shared}
            blocks.append(nn.ModuleList(operations))
        return blocks


class Connection(NamedTuple):
    """A connection of an architecture: its operation in every block, the node it leaves, its number in the cell."""

    versions: Sequence[Operation]
    source: int
    number: int


class GlowWalk(nn.Module):
    """One cell of one architecture, borrowed from a :class:`GlowCell`; blocks are chosen when it runs.

    Args:
        cell: The cell.
        nodes: The connections into each inner node.
        concat: Nodes of the output.
    """

    def __init__(self, cell: GlowCell, nodes: Sequence[Sequence[Connection]], concat: Sequence[int]) -> None:
        super().__init__()
        self._used = frozenset(connection.source for node in nodes for connection in node)
        self.members = nn.ModuleList(cell.members(self._used))
        self.members.extend(dict.fromkeys(op for node in nodes for link in node for op in link.versions))
        self._nodes = tuple(
            (
                tuple(link for link in node if not link.versions[0].is_zero) or node[:1],
                [link.source for link in node],
            )
            for node in nodes
        )
        self._concat = tuple(concat)
        self._run = cell.run

    def forward(self, inputs: Sequence[Tensor], choice: Choice) -> Tensor:
        """Return the output ``(N, C_out, H, W)`` for the outputs of the cells before, oldest first."""
        steps = [
            (sources, functools.partial(_sum, connections, choice)) for connections, sources in self._nodes
        ]
        return self._run(inputs, steps, self._concat, self._used)


def _sum(connections: Sequence[Connection], choice: Choice, nodes: Sequence[NodeState]) -> Tensor:
    return weighted_total(_term(connection, choice, nodes) for connection in connections)


def _term(connection: Connection, choice: Choice, nodes: Sequence[NodeState]) -> Term:
    """Return what a connection adds to a node; where all blocks agree the choice has no gradient."""
    operation = connection.versions[choice.blocks[connection.number]]
    node = nodes[connection.source]
    if choice.weights is None or operation.is_shared:
        return operation(node), None
    return operation.weighted(node, choice.weights[connection.number])
