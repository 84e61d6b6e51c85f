"""A cell of the supernet: every operation on every connection, and the walk of one architecture through them."""

from __future__ import annotations

from collections.abc import Container, Sequence

from torch import Tensor, nn

from awnas_networks.aggregate import aggregation
from awnas_networks.channels import AllChannels, PartialChannels
from awnas_networks.macro import CellSpace, LayerPlan
from awnas_networks.operation import NodeState, Operation, edge_operation, total
from awnas_networks.primitives.plain import Zero
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.genotype import Cell

Term = tuple[Operation, int]
"""(operation, node it reads)."""


def preprocessing(
    table: PrimitiveTable,
    plan: LayerPlan,
    affine: bool,
    *,
    enabled: bool = True,
    strided: str = "skip_connect",
    normal: str = "relu_conv_bn_1x1",
) -> nn.ModuleList:
    """Return for each input of a cell the operation that brings it to the cell's channels and resolution."""
    if not enabled:
        return nn.ModuleList(nn.Identity() for _ in plan.inputs)
    return nn.ModuleList(
        table.build(
            strided if source.stride > 1 else normal, source.channels, plan.channels, source.stride, affine
        )
        for source in plan.inputs
    )


class SharedCell(nn.Module):
    """All operations of one layer, shared by every architecture.

    An operation without parameters is the same on every edge that leaves a node: these edges hold one module.

    Args:
        table: Where primitives come from.
        space: The search space.
        plan: Channels, stride and inputs of the layer.
        bn_affine: Whether batch normalisations have weights.
        use_preprocess: Whether inputs are brought to the cell's channels and resolution.
        preprocess_op: Primitive that does it, instead of the usual two.
        shortcut_op: Primitive through which the latest input is added to the output, None for no shortcut.
        partial: Operations see one in so many channels, the others go round them.
    """

    def __init__(
        self,
        table: PrimitiveTable,
        space: CellSpace,
        plan: LayerPlan,
        *,
        bn_affine: bool,
        use_preprocess: bool,
        preprocess_op: str | None,
        shortcut_op: str | None = None,
        partial: int = 1,
    ) -> None:
        super().__init__()
        self.num_inputs = len(plan.inputs)
        self.primitives = space.primitives_of(plan.group)
        self.num_nodes = self.num_inputs + space.steps_of(plan.group)
        self.concat = space.output_nodes(plan.group) or tuple(range(self.num_inputs, self.num_nodes))
        self.aggregate = aggregation(space.concat_op)
        self.channels = channels_seen(partial, plan)
        self.nothing = Zero(plan.channels // partial, plan.stride)
        names = {"strided": preprocess_op, "normal": preprocess_op} if preprocess_op else {}
        self.preprocess = preprocessing(table, plan, bn_affine, enabled=use_preprocess, **names)
        self.shortcut: nn.Module | None = None
        if shortcut_op:
            self.shortcut = shortcut(table, shortcut_op, plan)
        self.edges = nn.ModuleDict()
        once: dict[tuple[int, str], Operation] = {}
        for to in range(self.num_inputs, self.num_nodes):
            for source in range(to):
                stride = plan.stride if source < self.num_inputs else 1
                operations = []
                for name in self.primitives:
                    operation = once.get((source, name)) or edge_operation(
                        table, name, plan.channels // partial, stride, bn_affine
                    )
                    if operation.is_shared:
                        once[source, name] = operation
                    operations.append(operation)
                self.edges[edge_name(source, to)] = nn.ModuleList(operations)

    def operations(self, source: int, to: int) -> list[Operation]:
        """Return the operations of an edge, in the order of the primitives."""
        return list(self.edges[edge_name(source, to)])  # type: ignore[arg-type,call-overload]

    def begin(self, inputs: Sequence[Tensor], used: Container[int] | None = None) -> list[NodeState]:
        """Return the input nodes for the outputs of the cells before; those that are not ``used`` are not prepared."""
        return [
            self.channels.split(op(source), is_input=True)
            if used is None or node in used
            else NodeState(source)
            for node, (op, source) in enumerate(zip(self.preprocess, inputs, strict=True))
        ]

    def finish(self, nodes: Sequence[NodeState], concat: Sequence[int], inputs: Sequence[Tensor]) -> Tensor:
        """Return the output of the cell, made of the nodes ``concat``."""
        output = self.aggregate([nodes[node].value for node in concat])
        return output if self.shortcut is None else output + self.shortcut(inputs[-1])

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
        self.members = nn.ModuleList(op for node, op in enumerate(cell.preprocess) if node in self._used)
        self.members.extend(dict.fromkeys(op for node in nodes for op, _ in node))
        if cell.shortcut is not None:
            self.members.append(cell.shortcut)
        self._nodes = tuple((without_zeros(node), [source for _, source in node]) for node in nodes)
        self._concat = tuple(concat)
        self._begin, self._finish, self._channels = cell.begin, cell.finish, cell.channels

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the output ``(N, C_out, H, W)`` for the outputs of the cells before, oldest first."""
        nodes = self._begin(inputs, self._used)
        for terms, sources in self._nodes:
            mixed = total(operation(nodes[source]) for operation, source in terms)
            value = self._channels.join(mixed, [nodes[source] for source in sources], None)
            nodes.append(self._channels.split(value, is_input=False))
        return self._finish(nodes, self._concat, inputs)


def shortcut(table: PrimitiveTable, name: str, plan: LayerPlan) -> nn.Module:
    """Return the operation that brings the latest input of a cell to the shape of its output."""
    return table.build(name, plan.inputs[-1].channels, plan.channels_out, plan.stride, True)


def channels_seen(proportion: int, plan: LayerPlan) -> AllChannels | PartialChannels:
    """Return who decides which channels of a node operations see."""
    return AllChannels() if proportion == 1 else PartialChannels(proportion, plan.channels, plan.stride)


def without_zeros(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Return the terms that add something to a sum; the first when none does."""
    return tuple(term for term in terms if not term[0].is_zero) or tuple(terms[:1])


def edge_name(source: int, to: int) -> str:
    """Return the name of a connection in a state dict."""
    return f"f_{source}_t_{to}"
