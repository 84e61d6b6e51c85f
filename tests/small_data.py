"""A few random examples of data sets that are downloaded, in the formats their publishers use."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

TRAIN, TEST = 60, 20


def write_all(root: Path) -> None:
    """Write every data set below ``root``, each in the folder where awnas looks for it."""
    rng = np.random.default_rng(0)
    write_cifar(root / "cifar10" / "cifar-10-batches-py", rng)
    write_cifar100(root / "cifar100" / "cifar-100-python", rng)
    write_svhn(root / "svhn", rng)
    write_fashion_mnist(root / "fashion-mnist" / "FashionMNIST" / "raw", rng)


def write_cifar(folder: Path, rng: np.random.Generator) -> None:
    """Five batches and a test batch: pickled rows of 3 · 32 · 32 bytes."""
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        count = TEST if name == "test_batch" else TRAIN // 5
        _pickle(folder / name, {"data": _bytes(rng, count, 3072), "labels": _labels(rng, count, 10).tolist()})
    _pickle(folder / "batches.meta", {"label_names": [str(digit) for digit in range(10)]})


def write_cifar100(folder: Path, rng: np.random.Generator) -> None:
    """One file for each split, with fine labels."""
    for name, count in (("train", TRAIN), ("test", TEST)):
        labels = _labels(rng, count, 100).tolist()
        _pickle(folder / name, {"data": _bytes(rng, count, 3072), "fine_labels": labels})
    _pickle(folder / "meta", {"fine_label_names": [str(number) for number in range(100)]})


def write_svhn(folder: Path, rng: np.random.Generator) -> None:
    """Matlab files of (32, 32, 3, n) bytes; the digit 0 is labelled 10."""
    from scipy.io import savemat

    folder.mkdir(parents=True)
    for name, count in (("train", TRAIN), ("test", TEST)):
        images = _bytes(rng, 32, 32, 3, count)
        savemat(folder / f"{name}_32x32.mat", {"X": images, "y": _labels(rng, count, 10)[:, None] + 1})


def write_fashion_mnist(folder: Path, rng: np.random.Generator) -> None:
    """IDX files: a magic number, the sizes, the bytes."""
    folder.mkdir(parents=True)
    for name, count in (("train", TRAIN), ("t10k", TEST)):
        for part, values in (
            ("images-idx3", _bytes(rng, count, 28, 28)),
            ("labels-idx1", _labels(rng, count, 10)),
        ):
            header = np.array([0x0800 + values.ndim, *values.shape], dtype=">i4").tobytes()
            (folder / f"{name}-{part}-ubyte").write_bytes(header + values.astype(np.uint8).tobytes())


def _pickle(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(data, protocol=2))


def _bytes(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(256, size=shape, dtype=np.uint8)


def _labels(rng: np.random.Generator, count: int, classes: int) -> np.ndarray:
    return np.arange(count) % classes
