"""Augmenting a whole batch of images in memory at once, each image by its own seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from awnas_core.options import Fraction, NonNegativeFloat, NonNegativeInt
from awnas_torch.hashed import Seeds, uniforms

DRAWS = ("angle", "zoom", "down", "right", "mirror", "brightness", "contrast", "saturation", "y", "x")
"""The random numbers of one image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What happens to a training image, in this order; nothing by default.

    Args:
        rotate: Turn by up to so many degrees each way.
        scale: Enlarge or shrink by up to this fraction.
        shift: Move by up to so many pixels each way, black coming in.
        flip: Mirror every other image.
        brightness: Multiply by up to 1 ± this.
        contrast: Stretch around the mean of the image by up to 1 ± this.
        saturation: Stretch around the grey image by up to 1 ± this.
        cutout: Side of a square that is set to the mean of the data, at a random place, clipped at the borders.

    Source of cutout: DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
    """

    rotate: NonNegativeFloat = 0.0
    scale: Fraction = 0.0
    shift: NonNegativeInt = 0
    flip: bool = False
    brightness: Fraction = 0.0
    contrast: Fraction = 0.0
    saturation: Fraction = 0.0
    cutout: NonNegativeInt = 0

    def moved(self, images: Tensor, seeds: Seeds) -> Tensor:
        """Return images ``(n, C, H, W)`` of values from 0 (black) to 1, moved and recoloured; not cut out yet."""
        draw = _draws(seeds)
        if self.rotate or self.scale:
            angle = math.radians(self.rotate) * (2 * draw["angle"] - 1)
            images = _turned(images, angle, 1 + self.scale * (2 * draw["zoom"] - 1))
        if self.shift:
            images = _shifted(images, self.shift, draw["down"], draw["right"])
        if self.flip:
            images = torch.where(_each(draw["mirror"] < 0.5), images.flip(-1), images)
        for name, centre in (("brightness", _black), ("contrast", _mean), ("saturation", _grey)):
            if amount := getattr(self, name):
                factor = 1 + amount * (2 * draw[name] - 1)
                images = torch.lerp(centre(images), images, _each(factor).float()).clamp_(0, 1)
        return images

    def cut(self, images: Tensor, seeds: Seeds) -> Tensor:
        """Return normalised images with a square of zeros each."""
        if not self.cutout:
            return images
        draw = _draws(seeds)
        height, width = images.shape[-2:]
        rows = _covers(torch.floor(draw["y"] * height), self.cutout, height)[:, None, :, None]
        columns = _covers(torch.floor(draw["x"] * width), self.cutout, width)[:, None, None, :]
        return images.masked_fill(rows & columns, 0)


def _draws(seeds: Seeds) -> dict[str, Tensor]:
    """Return random numbers in [0, 1) by name, ``(n,)`` in float64: always the same, whichever are used."""
    return dict(zip(DRAWS, torch.from_numpy(uniforms(seeds, len(DRAWS))).unbind(1), strict=True))


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _turned(images: Tensor, angle: Tensor, zoom: Tensor) -> Tensor:
    """Rotate (clockwise) and zoom around the centre, black coming in."""
    aspect = images.shape[-2] / images.shape[-1]
    cosine, sine, zero = torch.cos(angle) / zoom, torch.sin(angle) / zoom, torch.zeros_like(angle)
    rows = [torch.stack([cosine, sine * aspect, zero], -1), torch.stack([-sine / aspect, cosine, zero], -1)]
    grid = functional.affine_grid(torch.stack(rows, 1).float(), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def _shifted(images: Tensor, limit: int, down: Tensor, right: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    ways = 2 * limit + 1
    windows = functional.pad(images, (limit,) * 4).unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(images)), :, (down * ways).long(), (right * ways).long()]


def _covers(centre: Tensor, length: int, size: int) -> Tensor:
    """Tell for each image which of ``size`` pixels lie in the square, ``(n, size)``."""
    distance = torch.arange(size) - (centre[:, None] - length // 2)
    return (distance >= 0) & (distance < length)


def _black(images: Tensor) -> Tensor:
    return torch.zeros_like(images)


def _mean(images: Tensor) -> Tensor:
    return images.mean((1, 2, 3), keepdim=True).expand_as(images)


def _grey(images: Tensor) -> Tensor:
    return images.mean(1, keepdim=True).expand_as(images)


Statistics = tuple[float, ...]
"""One number for each colour channel, on the scale from 0 to 1."""


def channel_statistics(images: Any) -> tuple[Statistics, Statistics]:
    """Return mean and standard deviation of each channel of uint8 images ``(n, C, H, W)``."""
    values = torch.as_tensor(images).transpose(0, 1).flatten(1).double() / 255
    std = values.std(1, correction=0).clamp_min(1e-6)
    return tuple(values.mean(1).tolist()), tuple(std.tolist())
