"""Image files in one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from awnas_core.errors import DataError

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True)
class ImageFiles:
    """A split whose images are read when they are asked for.

    Args:
        paths: The files.
        labels: Class number of each.
        transform: Turns a picture into a tensor.
        mode: Of the pictures: ``"RGB"``, or ``"L"`` for grey.
    """

    paths: Sequence[Path]
    labels: Sequence[int]
    transform: Callable[[Any], Any]
    mode: str = "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return one image and its class.

        Raises: DataError naming a file that cannot be read.
        """
        try:
            with Image.open(self.paths[index]) as picture:
                image = picture.convert(self.mode)
        except (OSError, UnidentifiedImageError) as error:
            raise DataError(
                f"'{self.paths[index]}' cannot be read as an image: {error}; remove or replace it"
            ) from error
        return self.transform(image), int(self.labels[index])

    def seen_through(self, transform: Callable[[Any], Any]) -> ImageFiles:
        """Return the same images with another transform."""
        return ImageFiles(self.paths, self.labels, transform, self.mode)

    def chosen(self, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> ImageFiles:
        """Return the images where ``mask`` is true."""
        kept = np.flatnonzero(mask).tolist()
        return ImageFiles(
            [self.paths[i] for i in kept], [self.labels[i] for i in kept], self.transform, self.mode
        )


def folders_in(folder: Path) -> list[str]:
    """Return the names of the folders in ``folder``, sorted; none when there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(
        entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")
    )


def images_below(folder: Path) -> list[Path]:
    """Return the image files in ``folder`` and the folders in it, in a fixed order."""
    found = []
    for root, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        found += [Path(root, name) for name in sorted(files) if Path(name).suffix.lower() in SUFFIXES]
    return found


def images_of_classes(folder: Path, classes: Iterable[str]) -> tuple[list[Path], list[int]]:
    """Return the images below ``folder/<class>`` of each class, and their class numbers.

    Raises: DataError naming a class that has none.
    """
    paths: list[Path] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        own = images_below(folder / name)
        if not own:
            raise DataError(f"no images of class '{name}' in '{folder / name}'")
        paths += own
        labels += [number] * len(own)
    return paths, labels
