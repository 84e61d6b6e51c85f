"""The network of NAS-Bench-101, and the final model that trains one of its cells."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from awnas_core.device import Device
from awnas_core.options import PositiveInt
from awnas_networks.network_final_model import NetworkFinalModel
from awnas_networks.primitives.convolutions import conv_bn_relu
from awnas_spaces.nasbench101 import OPERATIONS, NasBench101Space
from awnas_spaces.nasbench101_graph import Bools
from awnas_spaces.nasbench101_layers import vertex_channels
from awnas_spaces.nasbench101_oneshot import NasBench101OneShotSpace


class NasBench101Network(nn.Module):
    """Stem, three stacks of cells with a pooling before the second and third, classifier.

    Args:
        matrix: Adjacency of the pruned cell.
        operations: Those of its inner vertices.
        channels: Channels of the first stack; the others have twice and four times as many.
        cells: Cells of a stack.
        image_channels: Channels of an image.
        num_classes: Outputs of the classifier.

    Source: Ying et al., "NAS-Bench-101", ICML 2019, section 2.
    """

    def __init__(
        self,
        matrix: Bools,
        operations: Sequence[str],
        channels: int,
        cells: int,
        image_channels: int,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.stem = conv_bn_relu(image_channels, channels, 1, True, kernel=3)
        self.layers = nn.Sequential()
        before = channels
        for stack in range(3):
            if stack:
                self.layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
            for _ in range(cells):
                self.layers.append(_Cell(matrix, operations, before, channels * 2**stack))
                before = channels * 2**stack
        self.classifier = nn.Linear(before, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """``(N, C, H, W)`` → logits ``(N, classes)``."""
        logits: Tensor = self.classifier(self.layers(self.stem(images)).mean((2, 3)))
        return logits


class _Cell(nn.Module):
    """Inner vertices work on the sum of what leads to them; those that lead to the output are concatenated.

    What comes from the input of the cell is projected to the channels wanted, what comes from an inner vertex loses its
    last channels where it has too many.
    """

    def __init__(self, matrix: Bools, operations: Sequence[str], channels: int, channels_out: int) -> None:
        super().__init__()
        last = len(matrix) - 1
        self._widths = [0, *vertex_channels(matrix, channels_out), channels_out]
        self._sources = [[v for v in range(1, to) if matrix[v, to]] for to in range(last + 1)]
        self.projections = nn.ModuleDict(
            {
                str(to): conv_bn_relu(channels, self._widths[to], 1, True, kernel=1)
                for to in range(1, last + 1)
                if matrix[0, to]
            }
        )
        self.operations = nn.ModuleList(
            _operation(name, width) for name, width in zip(operations, self._widths[1:last], strict=True)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        projected = {int(to): project(inputs) for to, project in self.projections.items()}
        vertices = [inputs]
        for vertex, operation in enumerate(self.operations, 1):
            terms = [vertices[source][:, : self._widths[vertex]] for source in self._sources[vertex]]
            terms += [projected[vertex]] if vertex in projected else []
            vertices.append(operation(functools.reduce(torch.add, terms)))
        last = len(vertices)
        outputs = [torch.cat([vertices[v] for v in self._sources[last]], 1)] if self._sources[last] else []
        outputs += [projected[last]] if last in projected else []
        return functools.reduce(torch.add, outputs)


def _operation(name: str, channels: int) -> nn.Module:
    if name == "maxpool3x3":
        return nn.MaxPool2d(3, 1, 1)
    return conv_bn_relu(channels, channels, 1, True, kernel=int(name[4]))


class NasBench101FinalModel(NetworkFinalModel):
    """The network of one cell of NAS-Bench-101, as the benchmark trained it.

    Args:
        genotypes: The cell as text.
        init_channels: Channels of the first stack; the others have twice and four times as many.
        cells: Cells of a stack.
    """

    def __init__(
        self,
        search_space: NasBench101Space | NasBench101OneShotSpace,
        device: Device,
        rng: np.random.Generator,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        genotypes: str,
        init_channels: PositiveInt = 128,
        cells: PositiveInt = 3,
    ) -> None:
        whole = NasBench101Space()
        text = search_space.genotype(
            search_space.parse(genotypes)
        )  # all of them write cells of the whole space
        matrix, codes = whole.pruned(whole.parse(text))
        make = functools.partial(
            NasBench101Network,
            matrix,
            [OPERATIONS[code] for code in codes],
            init_channels,
            cells,
            input_shape[0],
            num_classes,
        )
        super().__init__(make, input_shape, device, rng)
