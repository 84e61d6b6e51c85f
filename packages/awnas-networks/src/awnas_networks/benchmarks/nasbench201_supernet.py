"""The supernet of NAS-Bench-201: one set of weights for all 15,625 cells, or for mixtures of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from awnas_core.device import Device
from awnas_core.options import Fraction, PositiveFloat, PositiveInt
from awnas_core.plugins.registry import Registry
from awnas_core.rollout import Rollout
from awnas_networks.benchmarks.nasbench201 import last_layers
from awnas_networks.cell_frame import CellSettings
from awnas_networks.cell_stack import CellStack
from awnas_networks.cell_weights import CellWeights, RelaxedCellWeights
from awnas_networks.macro import InputPlan, LayerPlan, spread_stem
from awnas_networks.primitives.convolutions import conv_bn_3x3
from awnas_networks.primitives.table import PrimitiveTable
from awnas_networks.shared_cell import SharedCell
from awnas_spaces.genotype import Cell
from awnas_spaces.nasbench201 import NasBench201Space

STAGES = 3


@dataclass(frozen=True, slots=True)
class _Shape:
    """The cell as those of other spaces are described: one group, one input, the last node is the output.

    Args:
        space: The search space.
    """

    space: NasBench201Space
    concat_op: str = "sum"

    def steps_of(self, group: int) -> int:
        return self.space.vertices - 1

    def primitives_of(self, group: int) -> tuple[str, ...]:
        return self.space.operations

    def output_nodes(self, group: int) -> tuple[int, ...]:
        return (self.space.vertices - 1,)


def plan_stages(channels: int, cells: int) -> Iterator[LayerPlan]:
    """Yield the plan of every cell; the residual block before a stage brings the input of its first cell to size."""
    before = channels
    for stage in range(STAGES):
        for _ in range(cells):
            width = channels * 2**stage
            entered = InputPlan(before, 2 if before < width else 1)
            yield LayerPlan(0, (entered,), width, 1, width, 2**stage)
            before = width


def supernetwork(
    table: PrimitiveTable,
    space: NasBench201Space,
    image_channels: int,
    num_classes: int,
    *,
    channels: int,
    cells: int,
    dropout_rate: float,
    settings: CellSettings,
    stem_affine: bool,
) -> CellStack:
    """Return stem, three stages of shared cells, and classifier; options as of :class:`NasBench201SuperNet`."""
    plans = list(plan_stages(channels, cells))
    width = plans[-1].channels_out
    return CellStack(
        nn.ModuleList([conv_bn_3x3(image_channels, channels, 1, stem_affine)]),
        functools.partial(spread_stem, "conv_bn_3x3", num_init_nodes=1),
        [SharedCell(table, _Shape(space), plan, settings) for plan in plans],
        [plan.group for plan in plans],
        nn.Linear(width, num_classes),
        dropout_rate=dropout_rate,
        last=last_layers(width),
    )


class NasBench201SuperNet(CellWeights):
    """Weights that all cells of NAS-Bench-201 share, in the network of the benchmark.

    Args:
        init_channels: Channels of the first stage; the others have twice and four times as many.
        cells: Cells of a stage.
        max_grad_norm: Gradients of a candidate are clipped to this L2 norm; None for no clipping.
        dropout_rate: Dropout before the classifier.
        stem_affine: Whether the batch normalisation of the stem has weights.
        reduce_affine: Whether those of the residual blocks between stages have.
        cell_bn_affine: Whether those in cells have.

    Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, sections 2.1 and 5.
    """

    def __init__(
        self,
        search_space: NasBench201Space,
        device: Device,
        rng: np.random.Generator,
        num_classes: int,
        input_shape: tuple[int, int, int],
        registry: Registry | None = None,
        *,
        init_channels: PositiveInt = 16,
        cells: PositiveInt = 5,
        max_grad_norm: PositiveFloat | None = 5.0,
        dropout_rate: Fraction = 0.1,
        stem_affine: bool = True,
        reduce_affine: bool = True,
        cell_bn_affine: bool = False,
    ) -> None:
        settings = CellSettings(
            bn_affine=cell_bn_affine,
            use_preprocess=True,
            preprocess_affine=reduce_affine,
            strided_op="nb201_residual_block",
            normal_op="identity",
            pool_norm=False,
        )
        make = functools.partial(
            supernetwork,
            PrimitiveTable(registry),
            search_space,
            input_shape[0],
            num_classes,
            channels=init_channels,
            cells=cells,
            dropout_rate=dropout_rate,
            settings=settings,
            stem_affine=stem_affine,
        )
        super().__init__(search_space, device, rng, input_shape, make, make, max_grad_norm=max_grad_norm)

    def _cells_of(self, rollout: Rollout) -> Sequence[Cell]:
        space = self.search_space
        connections = zip(rollout.arch, space.edges, strict=True)
        named = tuple((space.operations[code], *edge) for code, edge in connections)
        return [Cell("cell", named, (space.vertices - 1,))]


class NasBench201DiffSuperNet(RelaxedCellWeights, NasBench201SuperNet):
    """The same, for mixtures of operations too; the options are those of :class:`NasBench201SuperNet`."""
