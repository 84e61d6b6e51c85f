"""Images of one's own: a folder for each class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from torchvision.transforms import v2

from awnas_core.errors import ConfigError, DataError
from awnas_core.options import Fraction, PositiveInt
from awnas_training.datasets import transforms
from awnas_training.datasets.augmentation import Statistics
from awnas_training.datasets.class_folders import ImageFiles, folders_in, images_of_classes
from awnas_training.datasets.file_images import FileImages
from awnas_training.datasets.held_out import held_out
from awnas_training.datasets.paths import data_folder

SPLITS = {"train": ("train",), "valid": ("valid", "val", "validation"), "test": ("test",)}
"""Split → what its folder may be called."""


class ImageFolder(FileImages):
    """Images of any size in one folder for each class, whose name is the class's.

    Either ``<folder>/train/<class>/…`` with ``valid`` (``val``) and ``test`` beside ``train``, or
    ``<folder>/<class>/…`` alone, of which a part of each class is held out; always the same.

    Args:
        folder: The folder, absolute or below ``$AWNAS_DATA``.
        image_size: Side of the square images that a network sees.
        resize: Shorter side before the middle is cut out to measure on; an eighth more than the image by default.
        train_crop: Training images are a random part of random size and shape, the middle shifted by up to an eighth,
            or exactly what is measured on.
        flip: Mirror every other training image.
        color_jitter: Change brightness, contrast, saturation and hue of training images.
        cutout: Side of a square that is zeroed in every training image, in pixels.
        channels: 3 for colour, 1 for grey.
        mean: Of each channel, on the scale from 0 to 1; those of ImageNet by default.
        std: Of each channel.
        valid_portion: Part of each class held out as ``valid`` where there are no folders of splits.
        test_portion: The same for ``test``.
    """

    def __init__(
        self,
        *,
        folder: str,
        image_size: PositiveInt = 64,
        resize: PositiveInt | None = None,
        train_crop: Literal["random-resized", "shifted", "middle"] = "random-resized",
        flip: bool = True,
        color_jitter: bool = False,
        cutout: PositiveInt | None = None,
        channels: Literal[1, 3] = 3,
        mean: Statistics | None = None,
        std: Statistics | None = None,
        valid_portion: Fraction = 0.0,
        test_portion: Fraction = 0.2,
    ) -> None:
        mean, std = (_for_channels(given, usual, channels) for given, usual in _usual(mean, std))
        middle = transforms.centre(resize or image_size * 8 // 7, image_size)
        measured = transforms.measuring(middle, mean, std)
        geometry = {
            "random-resized": [v2.RandomResizedCrop(image_size)],
            "shifted": [*middle, v2.RandomCrop(image_size, padding=image_size // 8)],
            "middle": middle,
        }[train_crop]
        training = transforms.training(
            geometry, mean, std, flip=flip, color_jitter=color_jitter, cutout=cutout
        )
        root, mode = data_folder(folder), "RGB" if channels == 3 else "L"
        classes, splits = _find(root, {"valid": valid_portion, "test": test_portion})
        files = {name: ImageFiles(*found, measured, mode) for name, found in splits.items()}
        self.hold(files, training, classes, (channels, image_size, image_size))

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse statistics of another number of channels, and holding out everything."""
        for name in ("mean", "std"):
            if options[name] is not None and len(options[name]) != options["channels"]:
                raise ConfigError(
                    f"{name} must have {options['channels']} numbers, one for each channel, got {len(options[name])}"
                )
        if options["valid_portion"] + options["test_portion"] >= 1:
            raise ConfigError("valid_portion and test_portion together must leave something to train on")


Found = tuple[list[Path], list[int]]


def _find(root: Path, portions: Mapping[str, float]) -> tuple[list[str], dict[str, Found]]:
    """Return the class names, and the files of each split."""
    own = {
        split: next((root / n for n in names if (root / n).is_dir()), None) for split, names in SPLITS.items()
    }
    classes = folders_in(own["train"] or root)
    if not classes:
        raise DataError(
            f"no folders of classes in '{own['train'] or root}'; expected <class>/ or train/<class>/ below '{root}', "
            "which is what 'folder' says, absolute or below AWNAS_DATA"
        )
    if own["train"] is not None:
        return classes, {
            split: images_of_classes(path, classes) for split, path in own.items() if path is not None
        }
    paths, labels = images_of_classes(root, classes)
    masks = dict(zip(portions, held_out(np.array(labels), list(portions.values())), strict=True))
    masks = {"train": ~np.logical_or.reduce(list(masks.values())), **masks}
    everything = ImageFiles(paths, labels, _as_it_is)
    parts = {split: everything.chosen(mask) for split, mask in masks.items() if mask.any()}
    if "train" not in parts:
        raise DataError(f"'{root}' has too few images to hold some out; lower valid_portion and test_portion")
    return classes, {split: (list(part.paths), list(part.labels)) for split, part in parts.items()}


def _usual(mean: Statistics | None, std: Statistics | None) -> list[tuple[Statistics | None, Statistics]]:
    return [(mean, transforms.IMAGENET_MEAN), (std, transforms.IMAGENET_STD)]


def _for_channels(given: Statistics | None, usual: Statistics, channels: int) -> Statistics:
    return given or (usual if channels == 3 else (sum(usual) / 3,))


def _as_it_is(image: Any) -> Any:
    return image
