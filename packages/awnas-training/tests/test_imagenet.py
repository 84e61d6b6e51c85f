"""ImageNet and tiny ImageNet from small files in the true layouts."""

from __future__ import annotations

import numpy as np
import pytest

from awnas_core.config.problems import ConfigProblems
from awnas_core.errors import DataError
from awnas_core.testing import DatasetContract, build
from awnas_training.data.files import arrange_tiny_imagenet

CLASSES = [f"n{number:08}" for number in (1440764, 1443537, 1484850, 1491361)]
SMALL = {"train_crop_size": 32, "test_crop_size": 16}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch, write_pictures):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    for index, name in enumerate(CLASSES):
        files = [f"{name}_{i}.JPEG" for i in range(3)]
        write_pictures(tmp_path / "imagenet" / "train" / name, *files, size=(50, 40))
        write_pictures(tmp_path / "imagenet" / "val" / name, *files[:1], size=(60, 60))
        write_pictures(tmp_path / "tiny-imagenet" / "train" / name / "images", *files, size=(64, 64))
        (tmp_path / "tiny-imagenet" / "train" / name / f"{name}_boxes.txt").write_text("x\t0\t0\t1\t1\n")
        write_pictures(tmp_path / "tiny-imagenet" / "val" / "images", f"val_{3 - index}.JPEG", size=(64, 64))
    rows = [f"val_{3 - index}.JPEG\t{name}\t0\t32\t44\t62\n" for index, name in enumerate(CLASSES)]
    (tmp_path / "tiny-imagenet" / "val" / "val_annotations.txt").write_text("".join(rows))
    return tmp_path


class TestImageNet(DatasetContract):
    component = "imagenet"
    cfg = {**SMALL, "test_crop_size": 32, "color_jitter": True, "cutout": 8}


class TestTinyImageNet(DatasetContract):
    component = "tiny-imagenet"


def imagenet(**cfg):
    return build("dataset", "imagenet", SMALL | cfg)


def test_sizes_and_labels_are_those_of_the_folders():
    dataset = imagenet()
    splits = dataset.splits()
    assert {name: len(split) for name, split in splits.items()} == {
        "train": 12,
        "train_testTransform": 12,
        "test": 4,
    }
    assert dataset.class_names == tuple(CLASSES)
    assert dataset.facts() == {"num_classes": 4, "input_shape": (3, 32, 32)}
    assert splits["test"][0][0].shape == (3, 16, 16)
    assert [label for _, label in splits["test"]] == [0, 1, 2, 3]


def test_pictures_to_measure_on_are_resized_to_32_more_and_cut_in_the_middle(root):
    from PIL import Image

    image, _ = imagenet(test_crop_size=28).splits()["test"][0]  # 60×60 already: nothing is resized
    with Image.open(root / "imagenet" / "val" / CLASSES[0] / f"{CLASSES[0]}_0.JPEG") as picture:
        middle = np.asarray(picture)[16:44, 16:44].transpose(2, 0, 1) / 255
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    np.testing.assert_allclose(image.numpy(), (middle - mean[:, None, None]) / std[:, None, None], atol=1e-5)


def test_a_file_of_classes_chooses_and_orders_them(tmp_path):
    chosen = tmp_path / "classes.txt"
    chosen.write_text(f"{CLASSES[2]}\n\n{CLASSES[0]}\n")
    dataset = imagenet(class_name_file=str(chosen))
    assert dataset.class_names == (CLASSES[2], CLASSES[0])
    assert len(dataset.splits()["train"]) == 6


def test_as_many_classes_in_the_file_as_there_are_keep_its_order_too(tmp_path):
    chosen = tmp_path / "classes.txt"
    chosen.write_text("\n".join(reversed(CLASSES)))
    assert imagenet(class_name_file=str(chosen)).class_names == tuple(reversed(CLASSES))


def test_the_first_or_random_classes_can_be_chosen():
    assert imagenet(num_sample_classes=2).class_names == tuple(CLASSES[:2])
    chosen = {
        imagenet(num_sample_classes=2, random_choose=True, random_seed=seed).class_names for seed in range(12)
    }
    assert len(chosen) > 3
    assert all(list(names) == sorted(names) for names in chosen)


def test_a_search_can_do_without_the_images_to_measure_on(root):
    import shutil

    shutil.rmtree(root / "imagenet" / "val")
    assert set(imagenet(load_train_only=True).splits()) == {"train", "train_testTransform"}
    with pytest.raises(DataError, match="load_train_only does without"):
        imagenet()


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ({"relative_dir": "elsewhere"}, r"no folders of classes in .*elsewhere/train"),
        ({"num_sample_classes": 5}, "5, but there are 4 classes"),
        ({"class_name_file": "no-such.txt"}, "no-such.txt' cannot be read"),
    ],
)
def test_what_is_not_there_is_told(cfg, message):
    with pytest.raises(DataError, match=message):
        imagenet(**cfg)


def test_a_random_choice_needs_a_number():
    with pytest.raises(ConfigProblems, match="random_choose needs num_sample_classes"):
        imagenet(random_choose=True)


def test_tiny_imagenet_is_read_as_it_comes_and_rearranged_alike(root):
    raw = build("dataset", "tiny-imagenet", {"train_crop_size": 32}).splits()
    assert {name: len(split) for name, split in raw.items()} == {
        "train": 12,
        "train_testTransform": 12,
        "test": 4,
    }
    assert raw["test"][0][0].shape == (3, 64, 64)
    by_name = {
        path.name: int(label) for path, label in zip(raw["test"].paths, raw["test"].labels, strict=True)
    }
    assert by_name == {f"val_{3 - index}.JPEG": index for index in range(4)}
    arrange_tiny_imagenet(root / "tiny-imagenet")
    arranged = build("dataset", "tiny-imagenet").splits()["test"]
    assert {p.name: int(label) for p, label in zip(arranged.paths, arranged.labels, strict=True)} == by_name


def test_a_missing_tiny_imagenet_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path / "empty"))
    with pytest.raises(DataError, match="try: awnas data get tiny-imagenet"):
        build("dataset", "tiny-imagenet")
