"""What every cell of a supernet has, whatever its operations: prepared inputs, a walk from node to node, an output."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from awnas_networks.aggregate import aggregation
from awnas_networks.channels import AllChannels, PartialChannels
from awnas_networks.macro import CellShape, LayerPlan
from awnas_networks.operation import NodeState
from awnas_networks.primitives.plain import Zero
from awnas_networks.primitives.table import PrimitiveTable

Step = tuple[Sequence[int], Callable[[Sequence[NodeState]], Tensor]]
"""How a node comes about: (nodes it reads, what makes the sum over its inputs of all nodes so far)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSettings:
    """What the cells of a supernet are made like.

    Args:
        bn_affine: Whether batch normalisations have weights.
        use_preprocess: Whether inputs are brought to the cell's channels and resolution.
        preprocess_affine: Whether batch normalisations on the way have weights.
        strided_op: Primitive that does it where the resolution changes.
        normal_op: Primitive that does it elsewhere.
        shortcut_op: Primitive through which the latest input is added to the output, None for no shortcut.
        partial: Operations see one in so many channels, the others go round them.
        pool_norm: Whether batch normalisation follows pools.
    """

    bn_affine: bool
    use_preprocess: bool
    preprocess_affine: bool
    strided_op: str = "skip_connect"
    normal_op: str = "relu_conv_bn_1x1"
    shortcut_op: str | None = None
    partial: int = 1
    pool_norm: bool = True


class CellFrame(nn.Module):
    """A cell without its operations.

    Args:
        table: Where primitives come from.
        space: Says what is inside.
        plan: Channels, stride and inputs of the layer.
        settings: What it is made like.
    """

    def __init__(
        self, table: PrimitiveTable, space: CellShape, plan: LayerPlan, settings: CellSettings
    ) -> None:
        super().__init__()
        self.num_inputs = len(plan.inputs)
        self.primitives = space.primitives_of(plan.group)
        self.num_nodes = self.num_inputs + space.steps_of(plan.group)
        self.concat = space.output_nodes(plan.group) or tuple(range(self.num_inputs, self.num_nodes))
        self.aggregate = aggregation(space.concat_op)
        self.channels = channels_seen(settings.partial, plan)
        self.nothing = Zero(plan.channels // settings.partial, plan.stride)
        self.preprocess = preprocessing(
            table,
            plan,
            settings.preprocess_affine,
            enabled=settings.use_preprocess,
            strided=settings.strided_op,
            normal=settings.normal_op,
        )
        self.shortcut: nn.Module | None = None
        if settings.shortcut_op:
            self.shortcut = shortcut(table, settings.shortcut_op, plan)

    def begin(self, inputs: Sequence[Tensor], used: Container[int] | None = None) -> list[NodeState]:
        """Return the input nodes for the outputs of the cells before; those that are not ``used`` are not prepared."""
        return [
            self.channels.split(op(source), is_input=True)
            if used is None or node in used
            else NodeState(source)
            for node, (op, source) in enumerate(zip(self.preprocess, inputs, strict=True))
        ]

    def run(
        self, inputs: Sequence[Tensor], steps: Iterable[Step], concat: Sequence[int], used: Container[int]
    ) -> Tensor:
        """Return the output for the outputs of the cells before, node by node.

        Args:
            inputs: Oldest first.
            steps: The inner nodes.
            concat: Nodes of the output.
            used: Inputs that some node reads.
        """
        nodes = self.begin(inputs, used)
        for sources, mix in steps:
            value = self.channels.join(mix(nodes), [nodes[source] for source in sources], None)
            nodes.append(self.channels.split(value, is_input=False))
        return self.finish(nodes, concat, inputs)

    def finish(self, nodes: Sequence[NodeState], concat: Sequence[int], inputs: Sequence[Tensor]) -> Tensor:
        """Return the output of the cell, made of the nodes ``concat``."""
        output = self.aggregate([nodes[node].value for node in concat])
        return output if self.shortcut is None else output + self.shortcut(inputs[-1])

    def members(self, used: Container[int]) -> Iterable[nn.Module]:
        """Yield the modules that an architecture uses besides its operations, when it reads the inputs ``used``."""
        yield from (op for node, op in enumerate(self.preprocess) if node in used)
        if self.shortcut is not None:
            yield self.shortcut


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


def shortcut(table: PrimitiveTable, name: str, plan: LayerPlan) -> nn.Module:
    """Return the operation that brings the latest input of a cell to the shape of its output."""
    return table.build(name, plan.inputs[-1].channels, plan.channels_out, plan.stride, True)


def channels_seen(proportion: int, plan: LayerPlan) -> AllChannels | PartialChannels:
    """Return who decides which channels of a node operations see."""
    return AllChannels() if proportion == 1 else PartialChannels(proportion, plan.channels, plan.stride)
