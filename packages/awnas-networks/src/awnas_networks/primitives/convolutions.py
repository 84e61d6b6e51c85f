"""Convolutional primitives. A ReLU is never in place: the same node feeds several connections."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from awnas_core.errors import ConfigError
from awnas_networks.primitives.activations import activation_layer
from awnas_networks.primitives.depthwise import DepthwiseConv2d
from awnas_networks.primitives.dilated import DilatedConv2d
from awnas_networks.primitives.plain import Subsample

Primitive = Callable[[int, int, int, bool], nn.Module]


def pointwise(channels: int, channels_out: int) -> nn.Conv2d:
    """Return a 1×1 convolution."""
    return nn.Conv2d(channels, channels_out, 1, bias=False)


def dense(channels: int, channels_out: int, kernel: int, stride: int, bias: bool = False) -> list[nn.Module]:
    """Return the modules of a convolution that keeps the size at stride 1."""
    if kernel == 1 and stride > 1:
        return [Subsample(stride), nn.Conv2d(channels, channels_out, 1, bias=bias)]
    return [nn.Conv2d(channels, channels_out, kernel, stride, kernel // 2, bias=bias)]


def sep_conv(channels: int, channels_out: int, stride: int, affine: bool, *, kernel: int) -> nn.Module:
    """Two separable convolutions; the first carries the stride."""
    return nn.Sequential(
        nn.ReLU(),
        DepthwiseConv2d(channels, kernel, stride),
        pointwise(channels, channels),
        nn.BatchNorm2d(channels, affine=affine),
        nn.ReLU(),
        DepthwiseConv2d(channels, kernel, 1),
        pointwise(channels, channels_out),
        nn.BatchNorm2d(channels_out, affine=affine),
    )


def expanded_sep_conv(
    channels: int, channels_out: int, stride: int, affine: bool, *, kernel: int, expansion: int
) -> nn.Module:
    """Two separable convolutions with more channels in between; the second one mixes those of one origin.

    It has as many groups as there are channels outside, so that each group is as wide as the expansion.
    """
    inner = expansion * channels
    return nn.Sequential(
        nn.ReLU(),
        DepthwiseConv2d(channels, kernel, stride),
        pointwise(channels, inner),
        nn.BatchNorm2d(inner, affine=affine),
        nn.ReLU(),
        nn.Conv2d(inner, inner, kernel, 1, kernel // 2, groups=channels, bias=False),
        pointwise(inner, channels_out),
        nn.BatchNorm2d(channels_out, affine=affine),
    )


def dil_conv(channels: int, channels_out: int, stride: int, affine: bool, *, kernel: int) -> nn.Module:
    """A separable convolution of dilation 2."""
    return nn.Sequential(
        nn.ReLU(),
        DilatedConv2d(channels, channels, kernel, stride, 2, channels),
        pointwise(channels, channels_out),
        nn.BatchNorm2d(channels_out, affine=affine),
    )


def relu_conv_bn(channels: int, channels_out: int, stride: int, affine: bool, *, kernel: int) -> nn.Module:
    """ReLU, convolution, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        *dense(channels, channels_out, kernel, stride),
        nn.BatchNorm2d(channels_out, affine=affine),
    )


def conv_bn_relu(
    channels: int, channels_out: int, stride: int, affine: bool, *, kernel: int, activation: str = "relu"
) -> nn.Module:
    """Convolution, batch normalisation, ReLU or another activation."""
    return nn.Sequential(
        *dense(channels, channels_out, kernel, stride),
        nn.BatchNorm2d(channels_out, affine=affine),
        activation_layer(activation),
    )


def conv_bn(channels: int, channels_out: int, stride: int, affine: bool, *, kernel: int) -> nn.Module:
    """Convolution and batch normalisation: the stem for small images."""
    return nn.Sequential(
        *dense(channels, channels_out, kernel, stride),
        nn.BatchNorm2d(channels_out, affine=affine),
    )


def bn_conv_relu_1x1(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Batch normalisation, 1×1 convolution, ReLU."""
    return nn.Sequential(
        nn.BatchNorm2d(channels, affine=affine), *dense(channels, channels_out, 1, stride), nn.ReLU()
    )


def bn_relu(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Batch normalisation and ReLU.

    Raises: ConfigError when it is to change the shape.
    """
    if channels != channels_out or stride != 1:
        raise ConfigError(
            f"bn_relu changes neither channels nor resolution; asked for {channels} → {channels_out}, stride {stride}"
        )
    return nn.Sequential(nn.BatchNorm2d(channels, affine=affine), nn.ReLU())


def conv(
    channels: int, channels_out: int, stride: int, affine: bool, *, kernel: int, bias: bool = True
) -> nn.Module:
    """A plain convolution."""
    return nn.Sequential(*dense(channels, channels_out, kernel, stride, bias=bias))


def conv_7x1_1x7(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """ReLU, a 1×7 and a 7×1 convolution, batch normalisation; keeps the number of channels.

    Raises: ConfigError when another number of channels is asked for.
    """
    if channels != channels_out:
        raise ConfigError(f"conv_7x1_1x7 keeps the number of channels; asked for {channels} → {channels_out}")
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, 7), (1, stride), (0, 3), bias=False),
        nn.Conv2d(channels, channels, (7, 1), (stride, 1), (3, 0), bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    )


sep_conv_3x3 = partial(sep_conv, kernel=3)
sep_conv_5x5 = partial(sep_conv, kernel=5)
sep_conv_7x7 = partial(sep_conv, kernel=7)
sep_conv_3x3_exp3 = partial(expanded_sep_conv, kernel=3, expansion=3)
sep_conv_3x3_exp6 = partial(expanded_sep_conv, kernel=3, expansion=6)
sep_conv_5x5_exp3 = partial(expanded_sep_conv, kernel=5, expansion=3)
sep_conv_5x5_exp6 = partial(expanded_sep_conv, kernel=5, expansion=6)
dil_conv_3x3 = partial(dil_conv, kernel=3)
dil_conv_5x5 = partial(dil_conv, kernel=5)
relu_conv_bn_1x1 = partial(relu_conv_bn, kernel=1)
relu_conv_bn_3x3 = partial(relu_conv_bn, kernel=3)
relu_conv_bn_5x5 = partial(relu_conv_bn, kernel=5)
conv_bn_relu_1x1 = partial(conv_bn_relu, kernel=1)
conv_bn_relu_3x3 = partial(conv_bn_relu, kernel=3)
conv_bn_relu_5x5 = partial(conv_bn_relu, kernel=5)
conv_bn_3x3 = partial(conv_bn, kernel=3)
conv_1x1 = partial(conv, kernel=1)
conv_3x3 = partial(conv, kernel=3)
conv_3x3_no_bias = partial(conv, kernel=3, bias=False)
