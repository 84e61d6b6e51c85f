"""Blocks of VGG and DenseNet, and a block for looking into."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_networks.drop_path import drop_path
from awnas_networks.primitives.convolutions import dense, relu_conv_bn, sep_conv


def vgg_block(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """A 3×3 convolution with bias, batch normalisation and ReLU; a stride is that of the pool after it.

    Source: Simonyan and Zisserman, "Very Deep Convolutional Networks", ICLR 2015, with batch normalisation.
    """
    layers = [
        *dense(channels, channels_out, 3, 1, bias=True),
        nn.BatchNorm2d(channels_out, affine=affine),
        nn.ReLU(),
    ]
    return nn.Sequential(*layers, *([nn.MaxPool2d(stride, ceil_mode=True)] if stride > 1 else []))


class DenseBlock(nn.Module):
    """Adds channels to the input: normalisation and activation, a 1×1 convolution, and the same with 3×3.

    Args:
        channels: Channels of the input.
        growth: Channels that are added.
        affine: Whether batch normalisations have weights.
        bottleneck: The 1×1 convolution gives so many times the growth.
        drop_rate: Probability that an example gets zeros for the new channels, in training.

    Source: Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, section 3 (DenseNet-B).
    """

    def __init__(
        self, channels: int, growth: int, affine: bool, *, bottleneck: float = 4, drop_rate: float = 0.0
    ) -> None:
        super().__init__()
        middle = int(bottleneck * growth)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(channels, affine=affine),
            nn.ReLU(),
            *dense(channels, middle, 1, 1),
            nn.BatchNorm2d(middle, affine=affine),
            nn.ReLU(),
            *dense(middle, growth, 3, 1),
        )
        self.drop_rate = drop_rate

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C + growth, H, W)``, the new channels first."""
        new = drop_path(self.layers(inputs), self.drop_rate if self.training else 0.0)
        return torch.cat([new, inputs], 1)


def dense_block(
    channels: int,
    channels_out: int,
    stride: int,
    affine: bool,
    *,
    bottleneck: float = 4,
    drop_rate: float = 0.0,
) -> nn.Module:
    """Grow from ``channels`` to ``channels_out``; see :class:`DenseBlock`.

    Raises: ConfigError when it is to shrink, or to reduce the resolution.
    """
    if channels_out <= channels or stride != 1:
        raise ConfigError(
            f"dense_block adds channels at the same resolution; asked for {channels} → {channels_out}, stride {stride}"
        )
    return DenseBlock(channels, channels_out - channels, affine, bottleneck=bottleneck, drop_rate=drop_rate)


def dense_reduce_block(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """The transition between dense blocks: normalisation, activation, a 1×1 convolution, the mean over 2×2 pixels.

    Raises: ConfigError for a stride other than 2.

    Source: Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, section 3.
    """
    if stride != 2:
        raise ConfigError(f"dense_reduce_block halves the resolution; asked for stride {stride}")
    return nn.Sequential(
        nn.BatchNorm2d(channels, affine=affine),
        nn.ReLU(),
        *dense(channels, channels_out, 1, 1),
        nn.AvgPool2d(2, ceil_mode=True),
    )


class OneOf(nn.Module):
    """Whatever module is drawn, uniformly, each time it runs.

    Args:
        choices: The modules.
    """

    def __init__(self, *choices: nn.Module) -> None:
        super().__init__()
        self.choices = nn.ModuleList(choices)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → what the drawn one makes of it."""
        drawn = int(torch.randint(len(self.choices), ()))
        outputs: Tensor = self.choices[drawn](inputs)
        return outputs


def inspect_block(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """A 3×3, 1×1 or separable convolution, drawn each time it runs: for looking into how a search copes with noise."""
    return OneOf(
        relu_conv_bn(channels, channels_out, stride, affine, kernel=3),
        relu_conv_bn(channels, channels_out, stride, affine, kernel=1),
        sep_conv(channels, channels_out, stride, affine, kernel=3),
    )
