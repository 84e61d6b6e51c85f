"""MobileNetV2 with kernels, expansions, widths and depths to choose."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from awnas_core.options import PositiveInt
from awnas_germ.blocks import ConvBnAct, MBConv
from awnas_germ.choices import choose, round_to
from awnas_germ.containers import Repeat
from awnas_germ.layers.linear import Linear

CHANNELS = (16, 24, 32, 64, 96, 160, 320)
STRIDES = (1, 2, 2, 2, 1, 2, 1)


class MobileNetV2(nn.Module):
    """Stem, seven stages of inverted residuals, head.

    Args:
        kernel_sizes: Kernels of each block's depthwise convolution to choose from.
        expansions: Expansion ratios of each block to choose from; the first stage does not expand.
        depths: Numbers of blocks of each stage to choose from; the first and the last stage have one.
        width_ratios: Ratios of the channels of each stage to choose from.
        channels: Channels of the stages at ratio 1.
        strides: Strides of the stages.
        stem_channels: Channels of the stem.
        last_channels: Features of the classifier.
        stem_stride: Stride of the stem; 1 for small images.

    Source: Sandler et al., "MobileNetV2", CVPR 2018, table 2.
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        kernel_sizes: tuple[PositiveInt, ...] = (3, 5, 7),
        expansions: tuple[PositiveInt, ...] = (2, 3, 4, 6),
        depths: tuple[PositiveInt, ...] = (2, 3, 4),
        width_ratios: tuple[float, ...] = (1.0,),
        channels: tuple[PositiveInt, ...] = CHANNELS,
        strides: tuple[PositiveInt, ...] = STRIDES,
        stem_channels: PositiveInt = 32,
        last_channels: PositiveInt = 1280,
        stem_stride: PositiveInt = 2,
    ) -> None:
        super().__init__()
        self.stem = ConvBnAct(input_shape[0], stem_channels, 3, stem_stride, act=nn.ReLU6())
        self.stages = nn.ModuleList()
        previous: Any = stem_channels
        for number, (base, stride) in enumerate(zip(channels, strides, strict=True)):
            width = round_to(choose(width_ratios, f"stages.{number}.width_ratio") * base, 8)
            at_ends = number in (0, len(channels) - 1)
            depth = choose((1,) if at_ends else depths)
            blocks = []
            for block in range(1 if at_ends else max(depths)):
                expansion = 1 if number == 0 else choose(expansions)
                kernel = choose(kernel_sizes)
                blocks.append(MBConv(previous, width, expansion, kernel, stride if block == 0 else 1))
                previous = width
            self.stages.append(Repeat(blocks, depth))
        self.head = ConvBnAct(previous, last_channels, 1, act=nn.ReLU6())
        self.classifier = Linear(last_channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        features = self.stem(images)
        for stage in self.stages:
            features = stage(features)
        return self.classifier(self.head(features).mean((2, 3)))  # type: ignore[no-any-return]
