"""The small image data sets that torchvision reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torchvision import datasets
from torchvision.transforms import v2

from awnas_core.errors import DataError
from awnas_core.options import PositiveInt
from awnas_core.paths import data_folder
from awnas_core.roles.dataset import Dataset
from awnas_training.datasets.cutout import Cutout


class _Transformed:
    """A data set seen through a transformation of its images."""

    def __init__(self, examples: Any, transform: Any) -> None:
        self._examples, self._transform = examples, transform

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image, label = self._examples[index]
        return self._transform(image), int(label)


class _TorchvisionDataset(Dataset):
    """Splits ``train``, ``train_testTransform`` (the same images, not augmented) and ``test``.

    The files lie in ``$AWNAS_DATA/<name>``.

    Args:
        cutout: Side of a square that is zeroed in every training image, in pixels.
        download: Fetch the files when they are missing.
    """

    folder: ClassVar[str]
    num_classes: ClassVar[int] = 10
    input_shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    mean: ClassVar[tuple[float, ...]]
    std: ClassVar[tuple[float, ...]]

    def __init__(self, *, cutout: PositiveInt | None = None, download: bool = False) -> None:
        self._download = download
        to_tensor = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(self.mean, self.std)]
        plain = v2.Compose(to_tensor)
        augmented = v2.Compose([*self.augmentations(), *to_tensor, *([Cutout(cutout)] if cutout else [])])
        train, test = self._open("train"), self._open("test")
        self._splits = {
            "train": _Transformed(train, augmented),
            "train_testTransform": _Transformed(train, plain),
            "test": _Transformed(test, plain),
        }

    def splits(self) -> Mapping[str, Any]:
        """Return the splits by name."""
        return self._splits

    def facts(self) -> Mapping[str, Any]:
        """Return number of classes and shape of an image."""
        return {"num_classes": self.num_classes, "input_shape": self.input_shape}

    def views(self) -> Mapping[str, str]:
        """Return that train_testTransform shows the images of train."""
        return {"train_testTransform": "train"}

    def augmentations(self) -> Sequence[Any]:
        """Return what happens to a training image before it is a tensor: shift by up to 4 pixels, and flip."""
        return [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()]

    @abstractmethod
    def read(self, root: Path, split: str) -> Any:
        """Return torchvision's data set of a split, images as they are."""

    @cached_property
    def root(self) -> Path:
        """The folder of the files."""
        return data_folder(self.folder)

    def _open(self, split: str) -> Any:
        try:
            return self.read(self.root, split)
        except (RuntimeError, OSError) as error:
            raise DataError(
                f"{self.folder} is not complete in '{self.root}' ({error}); try: awnas data get {self.folder}, or set "
                "AWNAS_DATA to the folder that holds it"
            ) from error


class Cifar10(_TorchvisionDataset):
    """60,000 colour images, 32×32, 10 classes.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """

    folder = "cifar10"
    mean = (0.49139968, 0.48215827, 0.44653124)
    std = (0.24703233, 0.24348505, 0.26158768)

    def read(self, root: Path, split: str) -> Any:
        """Return torchvision's CIFAR-10."""
        return datasets.CIFAR10(str(root), split == "train", download=self._download)


class Cifar100(_TorchvisionDataset):
    """60,000 colour images, 32×32, 100 classes.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """

    folder = "cifar100"
    num_classes = 100
    mean = (0.50707516, 0.48654887, 0.44091784)
    std = (0.26733429, 0.25643846, 0.27615047)

    def read(self, root: Path, split: str) -> Any:
        """Return torchvision's CIFAR-100."""
        return datasets.CIFAR100(str(root), split == "train", download=self._download)


class Svhn(_TorchvisionDataset):
    """Street view house numbers: 99,289 colour images, 32×32, 10 classes; neither shifted nor flipped.

    Source: Netzer et al., "Reading Digits in Natural Images with Unsupervised Feature Learning", 2011.
    """

    folder = "svhn"
    mean = (0.4377, 0.4438, 0.4728)
    std = (0.1980, 0.2010, 0.1970)

    def augmentations(self) -> Sequence[Any]:
        """Return nothing: digits read differently when flipped."""
        return []

    def read(self, root: Path, split: str) -> Any:
        """Return torchvision's SVHN."""
        return datasets.SVHN(str(root), split, download=self._download)


class FashionMnist(_TorchvisionDataset):
    """70,000 grey images of clothing, 28×28, 10 classes.

    Source: Xiao et al., "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms", 2017.
    """

    folder = "fashion-mnist"
    input_shape = (1, 28, 28)
    mean = (0.2860,)
    std = (0.3530,)

    def augmentations(self) -> Sequence[Any]:
        """Return a shift by up to 2 pixels and a flip."""
        return [v2.RandomCrop(28, padding=2), v2.RandomHorizontalFlip()]

    def read(self, root: Path, split: str) -> Any:
        """Return torchvision's Fashion-MNIST."""
        return datasets.FashionMNIST(str(root), split == "train", download=self._download)
