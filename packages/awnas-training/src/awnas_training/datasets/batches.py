"""Pickled batches of images, as CIFAR and the thumbnails of ImageNet are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from awnas_core.errors import DataError
from awnas_core.foreign import read_pickle
from awnas_training.datasets.in_memory import Images


def read_batch(path: Path, labels: str, size: int) -> Images:
    """Return the images ``(n, 3, size, size)`` and labels of a batch.

    Args:
        path: Its ``data`` has a row for each image: the red, the green and the blue plane.
        labels: Where the labels are.
        size: Side of an image.

    Raises: DataError when the file holds anything else.
    """
    content = read_mapping(path)
    data, numbers = np.asarray(content.get("data", ())), np.asarray(content.get(labels, ()))
    if data.shape != (len(numbers), 3 * size * size):
        raise DataError(
            f"'{path}' has data of shape {data.shape} and {len(numbers)} {labels}; images of size {size} are rows of "
            f"{3 * size * size}: is it the right file?"
        )
    return data.reshape(-1, 3, size, size), numbers


def read_mapping(path: Path) -> dict[str, Any]:
    """Return a pickled mapping under its names as text; Python 2 wrote them as bytes."""
    content = read_pickle(path)
    if not isinstance(content, dict):
        raise DataError(f"'{path}' holds no mapping")
    return {as_text(key): value for key, value in content.items()}


def as_text(name: Any) -> str:
    """Return a name as text."""
    return name.decode() if isinstance(name, bytes) else str(name)
