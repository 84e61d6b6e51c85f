"""A cell of a final model: just the operations of its genotype."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from awnas_networks.aggregate import aggregation
from awnas_networks.cell_frame import preprocessing, shortcut
from awnas_networks.drop_path import drop_path
from awnas_networks.macro import LayerPlan
from awnas_networks.operation import NodeState, Operation, edge_operation, total
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.genotype import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOptions:
    """What all cells of a final model have in common; see the options of :class:`CnnFinalModel`."""

    use_preprocess: bool
    pool_norm: bool
    independent: bool
    shortcut: str | None
    strided: str
    normal: str


class FinalCell(nn.Module):
    """One cell; every inner node is the sum of its operations, the output is made of the concat nodes.

    An input that no node reads is not preprocessed, as in supernets: it would cost parameters that nothing uses.
    """

    def __init__(
        self,
        table: PrimitiveTable,
        cell: Cell,
        plan: LayerPlan,
        concat_op: str,
        options: CellOptions,
        *,
        is_first: bool,
    ) -> None:
        super().__init__()
        used = {source for _, source, _ in cell.connections} | set(cell.concat)
        preprocess = preprocessing(
            table, plan, True, enabled=options.use_preprocess, strided=options.strided, normal=options.normal
        )
        self.preprocess = nn.ModuleList(
            op if node in used else nn.Identity() for node, op in enumerate(preprocess)
        )
        self.operations = nn.ModuleList()
        self._edges: list[list[tuple[int, int]]] = []  # for each inner node (operation, node it reads)
        self._concat, self._aggregate = cell.concat, aggregation(concat_op)
        built: dict[tuple[str, int, int], int] = {}
        for node in sorted({to for _, _, to in cell.connections}):
            self._edges.append([])
            for connection in (c for c in cell.connections if c[2] == node):
                name, source, _ = connection
                if connection not in built or options.independent:
                    built[connection] = len(self.operations)
                    self.operations.append(self._build(table, name, source, plan, options))
                self._edges[-1].append((built[connection], source))
        self.shortcut: nn.Module | None = None
        if options.shortcut and not is_first:
            self.shortcut = shortcut(table, options.shortcut, plan)

    def forward(self, inputs: Sequence[Tensor], drop_rate: float = 0.0) -> Tensor:
        """Return the output ``(N, C_out, H, W)`` for the outputs of the cells before, oldest first."""
        nodes = [NodeState(op(source)) for op, source in zip(self.preprocess, inputs, strict=True)]
        for edges in self._edges:
            parts = (self._edge(self.operations[index], nodes[source], drop_rate) for index, source in edges)  # type: ignore[arg-type]
            nodes.append(NodeState(total(parts)))
        output = self._aggregate([nodes[node].value for node in self._concat])
        return output if self.shortcut is None else output + self.shortcut(inputs[-1])

    @staticmethod
    def _build(
        table: PrimitiveTable, name: str, source: int, plan: LayerPlan, options: CellOptions
    ) -> Operation:
        is_input = source < len(plan.inputs)
        as_it_comes = is_input and not options.use_preprocess
        return edge_operation(
            table,
            name,
            plan.channels,
            plan.stride if is_input else 1,
            True,
            channels_in=plan.inputs[source].channels if as_it_comes else None,
            pool_norm=options.pool_norm,
        )

    @staticmethod
    def _edge(operation: Operation, node: NodeState, drop_rate: float) -> Tensor:
        output: Tensor = operation(node)
        return output if operation.is_identity else drop_path(output, drop_rate)
