"""ImageNet in thumbnails."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from awnas_core.errors import DataError
from awnas_core.options import PositiveInt
from awnas_training.datasets.augmentation import Augmentation
from awnas_training.datasets.batches import read_batch
from awnas_training.datasets.in_memory import Images, InMemoryImages
from awnas_training.datasets.paths import data_folder

MEAN, STD = (0.48110767, 0.45748286, 0.40787092), (0.229, 0.224, 0.225)
ADVICE = (
    "fetch the python version of that size from image-net.org (after registration), unpack train_data_batch_1 … 10 and "
    "val_data there, or set AWNAS_DATA or relative_dir"
)


class ImageNetDownsample(InMemoryImages):
    """ImageNet scaled down to ``size``×``size``, its first classes; ImageNet16-120 by default.

    The files ``train_data_batch_1`` … ``train_data_batch_10`` and ``val_data`` lie in ``$AWNAS_DATA/<relative_dir>``.
    Training images are shifted by up to an eighth of their size and flipped.

    Args:
        num_class: Classes 1 … so many are kept.
        size: Side of an image, as in the files.
        relative_dir: Folder below ``$AWNAS_DATA``, or an absolute one.
        cutout: Side of a square that is zeroed in every training image, in pixels.

    Source: Chrabaszcz et al., "A Downsampled Variant of ImageNet as an Alternative to the CIFAR datasets", 2017; Dong
    and Yang, "NAS-Bench-201", ICLR 2020, for 16×16 and 120 classes.
    """

    def __init__(
        self,
        *,
        num_class: PositiveInt = 120,
        size: PositiveInt = 16,
        relative_dir: str = "imagenet_downsample",
        cutout: PositiveInt | None = None,
    ) -> None:
        root = data_folder(relative_dir)
        parts = [_read(root / f"train_data_batch_{number}", size, num_class) for number in range(1, 11)]
        images, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        splits = {"train": (images, labels), "test": _read(root / "val_data", size, num_class)}
        augmentation = Augmentation(shift=size // 8, flip=True, cutout=cutout or 0)
        self.hold(splits, augmentation, mean=MEAN, std=STD, num_classes=num_class)


def _read(path: Path, size: int, num_class: int) -> Images:
    """Return the images of one batch whose class is kept; classes count from 1 in the file, from 0 here."""
    if not path.is_file():
        raise DataError(f"no file '{path}'; {ADVICE}")
    images, labels = read_batch(path, "labels", size)
    kept = labels <= num_class
    return images[kept], labels[kept] - 1
