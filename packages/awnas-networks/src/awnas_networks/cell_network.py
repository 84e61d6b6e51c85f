"""The network of a supernet of cell spaces: how many channels its stem, cells and classifier have."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from awnas_core.options import PositiveInt
from awnas_networks.cell_frame import CellFrame, CellSettings
from awnas_networks.cell_stack import CellStack
from awnas_networks.macro import CellSpace, LayerPlan, Stem, plan_layers, spread_stem, stem_names
from awnas_networks.primitives.table import PrimitiveTable
from awnas_networks.shared_cell import SharedCell

MakeCell = Callable[[PrimitiveTable, CellSpace, LayerPlan, CellSettings], CellFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGroup:
    """What the cells of one group do differently.

    Args:
        partial_channel_proportion: Operations see one in so many channels (PC-DARTS); 1 for all.
    """

    partial_channel_proportion: PositiveInt = 1


class CellNetwork(CellStack):
    """Stem, shared cells and classifier.

    Args:
        table: Where primitives come from.
        space: The search space.
        image_channels: Channels of the images.
        num_classes: Number of classes.
        stem_channels: Channels of the stem.
        groups: What the cells of each group do differently.
        shortcut_op: Primitive on the shortcut from the second cell on, None for no shortcut.
        make_cell: Makes the cell of a layer.

    The rest is as in :class:`~awnas_networks.supernet.SuperNet`.
    """

    def __init__(
        self,
        table: PrimitiveTable,
        space: CellSpace,
        image_channels: int,
        num_classes: int,
        *,
        init_channels: int,
        stem_channels: int,
        dropout_rate: float,
        stem: Stem,
        stem_stride: int,
        stem_affine: bool,
        use_preprocess: bool,
        preprocess_op: str | None,
        shortcut_op: str | None,
        groups: tuple[CellGroup, ...],
        bn_affine: bool,
        make_cell: MakeCell = SharedCell,
    ) -> None:
        stems, channels, strides = build_stem(
            table, stem, space.num_init_nodes, image_channels, stem_channels, stem_stride, stem_affine
        )
        plans = plan_layers(space, channels, strides, init_channels, functools.partial(concat_size, space))
        cells = [
            make_cell(
                table,
                space,
                plan,
                CellSettings(
                    bn_affine=bn_affine,
                    use_preprocess=use_preprocess,
                    preprocess_affine=bn_affine,
                    shortcut_op=shortcut_op if layer else None,
                    partial=groups[plan.group].partial_channel_proportion,
                    strided_op=preprocess_op or "skip_connect",
                    normal_op=preprocess_op or "relu_conv_bn_1x1",
                ),
            )
            for layer, plan in enumerate(plans)
        ]
        super().__init__(
            stems,
            functools.partial(spread_stem, stem, num_init_nodes=space.num_init_nodes),
            cells,
            space.cell_layout,
            nn.Linear(plans[-1].channels_out, num_classes),
            dropout_rate=dropout_rate,
        )


def concat_size(space: CellSpace, group: int) -> int:
    """Return how many nodes make up the output of the group's cells, at most."""
    nodes = space.output_nodes(group)
    return space.steps_of(group) if nodes is None else len(nodes)


def build_stem(
    table: PrimitiveTable,
    stem: Stem,
    num_inputs: int,
    image_channels: int,
    channels: int,
    stride: int,
    affine: bool,
) -> tuple[nn.ModuleList, list[int], list[int]]:
    """Return the stem, and channels and relative stride of what it gives to each input of the first cell."""
    names = stem_names(stem, num_inputs)
    modules = nn.ModuleList(
        table.build(name, channels if i else image_channels, channels, stride, affine)
        for i, name in enumerate(names)
    )
    if not names:
        return modules, [image_channels] * num_inputs, [1] * num_inputs
    listed = not isinstance(stem, str)
    return modules, [channels] * num_inputs, [stride**i if listed else 1 for i in range(num_inputs)]
