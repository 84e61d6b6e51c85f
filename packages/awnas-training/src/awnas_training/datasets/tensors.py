"""Images in memory, fetched and augmented a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class TensorImages:
    """A split whose images fit into memory.

    Args:
        images: Float images ``(n, C, H, W)``, normalised.
        labels: Class numbers ``(n,)``.
        shift: Images are shifted by up to so many pixels each way, zeros coming in; 0 for never.
    """

    images: Tensor
    labels: Tensor
    shift: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one image and its class, not augmented."""
        return self.images[index], self.labels[index]

    def fetch(self, indices: np.ndarray[Any, Any], seeds: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        """Return a batch; the shift of each image follows from its seed alone."""
        chosen = torch.from_numpy(np.ascontiguousarray(indices))
        images, labels = self.images[chosen], self.labels[chosen]
        return (self._shifted(images, seeds) if self.shift else images), labels

    def _shifted(self, images: Tensor, seeds: np.ndarray[Any, Any]) -> Tensor:
        ways = 2 * self.shift + 1
        down = torch.from_numpy((seeds % np.uint64(ways)).astype(np.int64))
        right = torch.from_numpy((seeds // np.uint64(ways) % np.uint64(ways)).astype(np.int64))
        n, channels, height, width = images.shape
        padded = functional.pad(images, (self.shift,) * 4)
        rows = (down[:, None] + torch.arange(height))[:, None, :, None]
        columns = (right[:, None] + torch.arange(width))[:, None, None, :]
        batch = torch.arange(n)[:, None, None, None]
        return padded[batch, torch.arange(channels)[None, :, None, None], rows, columns]
