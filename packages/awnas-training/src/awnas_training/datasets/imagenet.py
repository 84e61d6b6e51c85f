"""ImageNet and tiny ImageNet, as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torchvision.transforms import v2

from awnas_core.errors import ConfigError, DataError
from awnas_core.options import PositiveInt
from awnas_training.datasets import transforms
from awnas_training.datasets.class_folders import ImageFiles, folders_in, images_below, images_of_classes
from awnas_training.datasets.file_images import FileImages
from awnas_training.datasets.paths import data_folder

MEAN, STD = transforms.IMAGENET_MEAN, transforms.IMAGENET_STD


class ImageNet(FileImages):
    """ImageNet (ILSVRC 2012), or some of its classes.

    The images lie in ``$AWNAS_DATA/<relative_dir>/train/<class>/`` and, for the split ``test``, in ``test/<class>/``
    or ``val/<class>/``. A class is a WordNet id such as n01440764.

    Args:
        relative_dir: Folder below ``$AWNAS_DATA``, or an absolute one.
        load_train_only: Do without the split ``test``.
        class_name_file: Text file of the classes to keep, one in a line; their order gives their numbers.
        num_sample_classes: Keep so many of the classes: the first, or random ones.
        random_choose: Choose them at random.
        random_seed: Seed of that choice.
        color_jitter: Change brightness, contrast, saturation and hue of training images.
        cutout: Side of a square that is zeroed in every training image, in pixels.
        train_crop_size: Side of a training image.
        test_crop_size: Side of an image to measure on, out of one 32 pixels larger.

    Source: Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015.
    """

    def __init__(
        self,
        *,
        relative_dir: str = "imagenet",
        load_train_only: bool = False,
        class_name_file: str | None = None,
        num_sample_classes: PositiveInt | None = None,
        random_choose: bool = False,
        random_seed: int = 123,
        color_jitter: bool = False,
        cutout: PositiveInt | None = None,
        train_crop_size: PositiveInt = 224,
        test_crop_size: PositiveInt = 224,
    ) -> None:
        root = data_folder(relative_dir)
        classes = _listed(Path(class_name_file)) if class_name_file else folders_in(root / "train")
        classes = _some(classes, num_sample_classes, random_seed if random_choose else None)
        if not classes:
            raise DataError(_missing(root / "train"))
        measured = transforms.measuring(transforms.centre(test_crop_size + 32, test_crop_size), MEAN, STD)
        splits = {"train": ImageFiles(*images_of_classes(root / "train", classes), measured)}
        if not load_train_only:
            splits["test"] = ImageFiles(*images_of_classes(_test_folder(root), classes), measured)
        training = transforms.training(
            [v2.RandomResizedCrop(train_crop_size)],
            MEAN,
            STD,
            flip=True,
            color_jitter=color_jitter,
            cutout=cutout,
        )
        self.hold(splits, training, classes, (3, train_crop_size, train_crop_size))

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse a random choice of nothing."""
        if options["random_choose"] and options["num_sample_classes"] is None:
            raise ConfigError("random_choose needs num_sample_classes, how many classes to choose")


class TinyImageNet(FileImages):
    """100,000 training images of 200 classes, 64×64, and 10,000 to measure on, the split ``test``.

    The folders ``train`` and ``val`` lie in ``$AWNAS_DATA/<relative_dir>``; ``val`` as it comes, with
    ``val_annotations.txt``, or as one folder for each class.

    Args:
        relative_dir: Folder below ``$AWNAS_DATA``, or an absolute one.
        color_jitter: Change brightness, contrast, saturation and hue of training images.
        train_crop_size: Side of a training image.
        test_crop_size: Side of an image to measure on, out of one 8 pixels larger.
        cutout: Side of a square that is zeroed in every training image, in pixels.

    Source: Le and Yang, "Tiny ImageNet Visual Recognition Challenge", 2015.
    """

    def __init__(
        self,
        *,
        relative_dir: str = "tiny-imagenet",
        color_jitter: bool = False,
        train_crop_size: PositiveInt = 64,
        test_crop_size: PositiveInt = 64,
        cutout: PositiveInt | None = None,
    ) -> None:
        root = data_folder(relative_dir)
        if not (classes := folders_in(root / "train")) or not (root / "val").is_dir():
            raise DataError(
                f"expected train/<class>/ and val/ in '{root}'; try: awnas data get tiny-imagenet, or set AWNAS_DATA "
                "or relative_dir"
            )
        measured = transforms.measuring(transforms.centre(test_crop_size + 8, test_crop_size), MEAN, STD)
        splits = {
            "train": ImageFiles(*images_of_classes(root / "train", classes), measured),
            "test": ImageFiles(*_validation(root / "val", classes), measured),
        }
        training = transforms.training(
            [v2.RandomResizedCrop(train_crop_size)],
            MEAN,
            STD,
            flip=True,
            color_jitter=color_jitter,
            cutout=cutout,
        )
        self.hold(splits, training, classes, (3, train_crop_size, train_crop_size))


def _missing(folder: Path) -> str:
    return (
        f"no folders of classes in '{folder}'; fetch ILSVRC 2012 from image-net.org (after registration), put the "
        "images into one folder for each class, or set AWNAS_DATA or relative_dir to where they are"
    )


def _test_folder(root: Path) -> Path:
    for folder in (root / "test", root / "val"):
        if folders_in(folder):
            return folder
    raise DataError(f"{_missing(root / 'val')}; load_train_only does without")


def _listed(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"class_name_file '{path}' cannot be read: {error.strerror}") from error


def _some(classes: list[str], count: int | None, seed: int | None) -> list[str]:
    """Return ``count`` of the classes in their order, the first or random ones; all without a count."""
    if count is None:
        return classes
    if count > len(classes):
        raise DataError(f"num_sample_classes is {count}, but there are {len(classes)} classes")
    if seed is None:
        return classes[:count]
    chosen = np.random.default_rng(seed).permutation(len(classes))[:count]
    return [classes[index] for index in sorted(chosen)]


def _validation(folder: Path, classes: Sequence[str]) -> tuple[list[Path], list[int]]:
    """Return files and class numbers, by the table that comes with them or by their folders."""
    table = folder / "val_annotations.txt"
    if not (folder / "images").is_dir() or not table.is_file():
        return images_of_classes(folder, classes)
    rows = (line.split("\t")[:2] for line in table.read_text(encoding="utf-8").splitlines() if line)
    named = dict(rows)
    number = {name: index for index, name in enumerate(classes)}
    paths = [path for path in images_below(folder / "images") if named.get(path.name) in number]
    if not paths:
        raise DataError(f"'{table}' names no image in '{folder / 'images'}'; the archive is not complete")
    return paths, [number[named[path.name]] for path in paths]
