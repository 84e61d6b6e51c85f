"""ShuffleNetV2 with kernels and inner widths to choose."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from awnas_core.options import PositiveInt
from awnas_germ.blocks import ConvBnAct, ShuffleV2Block
from awnas_germ.choices import choose, round_to
from awnas_germ.layers.linear import Linear


class ShuffleNetV2(nn.Module):
    """Stem, three stages of shuffle units, head.

    Args:
        kernel_sizes: Kernels of each unit to choose from.
        inner_ratios: Ratios of each unit's inner channels to half of its output to choose from.
        channels: Channels of stem, stages and head; those of stages are even.
        repeats: Units of each stage.
        stem_stride: Stride of the stem; 1 for small images.
        stem_pool: Whether a 3×3 maximum of stride 2 follows the stem.

    Source: Ma et al., "ShuffleNet V2", ECCV 2018, table 5; kernels searched as in Guo et al., "Single Path One-Shot",
    ECCV 2020.
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        kernel_sizes: tuple[PositiveInt, ...] = (3, 5, 7),
        inner_ratios: tuple[float, ...] = (0.5, 1.0),
        channels: tuple[PositiveInt, ...] = (24, 116, 232, 464, 1024),
        repeats: tuple[PositiveInt, ...] = (4, 8, 4),
        stem_stride: PositiveInt = 2,
        stem_pool: bool = True,
    ) -> None:
        super().__init__()
        first, *stages, last = channels
        self.stem = ConvBnAct(input_shape[0], first, 3, stem_stride, act=nn.ReLU())
        self.pool = nn.MaxPool2d(3, 2, 1) if stem_pool else nn.Identity()
        units: list[nn.Module] = []
        previous = first
        for width, count in zip(stages, repeats, strict=True):
            for unit in range(count):
                ratio: Any = choose(inner_ratios)
                inner = width // 2 if ratio == 1 else round_to(ratio * (width // 2), 2)
                stride = 2 if unit == 0 else 1
                units.append(ShuffleV2Block(previous, width, choose(kernel_sizes), stride, inner))
                previous = width
        self.units = nn.Sequential(*units)
        self.head = ConvBnAct(previous, last, 1, act=nn.ReLU())
        self.classifier = Linear(last, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        features = self.head(self.units(self.pool(self.stem(images))))
        return self.classifier(features.mean((2, 3)))  # type: ignore[no-any-return]
