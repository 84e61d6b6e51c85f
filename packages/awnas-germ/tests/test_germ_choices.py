"""Choices and arithmetic on them."""

import itertools

import pytest

from awnas_core import ConfigError
from awnas_germ import Choices, Subset, maximum, minimum, round_to
from awnas_germ.choices import leaves_of, value_of


def test_an_expression_takes_every_value_that_its_choices_give():
    a, b = Choices([1, 2, 3]), Choices([2, 5])
    expressions = {
        "sum": (a + b, lambda x, y: x + y),
        "difference": (10 - a, lambda x, y: 10 - x),
        "product": (2 * a * b, lambda x, y: 2 * x * y),
        "quotient": (b // a, lambda x, y: y // x),
        "share": (b / 2, lambda x, y: y / 2),
        "square": (a * a, lambda x, y: x * x),
        "largest": (maximum(a, b, 3), lambda x, y: max(x, y, 3)),
        "smallest": (minimum(a, b), min),
        "rounded": (round_to(7 * a, 8), lambda x, y: {7: 8, 14: 16, 21: 24}[7 * x]),
    }
    for name, (expression, expected) in expressions.items():
        pairs = list(itertools.product(a.choices, b.choices))
        found = {expression.value({a: x, b: y}) for x, y in pairs}
        assert set(expression.values()) == found == {expected(x, y) for x, y in pairs}, name


def test_an_expression_knows_each_of_its_choices_once():
    a, b = Choices([1, 2]), Choices([3, 4])
    assert (a * b + a).leaves == (a, b)
    assert leaves_of({"x": [a, (b, 3)], "y": a}) == (a, b)


def test_values_in_nested_containers_are_replaced_and_the_rest_stays():
    a = Choices([1, 2])
    assert value_of({"k": [a, 5, (2 * a, "x")]}, {a: 2}) == {"k": [2, 5, (4, "x")]}


@pytest.mark.parametrize(
    ("channels", "expected"),
    [(32 * 0.35, 16), (24 * 0.75, 24), (16 * 0.5, 8), (1, 8), (100, 104), (96 * 1.4, 136), (320 * 1.4, 448)],
)
def test_channels_round_as_in_the_code_of_mobilenet(channels, expected):
    assert round_to(channels, 8) == expected


def test_a_subset_is_one_choice_among_all_combinations():
    assert Subset(range(4), 2).choices == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    with pytest.raises(ConfigError, match="got 5"):
        Subset(range(4), 5)


def test_a_table_gives_an_entry_for_each_choice():
    kind = Choices(["small", "large"])
    width = kind.pick({"small": 8, "large": 32})
    assert width.values() == (8, 32)
    with pytest.raises(ConfigError, match="no entry for 'large'"):
        kind.pick({"small": 8})


@pytest.mark.parametrize("use", [bool, range, float, lambda c: [0, 1][c]])
def test_an_open_choice_is_no_number_and_says_what_to_do(use):
    with pytest.raises(ConfigError, match="not decided"):
        use(Choices([1, 2]))


@pytest.mark.parametrize("values", [[], [3, 3]])
def test_choices_need_different_values(values):
    with pytest.raises(ConfigError, match="each once"):
        Choices(values)


def test_an_expression_of_too_many_assignments_says_which():
    total = sum((Choices(range(20), f"c{i}") for i in range(5)), 0)
    with pytest.raises(ConfigError, match="c0, c1, c2, c3, c4"):
        total.values()
