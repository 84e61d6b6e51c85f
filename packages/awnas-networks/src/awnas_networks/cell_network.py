"""The network of a supernet: a stem, cells that architectures share, and a classifier."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from awnas_core.options import PositiveInt
from awnas_networks.cell_frame import CellFrame, CellSettings
from awnas_networks.macro import CellSpace, LayerPlan, Stem, plan_layers, spread_stem, stem_names
from awnas_networks.primitives.table import PrimitiveTable
from awnas_networks.shared_cell import SharedCell
from awnas_spaces.genotype import Cell

RunCell = Callable[[Sequence[Tensor]], Tensor]
"""Outputs of the cells before, oldest first → output of a cell."""

MakeCell = Callable[[PrimitiveTable, CellSpace, LayerPlan, CellSettings], CellFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGroup:
    """What the cells of one group do differently.

    Args:
        partial_channel_proportion: Operations see one in so many channels (PC-DARTS); 1 for all.
    """

    partial_channel_proportion: PositiveInt = 1


class CellNetwork(nn.Module):
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
        super().__init__()
        self.stems, channels, strides = build_stem(
            table, stem, space.num_init_nodes, image_channels, stem_channels, stem_stride, stem_affine
        )
        self._spread = functools.partial(spread_stem, stem)
        self._layout, self._num_inputs = space.cell_layout, space.num_init_nodes
        plans = plan_layers(space, channels, strides, init_channels, functools.partial(concat_size, space))
        self.cells = nn.ModuleList(
            make_cell(
                table,
                space,
                plan,
                CellSettings(
                    bn_affine=bn_affine,
                    use_preprocess=use_preprocess,
                    preprocess_op=preprocess_op,
                    shortcut_op=shortcut_op if layer else None,
                    partial=groups[plan.group].partial_channel_proportion,
                ),
            )
            for layer, plan in enumerate(plans)
        )
        self.dropout = nn.Dropout(dropout_rate)
        self.classifier = nn.Linear(plans[-1].channels_out, num_classes)

    @property
    def layers(self) -> list[tuple[SharedCell, int]]:
        """The cells from the stem to the classifier, each with its group."""
        return list(zip(self.cells, self._layout, strict=True))  # type: ignore[arg-type]

    def candidate(self, cells: Sequence[Cell]) -> Candidate:
        """Return the network of one architecture, the cell of each group given."""
        return Candidate(self, [cell.walk(cells[group]) for cell, group in self.layers])

    def run(self, images: Tensor, cells: Iterable[RunCell]) -> Tensor:
        """Return logits ``(N, classes)`` of images ``(N, C, H, W)``, by ``cells`` in place of the network's own."""
        outputs: list[Tensor] = []
        for stem in self.stems:
            outputs.append(stem(outputs[-1] if outputs else images))
        states = self._spread(outputs, images, self._num_inputs)
        for cell in cells:
            states = [*states[1:], cell(states)]
        logits: Tensor = self.classifier(self.dropout(states[-1].mean((2, 3))))
        return logits


class Candidate(nn.Module):
    """One architecture with the weights of the supernet; its members are the modules it uses and no others.

    Args:
        network: Whose stem and classifier it uses.
        cells: The walk through each of its cells.
    """

    def __init__(self, network: CellNetwork, cells: Iterable[nn.Module]) -> None:
        super().__init__()
        self.stems = network.stems
        self.cells = nn.ModuleList(cells)
        self.dropout, self.classifier = network.dropout, network.classifier
        self._run = network.run

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        return self._run(images, self.cells)


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
