"""The 8×8 handwritten digits that scikit-learn ships: a real data set without a download."""

from __future__ import annotations

import numpy as np

from awnas_core.options import NonNegativeInt
from awnas_training.datasets.augmentation import Augmentation, channel_statistics
from awnas_training.datasets.held_out import held_out
from awnas_training.datasets.in_memory import InMemoryImages


class Digits(InMemoryImages):
    """1,797 grey images of handwritten digits, 8×8 pixels, 10 classes.

    A fifth of each class is held out as ``test``, always the same one; ``train`` is the rest, and
    ``train_testTransform`` the same images without augmentation.

    Args:
        shift: Training images are shifted by up to so many pixels each way.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998;
    the test set of it, as in ``sklearn.datasets.load_digits``.
    """

    class_names = tuple("0123456789")

    def __init__(self, *, shift: NonNegativeInt = 1) -> None:
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)  # 0 … 16
        images = np.round(pixels.reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
        (is_test,) = held_out(labels, [0.2])
        mean, std = channel_statistics(images[~is_test])
        splits = {"train": (images[~is_test], labels[~is_test]), "test": (images[is_test], labels[is_test])}
        self.hold(splits, Augmentation(shift=shift), mean=mean, std=std, num_classes=10)
