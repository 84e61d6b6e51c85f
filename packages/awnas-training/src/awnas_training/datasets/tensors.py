"""Images in memory, fetched, augmented and normalised a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from awnas_torch.hashed import Seeds
from awnas_training.datasets.augmentation import Augmentation, Statistics


@dataclass(frozen=True)
class TensorImages:
    """A split whose images fit into memory.

    Args:
        images: uint8 images ``(n, C, H, W)``.
        labels: Class numbers ``(n,)``, int64.
        mean: Of each channel, subtracted.
        std: Of each channel, divided by.
        augmentation: What happens to each image; None for nothing.
    """

    images: Tensor
    labels: Tensor
    mean: Statistics
    std: Statistics
    augmentation: Augmentation | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one image and its class, not augmented."""
        return self._normalised(self.images[index].float() / 255), self.labels[index]

    def fetch(self, indices: np.ndarray[Any, Any], seeds: Seeds) -> tuple[Tensor, Tensor]:
        """Return a batch; the augmentation of each image follows from its seed alone."""
        chosen = torch.from_numpy(np.ascontiguousarray(indices))
        images, labels = self.images[chosen].float() / 255, self.labels[chosen]
        if self.augmentation is None:
            return self._normalised(images), labels
        moved = self.augmentation.moved(images, seeds)
        return self.augmentation.cut(self._normalised(moved), seeds), labels

    def _normalised(self, images: Tensor) -> Tensor:
        mean, std = (torch.tensor(values)[:, None, None] for values in (self.mean, self.std))
        return (images - mean) / std
