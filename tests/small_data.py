"""A few random examples of data sets that are downloaded, in the formats their publishers use."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from PIL import Image

TRAIN, TEST = 60, 20
WORDNET = ("n01440764", "n01443537", "n01484850", "n01491361")


def write_all(root: Path) -> None:
    """Write every data set below ``root``, each in the folder where awnas looks for it."""
    rng = np.random.default_rng(0)
    write_cifar(root / "cifar10" / "cifar-10-batches-py", rng)
    write_cifar100(root / "cifar100" / "cifar-100-python", rng)
    write_svhn(root / "svhn", rng)
    write_fashion_mnist(root / "fashion-mnist" / "FashionMNIST" / "raw", rng)
    write_downsampled(root / "imagenet_downsample", rng)
    write_imagenet(root / "imagenet", rng)
    write_tiny_imagenet(root / "tiny-imagenet", rng)
    write_mini_imagenet(root / "miniimagenet", rng)
    write_arrays(root / "sign_language_digits" / "sld32_train.npz", rng)
    write_tables(root / "tables", rng)
    write_corpus(root / "ptb", rng)
    (root / "own.txt").write_text(_sentences(rng, 200))


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


def write_downsampled(folder: Path, rng: np.random.Generator) -> None:
    """Ten batches and one to measure on: pickled rows of 3 · 16 · 16 bytes; classes count from 1."""
    for name in (*(f"train_data_batch_{number}" for number in range(1, 11)), "val_data"):
        count = TEST if name == "val_data" else TRAIN // 10
        labels = (_labels(rng, count, 10) + 1).tolist()
        _pickle(folder / name, {"data": _bytes(rng, count, 768), "labels": labels})


def write_imagenet(folder: Path, rng: np.random.Generator) -> None:
    """JPEG files of any size, a folder for each class in train and val."""
    for split, count in (("train", TRAIN // 4), ("val", TEST // 4)):
        for name in WORDNET:
            for number in range(count):
                _picture(folder / split / name / f"{name}_{number}.JPEG", rng, 40, 50)


def write_tiny_imagenet(folder: Path, rng: np.random.Generator) -> None:
    """JPEG files of 64×64; those to measure on in one folder, with a table of their classes."""
    rows = []
    for name in WORDNET:
        for number in range(TRAIN // 4):
            _picture(folder / "train" / name / "images" / f"{name}_{number}.JPEG", rng, 64, 64)
        for _ in range(TEST // 4):
            rows.append(f"val_{len(rows)}.JPEG\t{name}\t0\t0\t62\t62\n")
            _picture(folder / "val" / "images" / f"val_{len(rows) - 1}.JPEG", rng, 64, 64)
    (folder / "val" / "val_annotations.txt").write_text("".join(rows))


def write_mini_imagenet(
    folder: Path, rng: np.random.Generator, *, classes: int = 2, examples: int = TEST // 4
) -> None:
    """JPEG files named after their class, and a table of the classes of each split."""
    for split, first in (("train", 10), ("val", 20), ("test", 30)):
        rows = ["filename,label"]
        for name in (f"n{first + number:08}" for number in range(classes)):
            for number in range(examples):
                _picture(folder / "images" / f"{name}{number:08}.jpg", rng, 84, 84)
                rows.append(f"{name}{number:08}.jpg,{name}")
        (folder / f"{split}.csv").write_text("\n".join(rows) + "\n")


def write_arrays(path: Path, rng: np.random.Generator) -> None:
    """Images, labels and groups in one file of arrays."""
    path.parent.mkdir(parents=True)
    groups = np.arange(TRAIN) // 5
    np.savez(path, images=_bytes(rng, TRAIN, 32, 32, 3), labels=_labels(rng, TRAIN, 10), group=groups)


def write_corpus(folder: Path, rng: np.random.Generator) -> None:
    """Three files of sentences."""
    folder.mkdir()
    for name, count in (("train", 600), ("valid", 200), ("test", 200)):
        (folder / f"{name}.txt").write_text(_sentences(rng, count))


def _sentences(rng: np.random.Generator, count: int) -> str:
    words = [f"word{number}" for number in range(20)]
    return "".join(f" {' '.join(rng.choice(words, size=6))} \n" for _ in range(count))


def write_tables(folder: Path, rng: np.random.Generator) -> None:
    """Tables and models of benchmarks as ``awnas bench convert`` makes them, with accuracies that nobody measured."""
    from awnas_benchmarks.surrogates.trees import Ensemble, Trees
    from awnas_benchmarks.tables.columns import Column
    from awnas_benchmarks.tables.table import TableInfo, write_table
    from awnas_spaces.nasbench101 import NasBench101Space, codes_of
    from awnas_spaces.nasbench101_enumeration import unique_cells

    keys = np.concatenate(
        [NasBench101Space().benchmark_keys(codes_of(*unique_cells(size, 9, 3))) for size in (2, 3, 4, 5)]
    )
    names = ("cifar10/valid_accuracy@108", "cifar10/test_accuracy@108")
    info = TableInfo(name="nasbench-101", space="nasbench-101", signal=names[0], report=names[1])
    values = {name: rng.random((len(keys), 3)) for name in names}
    columns = [Column(name=name, runs=(0, 1, 2)) for name in names]
    write_table(folder / "nasbench-101.safetensors", info, columns, values, keys)
    stump = Trees(
        roots=np.zeros(1, dtype=np.int32),
        left=np.array([1, -1, -1], dtype=np.int32),
        right=np.array([2, -1, -1], dtype=np.int32),
        feature=np.array([10, 0, 0], dtype=np.int32),
        threshold=np.array([2.5, 0.0, 0.0]),
        value=np.array([0.0, 93.0, 94.0]),
    )
    about = {"predicts": "accuracy", "divide": 100.0}
    Ensemble([stump, stump], [0.0, 0.5], is_single=True, about=about).save(
        folder / "nb301-accuracy.safetensors"
    )


def _picture(path: Path, rng: np.random.Generator, width: int, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(_bytes(rng, height, width, 3)).save(path)


def _pickle(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(data, protocol=2))


def _bytes(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(256, size=shape, dtype=np.uint8)


def _labels(rng: np.random.Generator, count: int, classes: int) -> np.ndarray:
    return np.arange(count) % classes
