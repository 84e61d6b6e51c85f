"""The 8×8 handwritten digits that scikit-learn ships: a real data set without a download."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from awnas_core.options import NonNegativeInt
from awnas_core.roles.dataset import Dataset
from awnas_training.datasets.tensors import TensorImages

SPLIT_SEED = 20
"""Fixes which fifth is held out, whatever the seed of a run."""


class Digits(Dataset):
    """1,797 grey images of handwritten digits, 8×8 pixels, 10 classes.

    A fifth of each class is held out as ``test``, always the same one; ``train`` is the rest, and
    ``train_testTransform`` the same images without augmentation.

    Args:
        shift: Training images are shifted by up to so many pixels each way.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998;
    the test set of it, as in ``sklearn.datasets.load_digits``.
    """

    def __init__(self, *, shift: NonNegativeInt = 1) -> None:
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        images = torch.from_numpy(pixels.reshape(-1, 1, 8, 8).astype(np.float32))
        held_out = _a_fifth_of_each_class(labels)
        train, test = torch.from_numpy(np.flatnonzero(~held_out)), torch.from_numpy(np.flatnonzero(held_out))
        mean, std = images[train].mean(), images[train].std()
        images, targets = (images - mean) / std, torch.from_numpy(labels.astype(np.int64))
        self._splits = {
            "train": TensorImages(images[train], targets[train], shift),
            "train_testTransform": TensorImages(images[train], targets[train]),
            "test": TensorImages(images[test], targets[test]),
        }

    def splits(self) -> Mapping[str, TensorImages]:
        """Return train, train_testTransform and test."""
        return self._splits

    def facts(self) -> Mapping[str, Any]:
        """Return 10 classes of images ``(1, 8, 8)``."""
        return {"num_classes": 10, "input_shape": (1, 8, 8)}

    def views(self) -> Mapping[str, str]:
        """Return that train_testTransform shows the images of train."""
        return {"train_testTransform": "train"}


def _a_fifth_of_each_class(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    rng = np.random.default_rng(SPLIT_SEED)
    held_out = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        held_out[members[: round(len(members) / 5)]] = True
    return held_out
