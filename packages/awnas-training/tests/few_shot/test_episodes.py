"""Tasks: N classes, K examples to learn from, others to be tested on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from awnas_core import ConfigError, Dataset
from awnas_core.errors import DataError
from awnas_core.testing import DatasetContract, build
from awnas_torch.queues import DataQueue
from awnas_training.few_shot.episodes import Episodes, FewShot

SHAPES = {"n_way": 3, "k_shot": 2, "k_query": 4}


class Numbers(Dataset):
    """Ten classes of seven examples; an example is 100 · class + its number."""

    def splits(self):
        return {"train": [(torch.tensor([100.0 * (i % 10) + i // 10]), i % 10) for i in range(70)]}

    def facts(self):
        return {"num_classes": 10, "input_shape": (1,)}


class OnTasks(DatasetContract):
    """Items are tasks: the shape that is stated is that of an example."""

    def test_items_have_the_shape_that_is_stated(self):
        dataset = self.made()
        for split in dataset.splits().values():
            for inputs, _ in split[0]:
                assert inputs.shape[1:] == dataset.facts()["input_shape"]


class TestFewShotOnDigits(OnTasks):
    component = "few-shot"
    cfg = {**SHAPES, "test_classes": 4}


class TestMiniImageNet(OnTasks):
    component = "miniimagenet"
    cfg = {**SHAPES, "n_way": 2, "resize": 16}

    @pytest.fixture(autouse=True)
    def files(self, mini_imagenet):
        return mini_imagenet


@pytest.fixture
def mini_imagenet(tmp_path, monkeypatch, write_pictures):
    """Three tables, of 3, 2 and 2 classes, and the pictures they list."""
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    root = tmp_path / "miniimagenet"
    first = 1532829
    for table, classes in (("train", 3), ("val", 2), ("test", 2)):
        rows = ["filename,label"]
        for _ in range(classes):
            name = f"n{first:08}"
            first += 1
            files = [f"{name}{number:08}.jpg" for number in range(8)]
            write_pictures(root / "images", *files)
            rows += [f"{file},{name}" for file in files]
        (root / f"{table}.csv").write_text("\n".join(rows) + "\n")
    return root


def numbers(**options) -> FewShot:
    return FewShot(
        base=Numbers(), **{**SHAPES, "test_classes": 4, "train_tasks": 50, "test_tasks": 20, **options}
    )


def test_a_task_has_n_classes_with_k_examples_and_others_to_be_tested_on():
    for task in numbers().splits()["train"][0], numbers(k_shot=1, k_query=6).splits()["test"][3]:
        (support, support_labels), (query, query_labels) = task
        per_class = (len(support) // 3, len(query) // 3)
        assert per_class in ((2, 4), (1, 6))
        assert support_labels.tolist() == [n for n in range(3) for _ in range(per_class[0])]
        assert query_labels.tolist() == [n for n in range(3) for _ in range(per_class[1])]
        everything = torch.cat([support, query]).flatten().tolist()
        assert len(set(everything)) == len(everything)
        real = {
            int(label): set((query[query_labels == label] // 100).flatten().tolist()) for label in range(3)
        }
        assert all(len(classes) == 1 for classes in real.values())
        assert len(set.union(*real.values())) == 3
        for label in range(3):  # a number means the same class in both sets
            assert set((support[support_labels == label] // 100).flatten().tolist()) == real[label]


def test_no_class_is_learnt_and_tested():
    splits = numbers().splits()
    seen = {
        name: {int(x) // 100 for i in range(len(split)) for part in split[i] for x in part[0]}
        for name, split in splits.items()
    }
    assert seen == {"train": {0, 1, 2, 3, 4, 5}, "test": {6, 7, 8, 9}}


def test_tasks_differ_from_pass_to_pass_and_follow_from_the_seed_of_the_queue():
    def first_support(seed, passes):
        queue = DataQueue(numbers().splits()["train"], np.arange(50), batch_size=1, seed=seed, shuffle=False)
        for _ in range(50 * passes):
            queue.next()
        (support, _), _ = queue.next()
        return support

    assert torch.equal(first_support(1, 0), first_support(1, 0))
    assert not torch.equal(first_support(1, 0), first_support(1, 1))
    assert not torch.equal(first_support(1, 0), first_support(2, 0))


def test_facts_are_those_of_the_data_with_the_classes_of_a_task():
    assert numbers().facts() == {"num_classes": 3, "input_shape": (1,)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_way": 5}, "n_way is 5, but there are 4 classes"),
        ({"k_query": 6}, "k_shot \\+ k_query is 8, but class 0 has 7 examples"),
        ({"test_classes": 10}, "test_classes is 10, but the data set has 10 classes"),
    ],
)
def test_tasks_that_cannot_be_drawn_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        numbers(**options)


def test_mini_imagenet_is_read_by_its_tables(mini_imagenet):
    dataset = build("dataset", "mini-imagenet", {**TestMiniImageNet.cfg, "train_shot": 3, "batch_size": 7})
    sizes = {name: len(split) for name, split in dataset.splits().items()}
    assert sizes == {"train": 7, "val": 100, "test": 1000}
    assert {name: len(split.classes) for name, split in dataset.splits().items()} == {
        "train": 3,
        "val": 2,
        "test": 2,
    }
    (support, _), (query, _) = dataset.splits()["train"][0]
    assert support.shape == (2 * 3, 3, 16, 16)
    assert query.shape == (2 * 4, 3, 16, 16)
    assert dataset.splits()["val"][0][0][0].shape[0] == 2 * 2


def test_splits_of_mini_imagenet_can_be_left_out_and_missing_files_are_told(mini_imagenet):
    (mini_imagenet / "val.csv").unlink()
    (mini_imagenet / "test.csv").write_text("name\nx\n")
    alone = build("dataset", "miniimagenet", {**TestMiniImageNet.cfg, "load_val": False, "load_test": False})
    assert set(alone.splits()) == {"train"}
    for options in ({"load_test": False}, {"load_val": False}):
        with pytest.raises(
            DataError, match=r"is no table of filename and label .*AWNAS_DATA or relative_dir"
        ):
            build("dataset", "miniimagenet", {**TestMiniImageNet.cfg, **options})


def test_labels_are_read_off_the_examples_where_they_are_not_listed():
    pairs = Episodes([(torch.zeros(1), i % 2) for i in range(8)], np.arange(8) % 2, [0, 1], 2, 1, 1, 1)
    assert len(pairs[0][0][0]) == 2
    assert numbers().splits()["train"].labels.tolist() == [i % 10 for i in range(70)]
