"""Data sets whose images are files, read one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awnas_core.roles.dataset import Dataset
from awnas_training.datasets.class_folders import ImageFiles


class FileImages(Dataset):
    """Splits of image files; ``train`` is augmented, ``train_testTransform`` shows the same images as they are."""

    class_names: Sequence[str] = ()
    """Names of the classes, in the order of their numbers."""

    def hold(
        self,
        splits: Mapping[str, ImageFiles],
        train_transform: Any,
        class_names: Sequence[str],
        shape: Sequence[int],
    ) -> None:
        """Take the files.

        Args:
            splits: Split name → files, with the transform that measuring takes.
            train_transform: Of ``train``.
            class_names: In the order of their numbers.
            shape: Of a training image, ``(C, H, W)``.
        """
        self.class_names = tuple(class_names)
        self._shape = tuple(shape)
        train = splits["train"]
        self._splits = {"train": train.seen_through(train_transform), "train_testTransform": train}
        self._splits |= {name: split for name, split in splits.items() if name != "train"}

    def splits(self) -> Mapping[str, ImageFiles]:
        """Return train, train_testTransform and what else there is."""
        return self._splits

    def facts(self) -> Mapping[str, Any]:
        """Return number of classes and shape of a training image."""
        return {"num_classes": len(self.class_names), "input_shape": self._shape}

    def views(self) -> Mapping[str, str]:
        """Return that train_testTransform shows the images of train."""
        return {"train_testTransform": "train"}
