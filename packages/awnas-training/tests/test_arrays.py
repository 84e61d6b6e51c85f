"""Images in a file of arrays, held out by group."""

from __future__ import annotations

import numpy as np
import pytest

from awnas_core.config.problems import ConfigProblems
from awnas_core.errors import DataError
from awnas_core.testing import DatasetContract, build

COUNT = 200


def arrays(count: int = COUNT, groups: int | None = 20, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    content = {
        "images": rng.integers(0, 256, (count, 6, 8, 3), dtype=np.uint8),
        "labels": np.arange(count) % 10,
    }
    return content if groups is None else content | {"group": np.arange(count) * groups // count + 3}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    (tmp_path / "sign_language_digits").mkdir()
    np.savez(tmp_path / "sign_language_digits" / "sld32_train.npz", **arrays())
    np.savez(tmp_path / "own.npz", **arrays(groups=None))
    np.savez(tmp_path / "other.npz", **arrays(count=30, seed=1))
    return tmp_path


class TestSignDigits(DatasetContract):
    component = "sign-digits"


class TestImageArrays(DatasetContract):
    component = "image-arrays"
    cfg = {"file": "own.npz"}


def own(split, content) -> np.ndarray:
    """Return which rows of the file a split shows."""
    rows = {image.tobytes(): index for index, image in enumerate(content["images"].transpose(0, 3, 1, 2))}
    return np.array([rows[image.numpy().tobytes()] for image in split.images])


def test_whole_groups_are_held_out():
    content, dataset = arrays(), build("dataset", "sign-digits", {"valid_portion": 0.1, "test_portion": 0.2})
    rows = {name: own(split, content) for name, split in dataset.splits().items()}
    assert sorted(np.concatenate([rows["train"], rows["valid"], rows["test"]])) == list(range(COUNT))
    groups = {name: set(content["group"][index]) for name, index in rows.items()}
    assert [len(groups[name]) for name in ("train", "valid", "test")] == [14, 2, 4]
    assert (
        not groups["train"] & groups["valid"]
        | groups["train"] & groups["test"]
        | groups["valid"] & groups["test"]
    )
    for name, split in dataset.splits().items():
        assert (split.labels.numpy() == content["labels"][rows[name]]).all()


def test_without_groups_a_part_of_each_class_is_held_out():
    splits = build("dataset", "image-arrays", {"file": "own.npz"}).splits()
    assert np.bincount(splits["test"].labels).tolist() == [3] * 10
    assert np.bincount(splits["valid"].labels).tolist() == [3] * 10


def test_what_is_held_out_never_changes():
    first, second = (build("dataset", "sign-digits").splits()["test"].images for _ in range(2))
    assert (first == second).all()


def test_another_file_can_be_the_test():
    splits = build("dataset", "image-arrays", {"file": "own.npz", "test_file": "other.npz"}).splits()
    assert (splits["test"].images.numpy() == arrays(count=30, seed=1)["images"].transpose(0, 3, 1, 2)).all()
    assert len(splits["train"]) + len(splits["valid"]) == COUNT


def test_nothing_need_be_held_out():
    splits = build(
        "dataset", "image-arrays", {"file": "own.npz", "valid_portion": 0.0, "test_portion": 0.0}
    ).splits()
    assert set(splits) == {"train", "train_testTransform"}


def test_training_pixels_have_mean_zero_and_deviation_one():
    train = build("dataset", "sign-digits").splits()["train_testTransform"]
    values = np.stack([train[i][0].numpy() for i in range(len(train))])
    np.testing.assert_allclose(values.mean((0, 2, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(values.std((0, 2, 3)), 1, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"images": np.zeros((COUNT, 6, 8, 3), np.float32)},
        {"images": np.zeros((COUNT, 6, 8), np.uint8)},
        {"labels": np.arange(COUNT) / 2},
        {"labels": np.arange(COUNT) - 1},
        {"labels": np.arange(COUNT - 1)},
        {"group": np.arange(3)},
    ],
    ids=["not bytes", "no channels", "not whole", "negative", "too few labels", "too few groups"],
)
def test_arrays_that_do_not_fit_are_refused_with_what_was_expected(root, change):
    np.savez(root / "wrong.npz", **arrays() | change)
    with pytest.raises(DataError, match=r"does not hold images: uint8 \(n, height, width, channels\)"):
        build("dataset", "image-arrays", {"file": "wrong.npz"})


def test_missing_and_damaged_files_are_told(root):
    with pytest.raises(DataError, match=r"no file .*AWNAS_DATA"):
        build("dataset", "image-arrays", {"file": "no-such.npz"})
    (root / "own.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(DataError, match="not a file of numpy arrays"):
        build("dataset", "image-arrays", {"file": "own.npz"})
    np.savez(root / "own.npz", images=np.array([object()]), labels=np.zeros(1, int))
    with pytest.raises(DataError, match="not a file of numpy arrays"):
        build("dataset", "image-arrays", {"file": "own.npz"})


def test_holding_out_everything_is_refused():
    with pytest.raises(ConfigProblems, match="must leave something"):
        build("dataset", "sign-digits", {"valid_portion": 0.5, "test_portion": 0.5})
