"""Stems for larger images; each reduces the resolution as it always does, whatever the stride that is asked for."""

from __future__ import annotations

from torch import nn


def imagenet_stem0(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Two 3×3 convolutions of stride 2: a quarter of the resolution."""
    return nn.Sequential(*_quarter(channels, channels_out))


def imagenet_stem1(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Three 3×3 convolutions of stride 2: an eighth of the resolution."""
    return nn.Sequential(
        *_quarter(channels, channels_out),
        nn.ReLU(),
        nn.Conv2d(channels_out, channels_out, 3, 2, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


def imagenet_stem0_7x7(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """One 7×7 convolution of stride 2: half the resolution, as in ResNet and DenseNet."""
    return nn.Sequential(
        nn.Conv2d(channels, channels_out, 7, 2, 3, bias=False),
        nn.BatchNorm2d(channels_out, affine=affine),
        nn.ReLU(),
    )


def tnas(channels: int, channels_out: int, stride: int, affine: bool) -> nn.Module:
    """Two 3×3 convolutions, each followed by a pool over 2×2 pixels: a quarter of the resolution.

    Source: Lian et al., "Towards Fast Adaptation of Neural Architectures with Meta Learning", ICLR 2020.
    """
    half = channels_out // 2
    return nn.Sequential(
        nn.Conv2d(channels, half, 3, 1, 1, bias=False),
        nn.BatchNorm2d(half, affine=affine),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(half, channels_out, 3, 1, 1, bias=False),
        nn.BatchNorm2d(channels_out, affine=affine),
        nn.MaxPool2d(2),
    )


def _quarter(channels: int, channels_out: int) -> list[nn.Module]:
    half = channels_out // 2
    return [
        nn.Conv2d(channels, half, 3, 2, 1, bias=False),
        nn.BatchNorm2d(half),
        nn.ReLU(),
        nn.Conv2d(half, channels_out, 3, 2, 1, bias=False),
        nn.BatchNorm2d(channels_out),
    ]
