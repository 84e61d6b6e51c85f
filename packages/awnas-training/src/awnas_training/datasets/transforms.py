"""From a picture of any size to a normalised tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torchvision.transforms import v2

from awnas_training.datasets.augmentation import Statistics
from awnas_training.datasets.cutout import Cutout

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def training(
    geometry: Sequence[Any],
    mean: Statistics,
    std: Statistics,
    *,
    flip: bool,
    color_jitter: bool,
    cutout: int | None,
) -> Any:
    """Return the transform of training images.

    Args:
        geometry: What brings a picture to its size.
        mean: Of each channel.
        std: Of each channel.
        flip: Mirror every other picture.
        color_jitter: Change brightness, contrast and saturation by up to 0.4, and hue by up to 0.2.
        cutout: Side of a square of zeros.
    """
    steps = [*geometry, *([v2.RandomHorizontalFlip()] if flip else [])]
    if color_jitter:
        steps.append(v2.ColorJitter(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.2))
    return v2.Compose([*steps, *_to_tensor(mean, std), *([Cutout(cutout)] if cutout else [])])


def measuring(geometry: Sequence[Any], mean: Statistics, std: Statistics) -> Any:
    """Return the transform of images that a network is measured on."""
    return v2.Compose([*geometry, *_to_tensor(mean, std)])


def centre(resize: int, size: int) -> list[Any]:
    """Return the steps that bring the shorter side to ``resize`` and cut ``size``×``size`` out of the middle."""
    return [v2.Resize(resize), v2.CenterCrop(size)]


def _to_tensor(mean: Statistics, std: Statistics) -> list[Any]:
    return [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)]
