"""The network of NAS-Bench-201 and NATS-Bench, and the final model that trains one of its cells."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.errors import ConfigError
from awnas_core.options import PositiveInt
from awnas_core.plugins.registry import Registry
from awnas_networks.network_final_model import NetworkFinalModel
from awnas_networks.primitives.convolutions import conv_bn_3x3, relu_conv_bn
from awnas_networks.primitives.residual import nb201_residual_block
from awnas_networks.primitives.table import PrimitiveTable
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nasbench201_layers import Connection


def cell_connections(space: NasBench201Space, text: str) -> list[Connection]:
    """Return the connections of a genotype text, ``none`` left out.

    Raises: GenotypeError naming the node or operation that is wrong.
    """
    named = (
        (space.operations[code], *edge) for code, edge in zip(space.parse(text), space.edges, strict=True)
    )
    return [connection for connection in named if connection[0] != "none"]


def last_layers(channels: int) -> nn.Sequential:
    """Return what stands between the last cell and the pooling."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


def stage_widths(channels: int, cells: int) -> tuple[int, ...]:
    """Return the channels of each layer: ``cells`` cells, a residual block of twice the channels, and so on."""
    return tuple(channels * 2**stage for stage in range(3) for _ in range(cells + (stage > 0)))


class NasBench201Network(nn.Module):
    """Stem, three stages of cells with a residual block before the second and third, classifier.

    Args:
        table: Where operations come from.
        cell: The connections of the cell.
        vertices: Nodes of the cell.
        widths: Channels of each layer, ``3·cells + 2`` of them; the stem has those of the first.
        image_channels: Channels of an image.
        num_classes: Outputs of the classifier.

    Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, section 2.1; Dong et al., "NATS-Bench", TPAMI 2021, section 3.1.
    """

    def __init__(
        self,
        table: PrimitiveTable,
        cell: Sequence[Connection],
        vertices: int,
        widths: Sequence[int],
        image_channels: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        cells = len(widths) // 3
        self.stem = conv_bn_3x3(image_channels, widths[0], 1, True)
        self.layers = nn.Sequential()
        channels = widths[0]
        for layer, width in enumerate(widths):
            if layer in (cells, 2 * cells + 1):
                self.layers.append(nb201_residual_block(channels, width, 2, True))
            else:
                self.layers.append(_Cell(table, cell, vertices, channels, width))
            channels = width
        self.last = last_layers(channels)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)`` → logits ``(N, classes)``."""
        features = self.last(self.layers(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


class _Cell(nn.Module):
    """Nodes that sum what the connections into them give; a node without any is zero."""

    def __init__(
        self,
        table: PrimitiveTable,
        cell: Sequence[Connection],
        vertices: int,
        channels: int,
        channels_out: int,
    ) -> None:
        super().__init__()
        self.channels_out = channels_out
        self.operations = nn.ModuleDict(
            {
                f"edge_{source}_{to}": _operation(
                    table, name, channels_out if source else channels, channels_out
                )
                for name, source, to in cell
            }
        )
        self._sources = [[source for _, source, at in cell if at == to] for to in range(1, vertices)]

    def forward(self, inputs: Tensor) -> Tensor:
        nodes = [inputs]
        for to, sources in enumerate(self._sources, 1):
            terms = [self.operations[f"edge_{source}_{to}"](nodes[source]) for source in sources]
            nodes.append(functools.reduce(torch.add, terms) if terms else self._zeros(inputs))
        return nodes[-1]

    def _zeros(self, inputs: Tensor) -> Tensor:
        return inputs.new_zeros(len(inputs), self.channels_out, *inputs.shape[2:])


def _operation(table: PrimitiveTable, name: str, channels: int, channels_out: int) -> nn.Module:
    """Return an operation; those that cannot change the number of channels are brought to it by a convolution."""
    if channels == channels_out or name.startswith("nor_conv"):
        return table.build(name, channels, channels_out, 1, True)
    if name == "skip_connect":
        return nn.Sequential(nn.Conv2d(channels, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out))
    before = relu_conv_bn(channels, channels_out, 1, True, kernel=1)
    return nn.Sequential(before, table.build(name, channels_out, channels_out, 1, True))


class NasBench201FinalModel(NetworkFinalModel):
    """The network of one cell of NAS-Bench-201, as the benchmark trained it.

    Args:
        genotypes: The cell, ``|nor_conv_3x3~0|+|…|``.
        init_channels: Channels of the first stage; the others have twice and four times as many.
        cells: Cells of a stage.
        layer_channels: Channels of each layer instead, as in the size space of NATS-Bench: cells, a residual block,
            cells, a residual block, cells.
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
        genotypes: str,
        init_channels: PositiveInt = 16,
        cells: PositiveInt = 5,
        layer_channels: tuple[PositiveInt, ...] = (),
    ) -> None:
        if layer_channels and (len(layer_channels) < 5 or len(layer_channels) % 3 != 2):
            raise ConfigError(
                "layer_channels lists the channels of 3·n cells and two residual blocks: 5, 8, 11, …; "
                f"got {len(layer_channels)}"
            )
        make = functools.partial(
            NasBench201Network,
            PrimitiveTable(registry),
            cell_connections(search_space, genotypes),
            search_space.vertices,
            layer_channels or stage_widths(init_channels, cells),
            input_shape[0],
            num_classes,
        )
        super().__init__(make, input_shape, device, rng)
