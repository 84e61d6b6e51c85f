"""Data sets whose images fit into memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from awnas_core.roles.dataset import Dataset
from awnas_training.datasets.augmentation import Augmentation, Statistics
from awnas_training.datasets.tensors import TensorImages

Images = tuple[Any, Any]
"""uint8 images ``(n, C, H, W)`` and class numbers ``(n,)``, arrays or tensors."""


class InMemoryImages(Dataset):
    """Splits of images in memory; ``train`` is augmented, ``train_testTransform`` shows the same images as they are."""

    class_names: Sequence[str] = ()
    """Names of the classes, in the order of their numbers; empty where they have none."""

    def hold(
        self,
        splits: Mapping[str, Images],
        augmentation: Augmentation,
        *,
        mean: Statistics,
        std: Statistics,
        num_classes: int,
    ) -> None:
        """Take the images.

        Args:
            splits: Split name → images and labels; ``train`` among them.
            augmentation: For ``train``.
            mean: Of each channel.
            std: Of each channel.
            num_classes: Number of classes.
        """
        self._num_classes = num_classes
        self._splits: dict[str, TensorImages] = {}
        for name, (images, labels) in splits.items():
            plain = TensorImages(torch.as_tensor(images), torch.as_tensor(labels).long(), mean, std)
            if name == "train":
                self._splits |= {
                    "train": replace(plain, augmentation=augmentation),
                    "train_testTransform": plain,
                }
            else:
                self._splits[name] = plain

    def splits(self) -> Mapping[str, TensorImages]:
        """Return train, train_testTransform and what else there is."""
        return self._splits

    def facts(self) -> Mapping[str, Any]:
        """Return number of classes and shape of an image."""
        shape = tuple(self._splits["train"].images.shape[1:])
        return {"num_classes": self._num_classes, "input_shape": shape}

    def views(self) -> Mapping[str, str]:
        """Return that train_testTransform shows the images of train."""
        return {"train_testTransform": "train"}
