"""Primitives without weights of their own, but for the reduction of a skip connection."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from awnas_networks.primitives.average_pool import AveragePool


class Zero(nn.Module):
    """Nothing: zeros of the shape that the connection has to deliver."""

    def __init__(self, channels_out: int, stride: int) -> None:
        super().__init__()
        self.channels_out, self.stride = channels_out, stride

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → zeros ``(N, C_out, ⌈H/s⌉, ⌈W/s⌉)``, in the memory format of the input."""
        n, _, height, width = inputs.shape
        shape = n, self.channels_out, -(-height // self.stride), -(-width // self.stride)
        channels_last = inputs.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        return torch.empty(shape, dtype=inputs.dtype, device=inputs.device, memory_format=layout).zero_()


class Identity(nn.Identity):
    """The input itself; drop path leaves it alone."""


class Subsample(nn.Module):
    """Every ``stride``-th pixel.

    It stands before convolutions 1×1 in place of their stride: oneDNN 3.12 writes past its buffers in the backward pass
    of strided ones with fewer than five channels in channels-last layout.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, inputs: Tensor) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C, ⌈H/s⌉, ⌈W/s⌉)``."""
        return inputs[:, :, :: self.stride, :: self.stride]


class ShiftedConvolutions(nn.Module):
    """``stride`` convolutions 1×1, each of every ``stride``-th pixel, from one pixel further on: no pixel is dropped.

    Odd sizes are padded with zeros at the top and the left.
    """

    def __init__(self, channels: int, channels_out: int, stride: int) -> None:
        super().__init__()
        shares = [channels_out // stride + (i < channels_out % stride) for i in range(stride)]
        self.stride = stride
        self.convs = nn.ModuleList(nn.Conv2d(channels, share, 1, bias=False) for share in shares)
        self.preparation = ("shifted", stride)
        """What :meth:`prepare` depends on."""

    def forward(self, inputs: Tensor, prepared: Sequence[Tensor] | None = None) -> Tensor:
        """``(N, C, H, W)`` → ``(N, C_out, ⌈H/s⌉, ⌈W/s⌉)``; ``prepared`` is what :meth:`prepare` makes of the input."""
        parts = self.prepare(inputs) if prepared is None else prepared
        return torch.cat([conv(part) for conv, part in zip(self.convs, parts, strict=True)], 1)

    def prepare(self, inputs: Tensor) -> list[Tensor]:
        """Return the pixels that each convolution sees."""
        s = self.stride
        top, left = (-size % s for size in inputs.shape[2:])
        if top or left:
            inputs = functional.pad(inputs, (left, 0, top, 0))
        return [inputs[:, :, i::s, i::s] for i in range(s)]


def factorized_reduce(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Divide the resolution by ``stride`` without dropping pixels: ReLU, shifted convolutions, batch normalisation."""
    return nn.Sequential(
        nn.ReLU(),
        ShiftedConvolutions(channels, channels_out, stride),
        nn.BatchNorm2d(channels_out, affine=affine),
    )


def none(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """No connection."""
    return Zero(channels_out, stride)


def skip_connect(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """The input itself; with a stride, a factorised reduction."""
    return Identity() if stride == 1 else factorized_reduce(channels, channels_out, stride, affine)


def identity(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """The input itself, whatever the stride."""
    return Identity()


def avg_pool_3x3(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Mean over 3×3 pixels; those outside the image do not count."""
    return AveragePool(3, stride)


def avg_pool_2x2(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Mean over 2×2 pixels, unpadded: at stride 1 the result is a pixel smaller."""
    return nn.AvgPool2d(2, stride, 0, count_include_pad=False)


def max_pool_3x3(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Maximum over 3×3 pixels."""
    return nn.MaxPool2d(3, stride, 1)
