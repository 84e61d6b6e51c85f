"""A folder of images for each class, however it is divided."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from awnas_core.config.problems import ConfigProblems
from awnas_core.errors import DataError
from awnas_core.testing import DatasetContract, build

NAMES = [f"{i:02}.png" for i in range(10)]


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch, write_pictures):
    """``pets`` with a folder for each split, ``birds`` with classes alone."""
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    for split, names in (("train", NAMES), ("val", NAMES[:3]), ("test", NAMES[:2])):
        for name in ("dog", "cat"):
            write_pictures(tmp_path / "pets" / split / name, *names)
    for index, name in enumerate(("wren", "Auk", "owl")):
        write_pictures(tmp_path / "birds" / name, *NAMES, grey=40 * index)
    write_pictures(tmp_path / "birds" / "owl" / "at night", "dark.JPG", grey=80)
    (tmp_path / "birds" / "owl" / "notes.txt").write_text("not a picture")
    return tmp_path


class TestImageFolder(DatasetContract):
    component = "image-folder"
    cfg = {"folder": "pets", "image_size": 16, "color_jitter": True, "cutout": 4}


def folder(**cfg):
    return build("dataset", "image-folder", cfg)


def test_folders_of_splits_are_the_splits_and_classes_keep_their_names():
    dataset = folder(folder="pets", image_size=16)
    assert {name: len(split) for name, split in dataset.splits().items()} == {
        "train": 20,
        "train_testTransform": 20,
        "valid": 6,
        "test": 4,
    }
    assert dataset.class_names == ("cat", "dog")
    assert dataset.facts() == {"num_classes": 2, "input_shape": (3, 16, 16)}
    assert [label for _, label in dataset.splits()["test"]] == [0, 0, 1, 1]


def test_a_part_of_each_class_is_held_out_where_there_are_classes_alone():
    dataset = folder(folder="birds", valid_portion=0.2, test_portion=0.3)
    splits = dataset.splits()
    assert dataset.class_names == ("Auk", "owl", "wren")
    counts = {name: np.bincount(split.labels).tolist() for name, split in splits.items()}
    assert counts["valid"] == [2, 2, 2]
    assert counts["test"] == [3, 4, 3]  # half of eleven owls, one of them in a folder of its own
    assert counts["train"] == [5, 5, 5]
    everything = [path for name in ("train", "valid", "test") for path in splits[name].paths]
    assert len(everything) == len(set(everything)) == 31
    again = folder(folder="birds", valid_portion=0.2, test_portion=0.3).splits()
    assert again["test"].paths == splits["test"].paths
    assert "valid" not in folder(folder="birds").splits()


def test_an_absolute_folder_will_do(root, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", "elsewhere")
    assert len(folder(folder=str(root / "birds")).splits()["test"]) == 6


def test_images_to_measure_on_are_the_middle_of_the_resized_picture(root):
    dataset = folder(folder="pets", image_size=16, resize=20)
    image, _ = dataset.splits()["test"][0]
    with Image.open(root / "pets" / "test" / "cat" / "00.png") as picture:
        middle = np.asarray(picture)[4:20, 2:18].transpose(2, 0, 1) / 255  # 20×24 already: nothing is resized
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(image.numpy(), (middle - mean[:, None, None]) / std[:, None, None], atol=1e-5)


def test_colour_statistics_and_channels_are_options():
    dataset = folder(
        folder="birds", image_size=8, channels=1, mean=[0.0], std=[0.5], train_crop="middle", flip=False
    )
    assert dataset.facts()["input_shape"] == (1, 8, 8)
    (grey,) = {round(float(image.mean()), 4) for image, label in dataset.splits()["train"] if label == 1}
    assert grey == round(80 / 255 / 0.5, 4)


@pytest.mark.parametrize("crop", ["random-resized", "shifted", "middle"])
def test_training_images_differ_from_those_to_measure_on_as_the_crop_says(crop):
    splits = folder(folder="pets", image_size=16, train_crop=crop, flip=False).splits()
    torch.manual_seed(0)
    same = [torch.equal(splits["train"][0][0], splits["train_testTransform"][0][0]) for _ in range(20)]
    assert all(same) if crop == "middle" else not all(same)


def test_every_other_training_image_is_mirrored():
    splits = folder(folder="pets", image_size=16, train_crop="middle").splits()
    plain = splits["train_testTransform"][0][0]
    torch.manual_seed(0)
    seen = [torch.equal(splits["train"][0][0], plain.flip(-1)) for _ in range(60)]
    assert 15 < sum(seen) < 45


def test_a_folder_without_classes_is_refused_with_what_was_expected(root):
    for name in ("no-such", "pets/train/cat"):
        with pytest.raises(DataError, match="expected <class>/ or train/<class>/ below") as caught:
            folder(folder=name)
        assert str(root / name) in str(caught.value)


def test_a_class_without_images_is_named(root):
    (root / "birds" / "emu").mkdir()
    with pytest.raises(DataError, match="no images of class 'emu'"):
        folder(folder="birds")


def test_a_class_that_one_split_lacks_is_named(root, write_pictures):
    write_pictures(root / "pets" / "train" / "ape", "0.png")
    with pytest.raises(DataError, match=r"no images of class 'ape' in .*val"):
        folder(folder="pets")


def test_a_file_that_is_no_picture_is_named_when_it_is_read(root):
    (root / "pets" / "test" / "cat" / "00.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"cat/00.png' cannot be read as an image"):
        folder(folder="pets").splits()["test"][0]


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"mean": [0.5]}, "mean must have 3 numbers"),
        ({"channels": 1, "std": [0.5, 0.5, 0.5]}, "std must have 1 numbers"),
        ({"valid_portion": 0.5, "test_portion": 0.5}, "must leave something to train on"),
    ],
)
def test_options_that_contradict_each_other_are_refused(cfg, message):
    with pytest.raises(ConfigProblems, match=message):
        folder(folder="pets", **cfg)
