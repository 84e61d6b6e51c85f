"""ResNet and ResNeXt with depths, widths and cardinalities to choose, as in the studies of design spaces."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from awnas_core.options import PositiveInt
from awnas_germ.blocks import ConvBnAct
from awnas_germ.choices import choose
from awnas_germ.containers import Repeat
from awnas_germ.layers.linear import Linear


class _BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut (He et al., 2016)."""

    def __init__(self, channels: Any, channels_out: Any, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            ConvBnAct(channels, channels_out, 3, stride, act=nn.ReLU()),
            ConvBnAct(channels_out, channels_out, 3),
        )
        self.shortcut = _shortcut(channels, channels_out, stride)

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.functional.relu(self.main(inputs) + self.shortcut(inputs))


class _Bottleneck(nn.Module):
    """1×1, grouped 3×3 and 1×1 convolutions beside a shortcut (Xie et al., 2017)."""

    def __init__(self, channels: Any, channels_out: Any, inner: Any, groups: Any, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            ConvBnAct(channels, inner, 1, act=nn.ReLU()),
            ConvBnAct(inner, inner, 3, stride, groups, act=nn.ReLU()),
            ConvBnAct(inner, channels_out, 1),
        )
        self.shortcut = _shortcut(channels, channels_out, stride)

    def forward(self, inputs: Tensor) -> Tensor:
        return nn.functional.relu(self.main(inputs) + self.shortcut(inputs))


class NdsResNet(nn.Module):
    """Stem, three stages of basic blocks, head; depth and width of every stage are chosen.

    Args:
        depths: Blocks of a stage to choose from.
        widths: Channels of a stage to choose from.
        stem_channels: Channels of the stem.

    Source: Radosavovic et al., "On Network Design Spaces for Visual Recognition", ICCV 2019, table 1.
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        depths: tuple[PositiveInt, ...] = (1, 2, 4, 6, 9, 13, 18),
        widths: tuple[PositiveInt, ...] = (16, 24, 32, 48, 64, 96, 128, 192, 256),
        stem_channels: PositiveInt = 16,
    ) -> None:
        super().__init__()
        self.stem = ConvBnAct(input_shape[0], stem_channels, 3, act=nn.ReLU())
        self.stages = nn.ModuleList()
        previous: Any = stem_channels
        for stage in range(3):
            width = choose(widths, f"stages.{stage}.width")
            blocks = [
                _BasicBlock(previous if block == 0 else width, width, 2 if stage and block == 0 else 1)
                for block in range(max(depths))
            ]
            self.stages.append(Repeat(blocks, choose(depths)))
            previous = width
        self.classifier = Linear(previous, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        features = self.stem(images)
        for stage in self.stages:
            features = stage(features)
        return self.classifier(features.mean((2, 3)))  # type: ignore[no-any-return]


class NdsResNeXt(nn.Module):
    """Stem, three stages of bottlenecks, head; depth, width, bottleneck ratio and groups of every stage are chosen.

    Args:
        depths: Blocks of a stage to choose from.
        widths: Output channels of a stage to choose from.
        ratios: Divisors that make the inner channels of the output channels, to choose from.
        groups: Groups of the 3×3 convolutions to choose from.
        stem_channels: Channels of the stem.

    Source: Radosavovic et al., "On Network Design Spaces for Visual Recognition", ICCV 2019, table 1 (ResNeXt-A).
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        depths: tuple[PositiveInt, ...] = (1, 2, 4, 6, 9),
        widths: tuple[PositiveInt, ...] = (16, 32, 64, 128, 256),
        ratios: tuple[PositiveInt, ...] = (1, 2, 4),
        groups: tuple[PositiveInt, ...] = (1, 2, 4),
        stem_channels: PositiveInt = 16,
    ) -> None:
        super().__init__()
        self.stem = ConvBnAct(input_shape[0], stem_channels, 3, act=nn.ReLU())
        self.stages = nn.ModuleList()
        previous: Any = stem_channels
        for stage in range(3):
            width, cardinality = (
                choose(widths, f"stages.{stage}.width"),
                choose(groups, f"stages.{stage}.groups"),
            )
            inner = width // choose(ratios, f"stages.{stage}.ratio")
            blocks = [
                _Bottleneck(
                    previous if block == 0 else width,
                    width,
                    inner,
                    cardinality,
                    2 if stage and block == 0 else 1,
                )
                for block in range(max(depths))
            ]
            self.stages.append(Repeat(blocks, choose(depths)))
            previous = width
        self.classifier = Linear(previous, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        features = self.stem(images)
        for stage in self.stages:
            features = stage(features)
        return self.classifier(features.mean((2, 3)))  # type: ignore[no-any-return]


def _shortcut(channels: Any, channels_out: Any, stride: int) -> nn.Module:
    """Return the input itself where both are the same expression or number, else a 1×1 convolution."""
    if channels is channels_out and stride == 1:
        return nn.Identity()
    return ConvBnAct(channels, channels_out, 1, stride)
