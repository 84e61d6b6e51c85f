"""ImageNet in thumbnails from small files in the true format."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from awnas_core.errors import DataError
from awnas_core.testing import DatasetContract, build

LABELS = [1, 120, 121, 1000]


def write(root, size=16, folder="imagenet_downsample"):
    (root / folder).mkdir()
    names = [*(f"train_data_batch_{i}" for i in range(1, 11)), "val_data"]
    for number, name in enumerate(names):
        data = np.random.default_rng(number).integers(0, 256, (4, 3 * size * size), dtype=np.uint8)
        content = {"data": data, "labels": LABELS, "mean": data.mean(0)}
        (root / folder / name).write_bytes(pickle.dumps(content, protocol=2))


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    write(tmp_path)
    write(tmp_path, 32, "at32")
    return tmp_path


class TestImageNetDownsample(DatasetContract):
    component = "imagenet-downsample"


def test_the_first_classes_are_kept_and_counted_from_zero():
    dataset = build("dataset", "imagenet_downsample")
    assert dataset.facts() == {"num_classes": 120, "input_shape": (3, 16, 16)}
    splits = dataset.splits()
    assert {name: len(split) for name, split in splits.items()} == {
        "train": 20,
        "train_testTransform": 20,
        "test": 2,
    }
    image, label = splits["test"][1]
    assert int(label) == 119
    row = np.random.default_rng(10).integers(0, 256, (4, 768), dtype=np.uint8)[1].reshape(3, 16, 16) / 255
    mean, std = np.array([0.48110767, 0.45748286, 0.40787092]), np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(image.numpy(), (row - mean[:, None, None]) / std[:, None, None], atol=1e-5)


def test_size_classes_and_folder_are_options():
    dataset = build("dataset", "imagenet-downsample", {"size": 32, "num_class": 1000, "relative_dir": "at32"})
    assert dataset.facts() == {"num_classes": 1000, "input_shape": (3, 32, 32)}
    assert len(dataset.splits()["train"]) == 40
    assert dataset.splits()["train"].augmentation.shift == 4


def test_another_size_than_that_of_the_files_is_refused():
    with pytest.raises(DataError, match=r"shape \(4, 768\) and 4 labels; images of size 32 are rows of 3072"):
        build("dataset", "imagenet-downsample", {"size": 32})


def test_missing_and_foreign_files_are_told(root):
    (root / "imagenet_downsample" / "val_data").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DataError, match="val_data' holds no mapping"):
        build("dataset", "imagenet-downsample")
    (root / "imagenet_downsample" / "train_data_batch_10").unlink()
    with pytest.raises(DataError, match=r"no file .*train_data_batch_10'; fetch .* relative_dir"):
        build("dataset", "imagenet-downsample")
