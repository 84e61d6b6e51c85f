"""The MobileDet backbone: inverted, fused and compressed blocks to choose from, place by place."""

from __future__ import annotations

from torch import Tensor, nn

from awnas_core.options import PositiveInt
from awnas_germ.blocks import ConvBnAct, FusedConv, MBConv, TuckerConv
from awnas_germ.choices import choose, round_to
from awnas_germ.containers import MixedOp
from awnas_germ.layers.linear import Linear


class MobileDet(nn.Module):
    """Stem, stages whose every block is one of three kinds, head.

    Args:
        kernel_sizes: Kernels of each kind of block to choose from.
        expansions: Expansion ratios of inverted and fused blocks to choose from.
        compressions: Ratios on either side of a compressed convolution to choose from.
        width_ratios: Ratios of the channels of each stage to choose from.
        channels: Channels of stem and stages at ratio 1.
        strides: Strides of the stages.
        repeats: Blocks of each stage.
        stem_stride: Stride of the stem; 1 for small images.

    Source: Xiong et al., "MobileDets: Searching for Object Detection Architectures for Mobile Accelerators", CVPR
    2021, section 4.
    """

    def __init__(
        self,
        num_classes: int,
        input_shape: tuple[int, int, int],
        *,
        kernel_sizes: tuple[PositiveInt, ...] = (3, 5),
        expansions: tuple[PositiveInt, ...] = (4, 8),
        compressions: tuple[float, ...] = (0.25, 0.75),
        width_ratios: tuple[float, ...] = (0.5, 0.625, 0.75, 1.0, 1.25, 1.5, 2.0),
        channels: tuple[PositiveInt, ...] = (32, 16, 32, 64, 128, 160),
        strides: tuple[PositiveInt, ...] = (1, 2, 2, 2, 2),
        repeats: tuple[PositiveInt, ...] = (1, 4, 4, 4, 4),
        stem_stride: PositiveInt = 2,
    ) -> None:
        super().__init__()
        stem, *stages = channels
        self.stem = ConvBnAct(input_shape[0], stem, 3, stem_stride, act=nn.ReLU6())
        previous = stem
        blocks: list[nn.Module] = []
        for stage, (base, stride, count) in enumerate(zip(stages, strides, repeats, strict=True)):
            width = round_to(choose(width_ratios, f"stages.{stage}.width_ratio") * base, 8)
            for number in range(count):
                at = stride if number == 0 else 1
                blocks.append(
                    MixedOp(
                        {
                            "inverted": MBConv(previous, width, choose(expansions), choose(kernel_sizes), at),
                            "fused": FusedConv(previous, width, choose(expansions), choose(kernel_sizes), at),
                            "tucker": TuckerConv(
                                previous, width, choose(compressions), choose(compressions), choose(kernel_sizes), at
                            ),
                        }
                    )
                )  # fmt: skip
                previous = width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = Linear(previous, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(N, classes)`` for images ``(N, C, H, W)``."""
        return self.classifier(self.blocks(self.stem(images)).mean((2, 3)))  # type: ignore[no-any-return]
