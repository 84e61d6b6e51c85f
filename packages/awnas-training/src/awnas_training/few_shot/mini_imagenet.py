"""mini-ImageNet: 100 classes of ImageNet, in tasks."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torchvision.transforms import v2

from awnas_core.errors import DataError
from awnas_core.options import PositiveInt
from awnas_core.roles.dataset import Dataset
from awnas_training.datasets import transforms
from awnas_training.datasets.class_folders import ImageFiles
from awnas_training.datasets.paths import data_folder
from awnas_training.few_shot.episodes import Episodes

CLASS_NAME = 9
"""A file is called after its class: so many characters, such as n01532829."""


class MiniImageNet(Dataset):
    """Tasks of photographs, 64 classes to learn to learn on, 16 to watch that and 20 to test it.

    The folder ``images`` and the tables ``train.csv``, ``val.csv`` and ``test.csv`` lie in
    ``$AWNAS_DATA/<relative_dir>``. Splits are ``train``, ``val`` and ``test``.

    Args:
        relative_dir: Folder below ``$AWNAS_DATA``, or an absolute one.
        n_way: Classes of a task.
        k_shot: Examples of each class to learn from.
        k_query: Examples of each class to be tested on.
        train_shot: The same as ``k_shot`` for the split ``train``, where it is another number.
        resize: Side of an image.
        batch_size: Tasks that make up a pass of ``train``.
        load_val: Have the split ``val``.
        batch_size_val: Tasks of ``val``.
        load_test: Have the split ``test``.
        batch_size_test: Tasks of ``test``.

    Source: Ravi and Larochelle, "Optimization as a Model for Few-Shot Learning", ICLR 2017, for the classes.
    """

    def __init__(
        self,
        *,
        relative_dir: str = "miniimagenet",
        n_way: PositiveInt = 5,
        k_shot: PositiveInt = 1,
        k_query: PositiveInt = 15,
        train_shot: PositiveInt | None = None,
        resize: PositiveInt = 84,
        batch_size: PositiveInt = 5000,
        load_val: bool = True,
        batch_size_val: PositiveInt = 100,
        load_test: bool = True,
        batch_size_test: PositiveInt = 1000,
    ) -> None:
        root, self._size, self._n_way = data_folder(relative_dir), resize, n_way
        wanted = {"train": ("train.csv", train_shot or k_shot, batch_size)}
        if load_val:
            wanted["val"] = ("val.csv", k_shot, batch_size_val)
        if load_test:
            wanted["test"] = ("test.csv", k_shot, batch_size_test)
        square = [v2.Resize((resize, resize))]
        transform = transforms.measuring(square, transforms.IMAGENET_MEAN, transforms.IMAGENET_STD)
        self._splits = {}
        for split, (table, shot, tasks) in wanted.items():
            files = ImageFiles(*_listed(root, table), transform)
            labels = np.asarray(files.labels)
            classes = range(int(labels.max()) + 1)
            self._splits[split] = Episodes(files, labels, classes, n_way, shot, k_query, tasks)

    def splits(self) -> Mapping[str, Episodes]:
        """Return the splits that were asked for."""
        return self._splits

    def facts(self) -> Mapping[str, Any]:
        """Return the number of classes of a task and the shape of an image."""
        return {"num_classes": self._n_way, "input_shape": (3, self._size, self._size)}


def _listed(root: Path, table: str) -> tuple[list[Path], list[int]]:
    """Return the files of a table, and the numbers of their classes."""
    try:
        with (root / table).open(encoding="utf-8", newline="") as file:
            names = [row["filename"] for row in csv.DictReader(file)]
    except (OSError, KeyError) as error:
        raise DataError(
            f"'{root / table}' is no table of filename and label ({error}); expected images/ and the tables of Ravi "
            f"and Larochelle in '{root}', or set AWNAS_DATA or relative_dir"
        ) from error
    if not names:
        raise DataError(f"'{root / table}' lists no images")
    numbers = {name: number for number, name in enumerate(sorted({name[:CLASS_NAME] for name in names}))}
    return [root / "images" / name for name in names], [numbers[name[:CLASS_NAME]] for name in names]
