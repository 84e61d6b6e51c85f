"""The operations of DARTS, one module for each."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def norm(channels: int, affine: bool = False) -> nn.BatchNorm2d:
    """Batch normalisation as inside the cells."""
    return nn.BatchNorm2d(channels, affine=affine)


def separable(c: int, kernel: int, stride: int, affine: bool, dilation: int = 1) -> list[nn.Module]:
    """ReLU, depthwise and pointwise convolution, normalisation."""
    padding = dilation * (kernel // 2)
    depthwise = nn.Conv2d(c, c, kernel, stride, padding, dilation, groups=c, bias=False)
    return [nn.ReLU(), depthwise, nn.Conv2d(c, c, 1, bias=False), norm(c, affine)]


class Halved(nn.Module):
    """Half of the resolution: two convolutions, one shifted by a pixel.

    Every second pixel is taken before the convolution, not by its stride: that writes past its buffers in channels-last
    with fewer than five channels (oneDNN 3.12).
    """

    def __init__(self, c_in: int, c: int, affine: bool) -> None:
        super().__init__()
        self.even = nn.Conv2d(c_in, c // 2, 1, bias=False)
        self.odd = nn.Conv2d(c_in, c // 2, 1, bias=False)
        self.norm = norm(c, affine)

    def forward(self, x: Tensor) -> Tensor:
        """Return ``(N, C, H/2, W/2)``."""
        x = torch.relu(x)
        return self.norm(torch.cat([self.even(x[:, :, ::2, ::2]), self.odd(x[:, :, 1::2, 1::2])], 1))


class Nothing(nn.Module):
    """Zeros."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros."""
        return x[:, :, :: self.stride, :: self.stride] * 0.0


def preprocess(c_in: int, c: int, finer: int, affine: bool) -> nn.Module:
    """Bring an input, ``finer`` times the resolution of the cell's latest, to the channels of the cell."""
    if finer == 2:
        return Halved(c_in, c, affine)
    return nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c, 1, bias=False), norm(c, affine))


def operation(name: str, c: int, stride: int, affine: bool = False, pool_norm: bool = True) -> nn.Module:
    """Return an operation; in supernets a normalisation follows pools."""
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    match name.rpartition("_")[0]:
        case "sep_conv":
            return nn.Sequential(
                *separable(c, kernel, stride, affine), *separable(c, kernel, 1, affine)
            )  # fmt: skip
        case "dil_conv":
            return nn.Sequential(*separable(c, kernel, stride, affine, dilation=2))
        case "max_pool" | "avg_pool" as pool:
            pooled: nn.Module = nn.MaxPool2d(3, stride, 1)
            if pool == "avg_pool":
                pooled = nn.AvgPool2d(3, stride, 1, count_include_pad=False)
            return nn.Sequential(pooled, norm(c, affine)) if pool_norm else pooled
    if name == "none":
        return Nothing(stride)
    return Halved(c, c, affine) if stride == 2 else nn.Identity()
