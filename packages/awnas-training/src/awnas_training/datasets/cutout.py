"""Cutout: a square of zeros at a random place."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Cutout(nn.Module):
    """Zero a square of ``length`` pixels centred at a random pixel, clipped at the borders.

    Draws from the global generator of torch. Comes after normalisation, so that zero is the mean.

    Source: DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def forward(self, image: Tensor) -> Tensor:
        """``(C, H, W)`` → a copy with the square zeroed in all channels."""
        height, width = image.shape[-2:]
        y, x = (int(torch.randint(size, ())) for size in (height, width))
        half = self.length // 2
        image = image.clone()
        image[
            ..., max(0, y - half) : max(0, y - half + self.length), max(0, x - half) : x - half + self.length
        ] = 0
        return image
