"""The network of one found cell genotype, built to be trained for real."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import numpy as np
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.options import Fraction, PositiveInt
from awnas_core.plugins.registry import Registry
from awnas_networks.auxiliary import AuxiliaryHead
from awnas_networks.cell_network import build_stem
from awnas_networks.final_cell import CellOptions, FinalCell
from awnas_networks.macro import CellSpace, plan_layers, spread_stem
from awnas_networks.network_final_model import NetworkFinalModel
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.genotype import CellGenotype


class CnnFinalModel(NetworkFinalModel):
    """A stack of the cells of one genotype.

    In training mode with an auxiliary head it returns ``(logits, auxiliary logits)``, else logits.

    Args:
        genotypes: Genotype text.
        init_channels: Channels of the first cell.
        layer_channels: Channels of the stem and each layer, instead of doubling at reductions.
        stem_multiplier: The stem has so many times the channels of the first cell.
        dropout_rate: Dropout before the classifier.
        dropout_path_rate: Probability of dropping a connection.
        auxiliary_head: A second classifier at two thirds of the depth: true (small images) or ``"imagenet"``.
        use_stem: Primitive of the stem, one for each input of the first cell, or None for the image itself.
        stem_stride: Stride of each stem.
        stem_affine: Whether batch normalisations of the stem have weights.
        no_fc: Return pooled features instead of logits.
        cell_use_preprocess: Bring the inputs of a cell to its channels and resolution.
        cell_pool_batchnorm: Follow pools by batch normalisation, as supernets do.
        cell_independent_conn: Give an operation that a node applies twice to the same input two sets of weights.
        cell_use_shortcut: Add the latest input of a cell to its output, from the second layer on.
        cell_shortcut_op_type: Primitive on the way.
        cell_preprocess_stride: Primitive that brings an older input to the resolution of the latest.
        cell_preprocess_normal: Primitive that brings an input to the cell's channels.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 3.2.
    """

    schedulable = ("dropout_path_rate",)

    def __init__(
        self,
        search_space: CellSpace,
        device: Device,
        rng: np.random.Generator,
        num_classes: int,
        input_shape: tuple[int, int, int],
        registry: Registry | None = None,
        *,
        genotypes: str,
        init_channels: PositiveInt = 36,
        layer_channels: tuple[PositiveInt, ...] = (),
        stem_multiplier: PositiveInt = 3,
        dropout_rate: Fraction = 0.1,
        dropout_path_rate: Fraction = 0.2,
        auxiliary_head: bool | Literal["imagenet"] = False,
        use_stem: str | tuple[str, ...] | None = "conv_bn_3x3",
        stem_stride: PositiveInt = 1,
        stem_affine: bool = True,
        no_fc: bool = False,
        cell_use_preprocess: bool = True,
        cell_pool_batchnorm: bool = False,
        cell_independent_conn: bool = False,
        cell_use_shortcut: bool = False,
        cell_shortcut_op_type: str = "skip_connect",
        cell_preprocess_stride: str = "skip_connect",
        cell_preprocess_normal: str = "relu_conv_bn_1x1",
    ) -> None:
        genotype: CellGenotype = search_space.genotype(search_space.parse(genotypes))
        make = functools.partial(
            _Network,
            PrimitiveTable(registry),
            search_space,
            genotype,
            input_shape,
            num_classes,
            init_channels=init_channels,
            layer_channels=layer_channels,
            stem_channels=layer_channels[0] if layer_channels else stem_multiplier * init_channels,
            dropout_rate=dropout_rate,
            auxiliary_head=auxiliary_head,
            stem=use_stem,
            stem_stride=stem_stride,
            stem_affine=stem_affine,
            no_fc=no_fc,
            cell=CellOptions(
                use_preprocess=cell_use_preprocess,
                pool_norm=cell_pool_batchnorm,
                independent=cell_independent_conn,
                shortcut=cell_shortcut_op_type if cell_use_shortcut else None,
                strided=cell_preprocess_stride,
                normal=cell_preprocess_normal,
            ),
        )
        super().__init__(make, input_shape, device, rng)
        self.genotype, self.dropout_path_rate = genotype, dropout_path_rate

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``; in training perhaps with auxiliary ones."""
        outputs: Tensor | tuple[Tensor, Tensor] = self.network(
            images, self.dropout_path_rate if self.training else 0.0
        )
        return outputs


class _Network(nn.Module):
    """Stem, cells, classifier and perhaps the auxiliary head."""

    def __init__(
        self,
        table: PrimitiveTable,
        space: CellSpace,
        genotype: CellGenotype,
        input_shape: Sequence[int],
        num_classes: int,
        *,
        init_channels: int,
        layer_channels: Sequence[int],
        stem_channels: int,
        dropout_rate: float,
        auxiliary_head: bool | str,
        stem: str | tuple[str, ...] | None,
        stem_stride: int,
        stem_affine: bool,
        no_fc: bool,
        cell: CellOptions,
    ) -> None:
        super().__init__()
        self.stems, channels, strides = build_stem(
            table, stem, space.num_init_nodes, input_shape[0], stem_channels, stem_stride, stem_affine
        )
        self._stem, self._num_inputs = stem, space.num_init_nodes
        plans = plan_layers(
            space,
            channels,
            strides,
            init_channels,
            lambda group: len(genotype.cells[group].concat),
            layer_channels,
        )
        self.cells = nn.ModuleList(
            FinalCell(table, genotype.cells[plan.group], plan, space.concat_op, cell, is_first=i == 0)
            for i, plan in enumerate(plans)
        )
        self.dropout = nn.Dropout(dropout_rate)
        self.classifier = nn.Identity() if no_fc else nn.Linear(plans[-1].channels_out, num_classes)
        self._auxiliary_layer = 2 * len(plans) // 3
        self.auxiliary: AuxiliaryHead | None = None
        if auxiliary_head:
            at = plans[self._auxiliary_layer]
            size = -(-input_shape[-1] // at.reduction)
            kind = "imagenet" if auxiliary_head == "imagenet" else "cifar"
            self.auxiliary = AuxiliaryHead(at.channels_out, num_classes, size, kind)

    def forward(self, images: Tensor, drop_rate: float = 0.0) -> Tensor | tuple[Tensor, Tensor]:
        outputs: list[Tensor] = []
        for stem in self.stems:
            outputs.append(stem(outputs[-1] if outputs else images))
        states = spread_stem(self._stem, outputs, images, self._num_inputs)
        auxiliary = None
        for layer, cell in enumerate(self.cells):
            states = [*states[1:], cell(states, drop_rate)]
            if layer == self._auxiliary_layer and self.auxiliary is not None and self.training:
                auxiliary = self.auxiliary(states[-1])
        logits = self.classifier(self.dropout(states[-1].mean((2, 3))))
        return logits if auxiliary is None else (logits, auxiliary)
