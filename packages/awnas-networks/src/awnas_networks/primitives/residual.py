"""Blocks with a shortcut: ResNet and its relatives."""

from __future__ import annotations

from functools import partial
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from awnas_core.errors import ConfigError
from awnas_networks.primitives.activations import activation_layer
from awnas_networks.primitives.convolutions import conv_bn, conv_bn_relu, dense, relu_conv_bn
from awnas_networks.primitives.plain import Identity, Subsample, factorized_reduce


class Sum(nn.Module):
    """The sum of what several modules make of the same input.

    Args:
        parts: The modules.
        after: What follows the sum.
    """

    def __init__(self, *parts: nn.Module, after: nn.Module | None = None) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.after = Identity() if after is None else after

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → what the parts agree on."""
        first, *others = self.parts
        total: Tensor = first(inputs)
        for part in others:
            total = total + part(inputs)
        outputs: Tensor = self.after(total)
        return outputs


class PaddedShortcut(nn.Module):
    """Every ``stride``-th pixel, and zeros in the additional channels: a shortcut without weights.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2, option A.
    """

    def __init__(self, channels: int, channels_out: int, stride: int) -> None:
        super().__init__()
        if channels_out < channels:
            raise ConfigError(f"a shortcut without weights cannot drop channels: {channels} → {channels_out}")
        self.added = channels_out - channels
        self.pixels = Subsample(stride)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C_out, ⌈H/s⌉, ⌈W/s⌉)``."""
        return functional.pad(self.pixels(inputs), (0, 0, 0, 0, 0, self.added))


def projection(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Return the identity where the shape stays, else a 1×1 convolution with batch normalisation."""
    if stride == 1 and channels == channels_out:
        return Identity()
    return conv_bn(channels, channels_out, stride, affine, kernel=1)


def resnet(
    channels: int,
    channels_out: int,
    stride: int,
    affine: bool,
    *,
    kernel: int = 3,
    act: str = "relu",
    branches: int = 1,
    downsample: Literal["conv", "pool"] = "conv",
) -> nn.Module:
    """Two convolutions and a shortcut; the activation follows the first, and the sum.

    Args:
        channels: Channels of the input.
        channels_out: Channels of the output.
        stride: Of the first convolution.
        affine: Whether batch normalisations have weights.
        kernel: Side of both kernels.
        act: The activation.
        branches: Parallel convolutions in place of each, which are summed.
        downsample: A shortcut that changes the shape is a convolution, or pixels and zeros.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 3.3.
    """

    def stage(before: int, stride: int) -> nn.Module:
        parts = [conv_bn(before, channels_out, stride, affine, kernel=kernel) for _ in range(branches)]
        return parts[0] if branches == 1 else Sum(*parts)

    main = nn.Sequential(stage(channels, stride), activation_layer(act), stage(channels_out, 1))
    shortcut = projection(channels, channels_out, stride, affine)
    if downsample == "pool" and not isinstance(shortcut, Identity):
        shortcut = PaddedShortcut(channels, channels_out, stride)
    return Sum(main, shortcut, after=activation_layer(act))


def resnet_bottleneck_block(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """1×1, 3×3 and 1×1 convolution with a shortcut; the one in the middle has a quarter of the channels.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.1; the stride is that of the
    3×3 convolution, as is usual since.
    """
    middle = channels_out // 4
    main = nn.Sequential(
        conv_bn_relu(channels, middle, 1, affine, kernel=1),
        conv_bn_relu(middle, middle, stride, affine, kernel=3),
        conv_bn(middle, channels_out, 1, affine, kernel=1),
    )
    return Sum(main, projection(channels, channels_out, stride, affine), after=nn.ReLU())


class WideBlock(nn.Module):
    """Normalisation and activation first, then two 3×3 convolutions and a shortcut.

    Where the shape changes, the shortcut too starts from the normalised input.

    Source: Zagoruyko and Komodakis, "Wide Residual Networks", BMVC 2016, section 2.
    """

    def __init__(self, channels: int, channels_out: int, stride: int, affine: bool) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.BatchNorm2d(channels, affine=affine), nn.ReLU())
        self.main = nn.Sequential(
            conv_bn_relu(channels, channels_out, stride, affine, kernel=3),
            *dense(channels_out, channels_out, 3, 1),
        )
        self.shortcut: nn.Module | None = None
        if stride != 1 or channels != channels_out:
            self.shortcut = nn.Sequential(*dense(channels, channels_out, 1, stride))

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C_out, ⌈H/s⌉, ⌈W/s⌉)``."""
        ready = self.before(inputs)
        beside = inputs if self.shortcut is None else self.shortcut(ready)
        total: Tensor = self.main(ready) + beside
        return total


def wideresnet_block_3x3(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """A block of a wide ResNet; see :class:`WideBlock`."""
    return WideBlock(channels, channels_out, stride, affine)


def res_reduce_block(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """A reduction that drops no pixels and a 1×1 convolution, with a shortcut."""
    if stride == 1:
        first = relu_conv_bn(channels, channels_out, 1, affine, kernel=1)
    else:
        first = factorized_reduce(channels, channels_out, stride, affine)
    main = nn.Sequential(first, relu_conv_bn(channels_out, channels_out, 1, affine, kernel=1))
    if stride == 1 and channels == channels_out:
        return Sum(main, Identity())
    return Sum(main, conv_bn_relu(channels, channels_out, stride, affine, kernel=1))


def nb201_residual_block(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """The block between the stages of NAS-Bench-201.

    Raises: ConfigError for a stride above 2.

    Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, section 2.1.
    """
    if stride not in (1, 2):
        raise ConfigError(f"the residual block of NAS-Bench-201 has stride 1 or 2, not {stride}")
    shortcut: nn.Module = Identity()
    if stride == 2:
        convolution = nn.Conv2d(channels, channels_out, 1, bias=False)
        shortcut = nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True), convolution)
    elif channels != channels_out:
        shortcut = relu_conv_bn(channels, channels_out, 1, affine, kernel=1)
    main = nn.Sequential(
        relu_conv_bn(channels, channels_out, stride, affine, kernel=3),
        relu_conv_bn(channels_out, channels_out, 1, affine, kernel=3),
    )
    return Sum(main, shortcut)


resnet_block = partial(resnet)
resnet_block_1x1 = partial(resnet, kernel=1)
resnet_block_5x5 = partial(resnet, kernel=5)
resnet_block_hardtanh = partial(resnet, act="hardtanh")
resnet_block_sigmoid = partial(resnet, act="sigmoid")
resnet_block_pool_downsample = partial(resnet, downsample="pool")
resnet_block_split = partial(resnet, branches=2)
resnet_block_split_hardtanh = partial(resnet, branches=2, act="hardtanh")
resnet_block_split_sigmoid = partial(resnet, branches=2, act="sigmoid")
