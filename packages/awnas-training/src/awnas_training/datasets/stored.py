"""Small image data sets that lie below AWNAS_DATA, read into memory in the formats of their publishers."""

from __future__ import annotations

import gzip
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from awnas_core.errors import DataError
from awnas_core.options import PositiveInt
from awnas_training.data.fetching import fetch
from awnas_training.datasets.augmentation import Augmentation, Statistics
from awnas_training.datasets.batches import as_text, read_batch, read_mapping
from awnas_training.datasets.in_memory import Images, InMemoryImages
from awnas_training.datasets.paths import data_folder

SIDE = 32


class StoredImages(InMemoryImages):
    """Splits ``train``, ``train_testTransform`` (the same images, not augmented) and ``test``.

    The files lie in ``$AWNAS_DATA/<name>``.

    Args:
        cutout: Side of a square that is zeroed in every training image, in pixels.
        download: Fetch the files when they are missing.
    """

    folder: ClassVar[str]
    num_classes: ClassVar[int] = 10
    mean: ClassVar[Statistics]
    std: ClassVar[Statistics]
    shift: ClassVar[int] = 4
    flip: ClassVar[bool] = True

    def __init__(self, *, cutout: PositiveInt | None = None, download: bool = False) -> None:
        augmentation = Augmentation(shift=self.shift, flip=self.flip, cutout=cutout or 0)
        self.hold(
            self._read(download), augmentation, mean=self.mean, std=self.std, num_classes=self.num_classes
        )

    @abstractmethod
    def read(self, root: Path) -> Mapping[str, Images]:
        """Return the splits that lie in ``root``."""

    def _read(self, download: bool) -> Mapping[str, Images]:
        root = data_folder(self.folder)
        if download:
            fetch(self.folder, root)
        try:
            return self.read(root)
        except (DataError, OSError, KeyError, ValueError, NotImplementedError) as error:
            raise DataError(
                f"{self.folder} is not complete in '{root}' ({error}); try: awnas data get {self.folder}, or set "
                "AWNAS_DATA to the folder that holds it"
            ) from error


class Cifar10(StoredImages):
    """60,000 colour images, 32×32, 10 classes.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """

    folder = "cifar10"
    mean = (0.49139968, 0.48215827, 0.44653124)
    std = (0.24703233, 0.24348505, 0.26158768)

    def read(self, root: Path) -> Mapping[str, Images]:
        """Read the batches of the python version."""
        inner = root / "cifar-10-batches-py"
        batches = [read_batch(inner / f"data_batch_{number}", "labels", SIDE) for number in range(1, 6)]
        images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        self.class_names = _names(inner / "batches.meta", "label_names")
        return {"train": (images, labels), "test": read_batch(inner / "test_batch", "labels", SIDE)}


class Cifar100(StoredImages):
    """60,000 colour images, 32×32, 100 classes.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """

    folder = "cifar100"
    num_classes = 100
    mean = (0.50707516, 0.48654887, 0.44091784)
    std = (0.26733429, 0.25643846, 0.27615047)

    def read(self, root: Path) -> Mapping[str, Images]:
        """Read the files of the python version."""
        inner = root / "cifar-100-python"
        self.class_names = _names(inner / "meta", "fine_label_names")
        return {split: read_batch(inner / split, "fine_labels", SIDE) for split in ("train", "test")}


class Svhn(StoredImages):
    """Street view house numbers: 99,289 colour images, 32×32, 10 classes; neither shifted nor flipped.

    The further 531,131 of the split ``extra`` are there when their file is.

    Source: Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011.
    """

    folder = "svhn"
    class_names = tuple("0123456789")
    mean = (0.4377, 0.4438, 0.4728)
    std = (0.1980, 0.2010, 0.1970)
    shift, flip = 0, False  # digits read differently when flipped

    def read(self, root: Path) -> Mapping[str, Images]:
        """Read the cropped digits."""
        splits = {}
        for split in ("train", "test", *(["extra"] if (root / "extra_32x32.mat").exists() else [])):
            content = _mat(root / f"{split}_32x32.mat")
            images = np.ascontiguousarray(content["X"].transpose(3, 2, 0, 1))
            splits[split] = images, content["y"].reshape(-1).astype(np.int64) % 10  # 0 is written 10
        return splits


class FashionMnist(StoredImages):
    """70,000 grey images of clothing, 28×28, 10 classes.

    Source: Xiao et al., "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017.
    """

    folder = "fashion-mnist"
    class_names = (
        *("T-shirt/top", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    )
    mean = (0.2860,)
    std = (0.3530,)
    shift = 2

    def read(self, root: Path) -> Mapping[str, Images]:
        """Read the IDX files, packed or not."""
        inner = root / "FashionMNIST" / "raw"
        return {
            split: (
                _idx(inner / f"{part}-images-idx3-ubyte")[:, None],
                _idx(inner / f"{part}-labels-idx1-ubyte"),
            )
            for split, part in (("train", "train"), ("test", "t10k"))
        }


def _names(path: Path, key: str) -> tuple[str, ...]:
    return tuple(as_text(name) for name in read_mapping(path)[key])


def _mat(path: Path) -> Any:
    from scipy.io import loadmat

    try:
        return loadmat(path)
    except OSError:
        raise
    except Exception as error:  # whatever a damaged file makes of the reader
        raise ValueError(f"'{path}' cannot be read: {error}") from error


def _idx(path: Path) -> np.ndarray[Any, Any]:
    """Return an array of bytes in the IDX format: a magic number with the number of axes, their lengths, the data."""
    data = (
        path.read_bytes()
        if path.exists()
        else gzip.decompress(path.with_suffix(path.suffix + ".gz").read_bytes())
    )
    axes = data[3]
    shape = np.frombuffer(data, dtype=">i4", count=axes, offset=4)
    return np.frombuffer(data, dtype=np.uint8, offset=4 + 4 * axes).reshape(shape).copy()
