"""Blocks of MobileNets: an expansion, a depthwise convolution, a projection."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from awnas_core.errors import ConfigError
from awnas_networks.drop_path import drop_path
from awnas_networks.primitives.activations import activation_layer
from awnas_networks.primitives.convolutions import conv_bn, conv_bn_relu
from awnas_networks.primitives.depthwise import DepthwiseConv2d
from awnas_networks.primitives.residual import Sum, projection


def make_divisible(value: float, divisor: int = 8) -> int:
    """Return a number of channels near ``value`` that ``divisor`` divides, and at least 90 % of it.

    Source: Sandler et al., "MobileNetV2", CVPR 2018, in the code of the authors.
    """
    near = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return near if near >= 0.9 * value else near + divisor


class SqueezeExcite(nn.Module):
    """Scales every channel by what the means of all channels say.

    Args:
        channels: Channels.
        reduction: The layer in between has this many times fewer.

    Source: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018; with the sigmoid and the sizes of Howard et al.,
    "Searching for MobileNetV3", ICCV 2019.
    """

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        middle = make_divisible(channels // reduction)
        self.scale = nn.Sequential(
            nn.Conv2d(channels, middle, 1), nn.ReLU(), nn.Conv2d(middle, channels, 1), nn.Hardsigmoid()
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → the same shape."""
        scales: Tensor = self.scale(inputs.mean((2, 3), keepdim=True))
        return inputs * scales


def se_module(
    channels: int, channels_out: int, stride: int, affine: bool, *, reduction: int = 4
) -> nn.Module:
    """Squeeze and excitation.

    Raises: ConfigError when it is to change the shape.
    """
    if channels != channels_out or stride != 1:
        raise ConfigError(
            f"se_module changes neither channels nor resolution; asked for {channels} → {channels_out}, stride {stride}"
        )
    return SqueezeExcite(channels, reduction)


class InvertedResidual(nn.Module):
    """Layers, and a shortcut where they keep the shape; in training whole examples may lose the layers.

    Args:
        layers: The layers.
        has_shortcut: Whether they keep the shape.
        drop_connect: Probability of losing them.
    """

    def __init__(self, layers: nn.Sequential, has_shortcut: bool, drop_connect: float) -> None:
        super().__init__()
        self.layers, self.has_shortcut, self.drop_connect = layers, has_shortcut, drop_connect

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C_out, ⌈H/s⌉, ⌈W/s⌉)``."""
        outputs: Tensor = self.layers(inputs)
        if not self.has_shortcut:
            return outputs
        return inputs + drop_path(outputs, self.drop_connect if self.training else 0.0)


def inverted_residual(
    channels: int,
    channels_out: int,
    stride: int,
    affine: bool,
    *,
    expansion: float = 6,
    kernel_size: int = 3,
    activation: str = "relu6",
    use_se: bool = False,
    drop_connect: float = 0.0,
    fused: bool = False,
) -> nn.Module:
    """An inverted residual with a linear bottleneck, with a shortcut where the shape stays.

    Args:
        channels: Channels of the input.
        channels_out: Channels of the output.
        stride: Of the depthwise convolution.
        affine: Whether batch normalisations have weights.
        expansion: Inside it has so many times the channels, rounded to a multiple of 8; without a convolution for 1.
        kernel_size: Side of the depthwise kernel.
        activation: Name of the activation.
        use_se: Whether squeeze and excitation follow the depthwise convolution.
        drop_connect: Probability that an example goes by the shortcut alone, in training.
        fused: One dense convolution does for the expansion and the depthwise one.

    Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018, section 3.3; excitation
    as in Howard et al., "Searching for MobileNetV3", ICCV 2019, section 5.
    """
    inner = channels if expansion == 1 else make_divisible(expansion * channels)
    layers: list[nn.Module] = []
    if fused or expansion != 1:
        kernel, first_stride = (kernel_size, stride) if fused else (1, 1)
        layers.append(
            conv_bn_relu(channels, inner, first_stride, affine, kernel=kernel, activation=activation)
        )
    if not fused:
        layers += _depthwise_bn_act(inner, kernel_size, stride, affine, activation)
    if use_se:
        layers.append(SqueezeExcite(inner))
    layers.append(conv_bn(inner, channels_out, 1, affine, kernel=1))
    return InvertedResidual(nn.Sequential(*layers), stride == 1 and channels == channels_out, drop_connect)


def mobilenet_block(
    channels: int,
    channels_out: int,
    stride: int,
    affine: bool,
    *,
    expansion: int,
    kernel: int = 3,
    act: str = "relu",
) -> nn.Module:
    """The block of MobileNetV2 for small images: it always expands, and at stride 1 always has a shortcut.

    A shortcut that changes the number of channels is a 1×1 convolution.
    """
    inner = make_divisible(expansion * channels)
    main = nn.Sequential(
        conv_bn_relu(channels, inner, 1, affine, kernel=1, activation=act),
        *_depthwise_bn_act(inner, kernel, stride, affine, act),
        conv_bn(inner, channels_out, 1, affine, kernel=1),
    )
    return Sum(main, projection(channels, channels_out, 1, affine)) if stride == 1 else main


def _depthwise_bn_act(channels: int, kernel: int, stride: int, affine: bool, act: str) -> list[nn.Module]:
    norm = nn.BatchNorm2d(channels, affine=affine)
    return [DepthwiseConv2d(channels, kernel, stride), norm, activation_layer(act)]


mobilenet_v2_block = partial(inverted_residual)
mobilenet_v3_block = partial(inverted_residual, activation="h_swish", use_se=True)
fused_conv_block = partial(inverted_residual, fused=True)
mobilenet_block_1 = partial(mobilenet_block, expansion=1)
mobilenet_block_3 = partial(mobilenet_block, expansion=3)
mobilenet_block_6 = partial(mobilenet_block, expansion=6)
mobilenet_block_3_5x5 = partial(mobilenet_block, expansion=3, kernel=5)
mobilenet_block_6_5x5 = partial(mobilenet_block, expansion=6, kernel=5)
mobilenet_block_1_relu6 = partial(mobilenet_block, expansion=1, act="relu6")
mobilenet_block_6_relu6 = partial(mobilenet_block, expansion=6, act="relu6")
