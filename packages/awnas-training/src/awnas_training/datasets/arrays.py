"""Images in a file of arrays: what is easiest to make from data of one's own."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from awnas_core.errors import ConfigError, DataError
from awnas_core.options import Fraction
from awnas_training.datasets.augmentation import Augmentation, channel_statistics
from awnas_training.datasets.held_out import held_out
from awnas_training.datasets.in_memory import Images, InMemoryImages
from awnas_training.datasets.paths import data_root

EXPECTED = "images: uint8 (n, height, width, channels); labels: whole numbers (n,); perhaps group: whole numbers (n,)"


class ImageArrays(InMemoryImages):
    """Images of any one size out of an ``.npz`` file of numpy arrays.

    The file holds ``images``, uint8 ``(n, height, width, channels)``, ``labels`` ``(n,)`` from 0 on, and perhaps
    ``group`` ``(n,)``. Held out are whole groups where there are groups, else a part of each class; always the same.
    Splits are ``train``, ``train_testTransform``, ``valid`` and ``test``; the last two where something is held out.

    Args:
        file: The file, absolute or below ``$AWNAS_DATA``.
        test_file: Another such file that is the split ``test``; nothing is held out for it then.
        valid_portion: Part that is held out as ``valid``.
        test_portion: Part that is held out as ``test``.
        augmentation: What happens to training images.
    """

    where: ClassVar[str] = "any .npz file will do"

    def __init__(
        self,
        *,
        file: str,
        test_file: str | None = None,
        valid_portion: Fraction = 0.15,
        test_portion: Fraction = 0.15,
        augmentation: Augmentation = Augmentation(),
    ) -> None:
        images, labels, groups = self._read(file)
        splits: dict[str, Images] = {}
        portions = [valid_portion, 0.0 if test_file else test_portion]
        is_valid, is_test = held_out(labels, portions, groups)
        is_train = ~(is_valid | is_test)
        for name, mask in (("train", is_train), ("valid", is_valid), ("test", is_test)):
            if mask.any():
                splits[name] = images[mask], labels[mask]
        if "train" not in splits:
            raise DataError(f"'{file}': nothing is left to train on; hold out less than {sum(portions):g}")
        if test_file:
            splits["test"] = self._read(test_file)[:2]
        mean, std = channel_statistics(images[is_train])
        self.hold(splits, augmentation, mean=mean, std=std, num_classes=int(labels.max()) + 1)

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Refuse to hold out everything."""
        if options["valid_portion"] + options["test_portion"] >= 1:
            raise ConfigError("valid_portion and test_portion together must leave something to train on")

    def _read(self, file: str) -> tuple[Any, Any, Any]:
        """Return images ``(n, C, H, W)``, labels and groups, the last None where there are none."""
        path = data_root() / file
        try:
            with np.load(path) as content:
                arrays = {name: content[name] for name in ("images", "labels", "group") if name in content}
        except FileNotFoundError as error:
            raise DataError(
                f"no file '{path}'; {self.where}; set AWNAS_DATA to the folder it is in"
            ) from error
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise DataError(f"'{path}' is not a file of numpy arrays ({error})") from error
        return _checked(path, arrays)


HANDS = Augmentation(shift=3, flip=True, rotate=10.0, scale=0.1, brightness=0.2, contrast=0.2)
"""What a photograph of a hand may undergo and still show the same sign."""


class SignDigits(ImageArrays):
    """1,690 colour images of hands that show a digit, 32×32, 10 classes, of many students.

    Held out by ``group``, neighbouring photographs: hands of one student never stand on both sides.

    Args:
        file: The file of arrays, absolute or below ``$AWNAS_DATA``.
        augmentation: What happens to training images.

    Source: Mavi, "A New Dataset and Proposed Convolutional Neural Network Architecture for Classification of American
    Sign Language Digits", arXiv:2011.08927, 2020; photographs resized to 32×32.
    """

    class_names = tuple("0123456789")
    where = f"it holds {EXPECTED}, the number of the photograph divided by 25"

    def __init__(
        self,
        *,
        file: str = "sign_language_digits/sld32_train.npz",
        augmentation: Augmentation = HANDS,
        **options: Any,
    ) -> None:
        super().__init__(file=file, augmentation=augmentation, **options)


def _checked(path: Path, arrays: dict[str, Any]) -> tuple[Any, Any, Any]:
    if not _fit(**arrays):
        found = (
            ", ".join(f"{name}: {array.dtype} {array.shape}" for name, array in arrays.items())
            or "none of them"
        )
        raise DataError(f"'{path}' does not hold {EXPECTED}; it holds {found}")
    images = np.ascontiguousarray(arrays["images"].transpose(0, 3, 1, 2))
    return images, arrays["labels"].astype(np.int64), arrays.get("group")


def _fit(images: Any = None, labels: Any = None, group: Any = None) -> bool:
    if images is None or labels is None or images.dtype != np.uint8 or images.ndim != 4 or labels.ndim != 1:
        return False
    counted = labels.dtype.kind in "iu" and labels.min(initial=0) >= 0
    return counted and len(images) == len(labels) and (group is None or len(group) == len(images))
