"""A cell of the supernet: every operation on every connection, and the walk of one architecture through them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from awnas_networks.aggregate import aggregation
from awnas_networks.macro import CellSpace, LayerPlan
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.genotype import Cell


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


def edge_operation(
    table: PrimitiveTable, name: str, channels: int, stride: int, affine: bool, *, pool_norm: bool = True
) -> nn.Module:
    """Return a primitive on a connection; pools are followed by batch normalisation when ``pool_norm``."""
    op = table.build(name, channels, channels, stride, affine)
    return nn.Sequential(op, nn.BatchNorm2d(channels, affine=affine)) if pool_norm and "pool" in name else op


class SharedCell(nn.Module):
    """All operations of one layer, shared by every architecture.

    Args:
        table: Where primitives come from.
        space: The search space.
        plan: Channels, stride and inputs of the layer.
        bn_affine: Whether batch normalisations have weights.
        use_preprocess: Whether inputs are brought to the cell's channels and resolution.
        preprocess_op: Primitive that does it, instead of the usual two.
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
    ) -> None:
        super().__init__()
        self.num_inputs = len(plan.inputs)
        self.concat_op = space.concat_op
        names = {"strided": preprocess_op, "normal": preprocess_op} if preprocess_op else {}
        self.preprocess = preprocessing(table, plan, bn_affine, enabled=use_preprocess, **names)
        self.primitives = space.primitives_of(plan.group)
        last = self.num_inputs + space.steps_of(plan.group)
        self.edges = nn.ModuleDict()
        for to in range(self.num_inputs, last):
            for source in range(to):
                stride = plan.stride if source < self.num_inputs else 1
                self.edges[edge_name(source, to)] = nn.ModuleList(
                    edge_operation(table, name, plan.channels, stride, bn_affine) for name in self.primitives
                )

    def walk(self, cell: Cell) -> CellWalk:
        """Return the part of this cell that one architecture uses."""
        index = {name: i for i, name in enumerate(self.primitives)}
        used = {source for _, source, _ in cell.connections}
        nodes: dict[int, list[tuple[nn.Module, int]]] = {}
        for name, source, to in cell.connections:
            nodes.setdefault(to, []).append((self.edges[edge_name(source, to)][index[name]], source))  # type: ignore[index]
        preprocess = [op if node in used else None for node, op in enumerate(self.preprocess)]
        return CellWalk(preprocess, [nodes[to] for to in sorted(nodes)], cell.concat, self.concat_op)


class CellWalk(nn.Module):
    """One cell of one architecture: a fixed list of operations to run, borrowed from a :class:`SharedCell`.

    Args:
        preprocess: Operation for each input, None where nothing uses the input.
        nodes: For each inner node the (operation, node it reads) to be summed.
        concat: Nodes of the output.
        concat_op: How they make it up.
    """

    def __init__(
        self,
        preprocess: Sequence[nn.Module | None],
        nodes: Sequence[Sequence[tuple[nn.Module, int]]],
        concat: Sequence[int],
        concat_op: str,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList([op for op in preprocess if op is not None])
        self.members.extend(dict.fromkeys(op for node in nodes for op, _ in node))
        self._preprocess = tuple(preprocess)
        self._nodes = tuple(tuple(node) for node in nodes)
        self._concat = tuple(concat)
        self._aggregate = aggregation(concat_op)

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the output ``(N, C_out, H, W)`` for the outputs of the cells before, oldest first."""
        states: list[Tensor] = [
            source if op is None else op(source) for op, source in zip(self._preprocess, inputs, strict=True)
        ]
        for node in self._nodes:
            op, source = node[0]
            total = op(states[source])
            for op, source in node[1:]:
                total = total + op(states[source])
            states.append(total)
        return self._aggregate([states[node] for node in self._concat])


def edge_name(source: int, to: int) -> str:
    """Return the name of a connection in a state dict."""
    return f"f_{source}_t_{to}"
