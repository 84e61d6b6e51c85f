"""CIFAR, SVHN and Fashion-MNIST from small files in the true formats."""

from __future__ import annotations

import gzip
import pickle
import struct

import numpy as np
import pytest
import scipy.io
import torch

from awnas_core.errors import DataError
from awnas_core.testing import DatasetContract, build
from awnas_training.datasets.batches import read_mapping

COUNT = 4


def pixels(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def write_cifar(root, folder, batches, names, label_key):
    """As the publisher's ``pickle.py``: every row holds the red, green and blue plane after one another."""
    (root / folder).mkdir(parents=True)
    for number, name in enumerate(batches):
        content = {
            "data": pixels(COUNT, 3 * 32 * 32, seed=number),
            label_key: [(number + i) % 10 for i in range(COUNT)],
        }
        (root / folder / name).write_bytes(
            pickle.dumps({key.encode(): v for key, v in content.items()}, protocol=2)
        )
    name, key, classes = names
    (root / folder / name).write_bytes(
        pickle.dumps({key.encode(): [b"class %d" % i for i in range(classes)]})
    )


def cifar10(root):
    batches = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    write_cifar(
        root / "cifar10", "cifar-10-batches-py", batches, ("batches.meta", "label_names", 10), "labels"
    )


def cifar100(root):
    write_cifar(
        root / "cifar100",
        "cifar-100-python",
        ["train", "test"],
        ("meta", "fine_label_names", 100),
        "fine_labels",
    )


def svhn(root):
    (root / "svhn").mkdir()
    for split in ("train", "test", "extra"):
        content = {"X": pixels(32, 32, 3, COUNT), "y": np.array([[10], [1], [2], [9]], dtype=np.uint8)}
        scipy.io.savemat(root / "svhn" / f"{split}_32x32.mat", content)


def fashion(root, packed=False):
    folder = root / "fashion-mnist" / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        files = {
            f"{part}-images-idx3-ubyte": struct.pack(">4B3i", 0, 0, 8, 3, COUNT, 28, 28)
            + pixels(COUNT, 28, 28).tobytes(),
            f"{part}-labels-idx1-ubyte": struct.pack(">4Bi", 0, 0, 8, 1, COUNT) + bytes(range(COUNT)),
        }
        for name, data in files.items():
            path = folder / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(data) if packed else data)


WRITERS = {"cifar10": cifar10, "cifar100": cifar100, "svhn": svhn, "fashion-mnist": fashion}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    for write in WRITERS.values():
        write(tmp_path)
    return tmp_path


class TestCifar10(DatasetContract):
    component = "cifar10"
    cfg = {"cutout": 8}


class TestCifar100(DatasetContract):
    component = "cifar100"


class TestSvhn(DatasetContract):
    component = "svhn"


class TestFashionMnist(DatasetContract):
    component = "fashion-mnist"


def test_pixels_of_cifar_come_plane_by_plane_and_normalised():
    splits = build("dataset", "cifar10").splits()
    assert {name: len(split) for name, split in splits.items()} == {
        "train": 5 * COUNT,
        "train_testTransform": 5 * COUNT,
        "test": COUNT,
    }
    image, label = splits["train_testTransform"][COUNT + 1]  # the second of the second batch
    row = pixels(COUNT, 3072, seed=1)[1]
    assert int(label) == 2
    for channel, (mean, std) in enumerate(
        [(0.49139968, 0.24703233), (0.48215827, 0.24348505), (0.44653124, 0.26158768)]
    ):
        plane = row[1024 * channel : 1024 * (channel + 1)].reshape(32, 32) / 255
        np.testing.assert_allclose(image[channel].numpy(), (plane - mean) / std, atol=1e-5)


def test_pixels_and_labels_of_svhn_and_fashion_are_those_in_the_files():
    image, label = build("dataset", "svhn").splits()["extra"][0]
    assert int(label) == 0  # written 10
    expected = pixels(32, 32, 3, COUNT)[..., 0].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(
        image.numpy() * np.array([0.198, 0.201, 0.197])[:, None, None]
        + np.array([0.4377, 0.4438, 0.4728])[:, None, None],
        expected,
        atol=1e-5,
    )
    image, label = build("dataset", "fashion-mnist").splits()["test"][3]
    assert int(label) == 3
    np.testing.assert_allclose(image[0].numpy() * 0.353 + 0.286, pixels(COUNT, 28, 28)[3] / 255, atol=1e-5)


def test_packed_files_are_read_too(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path / "packed"))
    fashion(tmp_path / "packed", packed=True)
    assert len(build("dataset", "fashion-mnist").splits()["train"]) == COUNT


@pytest.mark.parametrize(
    ("name", "shift", "flip"),
    [("cifar10", 4, True), ("cifar100", 4, True), ("svhn", 0, False), ("fashion-mnist", 2, True)],
)
def test_training_images_are_shifted_and_mirrored_only_where_that_keeps_their_meaning(name, shift, flip):
    plain, augmented = (build("dataset", name).splits()[split] for split in ("train_testTransform", "train"))
    mean, std = (torch.tensor(values)[:, None, None] for values in (plain.mean, plain.std))
    black = -mean / std  # what comes in at the borders
    padded = torch.nn.functional.pad(plain[0][0] - black, (shift,) * 4) + black
    height, width = plain[0][0].shape[1:]
    seen = set()
    batch, _ = augmented.fetch(np.zeros(300, dtype=np.int64), np.arange(300, dtype=np.uint64))
    candidates = {
        (down, right, mirrored): view.flip(-1) if mirrored else view
        for down in range(2 * shift + 1)
        for right in range(2 * shift + 1)
        for view in [padded[:, down : down + height, right : right + width]]
        for mirrored in (False, True)
    }
    for image in batch:
        (match,) = [key for key, view in candidates.items() if torch.allclose(view, image, atol=1e-5)]
        seen.add(match)
    assert {mirrored for *_, mirrored in seen} == ({False, True} if flip else {False})
    assert max(down for down, *_ in seen) == 2 * shift
    assert min(down for down, *_ in seen) == 0


def test_cutout_is_an_option():
    train = build("dataset", "cifar10", {"cutout": 16}).splits()["train"]
    batch, _ = train.fetch(np.zeros(50, dtype=np.int64), np.arange(50, dtype=np.uint64))
    zeros = (batch == 0).all(1).sum((1, 2))
    assert zeros.max() == 256
    assert zeros.min() >= 64  # a corner


def test_batches_written_again_by_a_newer_python_are_read_too(root):
    before = build("dataset", "cifar100").splits()["test"]
    for name in ("train", "test", "meta"):
        path = root / "cifar100" / "cifar-100-python" / name
        path.write_bytes(pickle.dumps(read_mapping(path)))
    assert (build("dataset", "cifar100").splits()["test"].images == before.images).all()


def test_class_names_are_those_of_the_publisher():
    assert build("dataset", "cifar100").class_names[:2] == ("class 0", "class 1")
    assert build("dataset", "fashion-mnist").class_names[9] == "ankle boot"


@pytest.mark.parametrize("name", WRITERS)
def test_missing_or_damaged_files_are_told_with_what_to_do(name, root):
    victim = next(path for path in sorted((root / name).rglob("t*")) if path.is_file())
    for damage in (lambda: victim.write_bytes(b"\x80\x02not a batch"), victim.unlink):
        damage()
        with pytest.raises(DataError, match=f"try: awnas data get {name}, or set AWNAS_DATA") as caught:
            build("dataset", name)
        assert str(root / name) in str(caught.value)


def test_download_fetches_what_is_missing_and_nothing_else(root, monkeypatch):
    from awnas_training.data import files

    def refuse(file, folder):
        raise DataError(f"would fetch {file.name} into {folder}")

    monkeypatch.setattr(files, "download", refuse)
    build("dataset", "svhn", {"download": True})
    (root / "svhn" / "test_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"would fetch train_32x32.mat into .*svhn"):
        build("dataset", "svhn", {"download": True})
