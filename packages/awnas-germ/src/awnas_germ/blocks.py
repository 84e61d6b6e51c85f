"""Blocks of convolutional networks, made of searchable layers; any number in them may be an expression."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from awnas_germ.choices import round_to
from awnas_germ.layers.conv import Conv2d
from awnas_germ.layers.linear import Linear
from awnas_germ.layers.norm import BatchNorm2d, LayerNorm


class ConvBnAct(nn.Sequential):
    """Convolution, batch normalisation, activation.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        kernel_size: k.
        stride: Stride.
        groups: Groups.
        act: The activation; None for none.
    """

    def __init__(
        self,
        in_channels: Any,
        out_channels: Any,
        kernel_size: Any,
        stride: Any = 1,
        groups: Any = 1,
        act: nn.Module | None = None,
    ) -> None:
        conv = Conv2d(in_channels, out_channels, kernel_size, stride, groups=groups, bias=False)
        super().__init__(conv, BatchNorm2d(out_channels), *([] if act is None else [act]))


class SepConv(nn.Sequential):
    """A depthwise convolution and a pointwise one, each with batch normalisation and activation.

    Source: Howard et al., "MobileNets", 2017, section 3.1.
    """

    def __init__(self, in_channels: Any, out_channels: Any, kernel_size: Any, stride: Any = 1) -> None:
        super().__init__(
            ConvBnAct(in_channels, in_channels, kernel_size, stride, in_channels, nn.ReLU()),
            ConvBnAct(in_channels, out_channels, 1, act=nn.ReLU()),
        )


class MBConv(nn.Module):
    """Inverted residual: expand, depthwise convolution, project; with a shortcut where the shape stays.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        expansion: Ratio of the inner channels, rounded to a multiple of 8; there is no expansion at 1.
        kernel_size: Kernel of the depthwise convolution.
        stride: Its stride, a plain number.

    Source: Sandler et al., "MobileNetV2", CVPR 2018, section 3.
    """

    def __init__(
        self, in_channels: Any, out_channels: Any, expansion: Any, kernel_size: Any, stride: int = 1
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.expansion, self.kernel_size = expansion, kernel_size
        inner = round_to(in_channels * expansion, 8)
        self.expand = None if expansion == 1 else ConvBnAct(in_channels, inner, 1, act=nn.ReLU6())
        self.depthwise = ConvBnAct(inner, inner, kernel_size, stride, inner, nn.ReLU6())
        self.project = ConvBnAct(inner, out_channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C_in, H, W)`` → ``(N, C_out, H/s, W/s)``."""
        inner = inputs if self.expand is None else self.expand(inputs)
        outputs: Tensor = self.project(self.depthwise(inner))
        return outputs + inputs if self.stride == 1 and self.in_channels == self.out_channels else outputs


class FusedConv(nn.Module):
    """Inverted residual whose expansion and depthwise convolution are one full convolution.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        expansion: Ratio of the inner channels, rounded to a multiple of 8.
        kernel_size: Kernel of the full convolution.
        stride: Its stride, a plain number.

    Source: Xiong et al., "MobileDets", CVPR 2021, section 3.2.
    """

    def __init__(
        self, in_channels: Any, out_channels: Any, expansion: Any, kernel_size: Any, stride: int = 1
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.expansion, self.kernel_size = expansion, kernel_size
        inner = round_to(in_channels * expansion, 8)
        self.expand = ConvBnAct(in_channels, inner, kernel_size, stride, act=nn.ReLU6())
        self.project = ConvBnAct(inner, out_channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C_in, H, W)`` → ``(N, C_out, H/s, W/s)``."""
        outputs: Tensor = self.project(self.expand(inputs))
        return outputs + inputs if self.stride == 1 and self.in_channels == self.out_channels else outputs


class TuckerConv(nn.Module):
    """A convolution between two pointwise ones that first compress and then expand.

    Args:
        in_channels: C_in.
        out_channels: C_out.
        compress_in: Ratio of the channels that enter the convolution to C_in.
        compress_out: Ratio of those that leave it to C_out.
        kernel_size: Kernel of the convolution.
        stride: Its stride, a plain number.

    Source: Xiong et al., "MobileDets", CVPR 2021, section 3.3.
    """

    def __init__(
        self,
        in_channels: Any,
        out_channels: Any,
        compress_in: Any,
        compress_out: Any,
        kernel_size: Any,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.stride = in_channels, out_channels, stride
        self.compress_in, self.compress_out, self.kernel_size = compress_in, compress_out, kernel_size
        first, second = round_to(in_channels * compress_in, 8), round_to(out_channels * compress_out, 8)
        self.compress = ConvBnAct(in_channels, first, 1, act=nn.ReLU6())
        self.conv = ConvBnAct(first, second, kernel_size, stride, act=nn.ReLU6())
        self.project = ConvBnAct(second, out_channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C_in, H, W)`` → ``(N, C_out, H/s, W/s)``."""
        outputs: Tensor = self.project(self.conv(self.compress(inputs)))
        return outputs + inputs if self.stride == 1 and self.in_channels == self.out_channels else outputs


class ShuffleV2Block(nn.Module):
    """A unit of ShuffleNetV2: half of the channels pass by, the other half is convolved, then all are shuffled.

    Args:
        in_channels: C_in; even.
        out_channels: C_out; at stride 1 the same expression or number as ``in_channels``.
        inner_channels: Channels between the two pointwise convolutions; half of C_out by default.
        kernel_size: Kernel of the depthwise convolutions.
        stride: 1 or 2.

    Source: Ma et al., "ShuffleNet V2", ECCV 2018, figure 3 (c) and (d).
    """

    def __init__(
        self,
        in_channels: Any,
        out_channels: Any,
        kernel_size: Any = 3,
        stride: int = 1,
        inner_channels: Any = None,
    ) -> None:
        super().__init__()
        self.stride, self.kernel_size, self.inner_channels = stride, kernel_size, inner_channels
        half = out_channels // 2
        inner = half if inner_channels is None else inner_channels
        enters = half if stride == 1 else in_channels
        self.main = nn.Sequential(
            ConvBnAct(enters, inner, 1, act=nn.ReLU()),
            ConvBnAct(inner, inner, kernel_size, stride, inner),
            ConvBnAct(inner, half, 1, act=nn.ReLU()),
        )
        self.side: nn.Module | None = None
        if stride != 1:
            self.side = nn.Sequential(
                ConvBnAct(in_channels, in_channels, kernel_size, stride, in_channels),
                ConvBnAct(in_channels, half, 1, act=nn.ReLU()),
            )

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C_in, H, W)`` → ``(N, C_out, H/s, W/s)``."""
        if self.side is None:
            passing, entering = inputs.chunk(2, 1)
            outputs = torch.cat([passing, self.main(entering)], 1)
        else:
            outputs = torch.cat([self.side(inputs), self.main(inputs)], 1)
        n, c, h, w = outputs.shape
        return outputs.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class Attention(nn.Module):
    """Multi-head self-attention; the number of heads and the embedding may be choices.

    Args:
        features: D, the embedding.
        heads: Number of heads.
        head_features: Features of a head, a plain number.

    Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017; searched as in Chen et al., "AutoFormer", ICCV
    2021, section 3.2.
    """

    def __init__(self, features: Any, heads: Any, head_features: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * head_features
        self.query, self.key, self.value = (Linear(features, inner) for _ in range(3))
        self.project = Linear(inner, features)

    def forward(self, tokens: Tensor) -> Tensor:
        """``(N, T, D)`` → the same."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(tokens), self.key(tokens), self.value(tokens))
        )
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.project(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class TransformerBlock(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer normalisation and beside a shortcut.

    Args:
        features: D.
        heads: Number of heads.
        head_features: Features of a head, a plain number.
        mlp_ratio: Ratio of the perceptron's inner features to D.

    Source: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, equations 2 and 3.
    """

    def __init__(self, features: Any, heads: Any, head_features: int, mlp_ratio: Any) -> None:
        super().__init__()
        self.heads, self.mlp_ratio = heads, mlp_ratio
        inner = features * mlp_ratio
        self.norm_1, self.attention = LayerNorm(features), Attention(features, heads, head_features)
        self.norm_2 = LayerNorm(features)
        self.mlp = nn.Sequential(Linear(features, inner), nn.GELU(), Linear(inner, features))

    def forward(self, tokens: Tensor) -> Tensor:
        """``(N, T, D)`` → the same."""
        tokens = tokens + self.attention(self.norm_1(tokens))
        return tokens + self.mlp(self.norm_2(tokens))  # type: ignore[no-any-return]
