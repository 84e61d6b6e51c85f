"""Splits are divided among queues as ``data_portion`` says: nothing twice, nothing silently missing."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from awnas_core.errors import ConfigError
from awnas_torch.portions import divide, split_orders

SIZES = {"train": 100, "train_testTransform": 100, "test": 40}
VIEWS = {"train_testTransform": "train"}


def indices(portions, **options):
    return [portion.indices.tolist() for portion in divide(portions, SIZES, views=VIEWS, **options)]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.integers(1, 5000))
def test_fractions_that_make_up_a_whole_share_out_every_example_once(weights, size):
    fractions = [weight / sum(weights) for weight in weights]
    parts = [portion.indices for portion in divide(fractions, {"train": size})]
    assert np.concatenate(parts).tolist() == list(range(size))
    for part, fraction in zip(parts, fractions, strict=True):
        assert abs(len(part) - size * fraction) <= 1


def test_fractions_follow_one_another_within_a_split():
    first, second, third = indices([0.5, ["test", 0.5], ["train", 0.25]])
    assert (first, second, third) == (list(range(50)), list(range(20)), list(range(50, 75)))


def test_a_view_uses_up_the_split_that_it_shows():
    assert indices([0.5, ["train_testTransform", 0.5]]) == [list(range(50)), list(range(50, 100))]
    with pytest.raises(ConfigError, match=r"'train' add up to 1\.1"):
        indices([0.6, ["train_testTransform", 0.5]])


def test_ranges_are_absolute_and_may_overlap():
    assert indices([["train", [0.1, 0.3]], ["train", [0.2, 1.0]]]) == [
        list(range(10, 30)),
        list(range(20, 100)),
    ]


def test_options_of_a_queue_are_handed_on():
    (portion,) = divide([["test", 0.5, {"shuffle": False}]], SIZES)
    assert (portion.split, dict(portion.options)) == ("test", {"shuffle": False})


@pytest.mark.parametrize(
    ("portion", "message"),
    [
        (1, "for a fraction write 1.0"),
        (1.5, r"data_portion\[0\]"),
        ("half", "write a fraction"),
        (["valid", 0.5], "no split 'valid'; the data set has train"),
        (["train", [0.5, 0.2]], "runs backwards"),
        (["train", [0.5]], r"a range is \[from, to\]"),
        (["train", 0.5, 3], "write a fraction"),
        ([0.5, "train"], "write a fraction"),
        (True, "write a fraction"),
    ],
)
def test_a_portion_that_cannot_be_had_is_refused_by_number(portion, message):
    with pytest.raises(ConfigError, match=message):
        divide([portion], SIZES)


def test_more_than_the_whole_is_refused_with_the_sum():
    with pytest.raises(ConfigError, match=r"data_portion\[1\].*add up to 1.2"):
        divide([0.6, 0.6], SIZES)


def test_a_permutation_is_applied_before_dividing_and_shared_by_views():
    orders = split_orders(SIZES, VIEWS, 7, None)
    first, second = indices([0.5, ["train_testTransform", 0.5]], orders=orders)
    assert sorted(first + second) == list(range(100))
    assert first != sorted(first)
    assert set(orders) == {"train", "test"}


def test_a_permutation_follows_from_its_seed():
    first, same, other = (split_orders(SIZES, VIEWS, seed, None)["train"].tolist() for seed in (7, 7, 8))
    assert first == same != other


def test_a_drawn_permutation_is_written_and_read_back(tmp_path):
    file = tmp_path / "order.yaml"
    drawn = split_orders(SIZES, VIEWS, 7, file)
    read = split_orders(SIZES, VIEWS, None, file)
    assert {name: order.tolist() for name, order in read.items()} == {
        name: order.tolist() for name, order in drawn.items()
    }


def test_a_permutation_of_another_data_set_is_refused(tmp_path):
    file = tmp_path / "order.yaml"
    split_orders({"train": 99}, {}, 7, file)
    with pytest.raises(ConfigError, match="not hold a permutation of the 100 of split 'train'"):
        split_orders(SIZES, VIEWS, 7, file)


def test_a_permutation_file_without_a_split_that_is_divided_is_refused(tmp_path):
    file = tmp_path / "order.yaml"
    split_orders({"train": SIZES["train"]}, {}, 7, file)
    orders = split_orders(SIZES, VIEWS, None, file)
    with pytest.raises(ConfigError, match=r"data_portion\[1\].*no permutation of split 'test', but of train"):
        divide([0.5, ["test", 0.5]], SIZES, views=VIEWS, orders=orders)


def test_a_permutation_needs_a_source():
    with pytest.raises(ConfigError, match="shuffle_data_before_split_seed"):
        split_orders(SIZES, VIEWS, None, None)
