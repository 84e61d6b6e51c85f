"""What stands on the paths of cells, against paths that are walked one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from awnas_core.roles.search_space import SearchSpace
from awnas_predictors.encoding import OUTPUT, encode
from awnas_predictors.path_features import path_features
from awnas_spaces.enas import EnasSpace
from awnas_spaces.nasbench101 import NasBench101Space
from awnas_spaces.nasbench201 import NasBench201Space


def walks(cell: np.ndarray, inputs: int, to: int) -> list[list[int]]:
    """Return the operations on every path from an input node to ``to``."""
    if to < inputs:
        return [[]]
    return [
        [*before, int(operation)]
        for slot, source in itertools.product(range(len(cell)), range(to))
        if (operation := cell[slot, to, source])
        for before in walks(cell, inputs, source)
    ]


def before(path: list[int], one: int, other: int) -> int:
    return sum((a, b) == (one, other) for a, b in itertools.combinations(path, 2))


@pytest.mark.parametrize("space", [NasBench201Space(), NasBench101Space(), EnasSpace()])
def test_what_stands_on_paths_is_found_by_walking(space: SearchSpace) -> None:
    graphs = encode(space, space.sample_codes(12, np.random.default_rng(3)))
    names = graphs.operations
    kinds = range(1, len(names) + 1)
    free = [kind for kind in kinds if names[kind - 1] != OUTPUT]
    always = {kind for kind in kinds if names[kind - 1] == OUTPUT}
    found = path_features(graphs)
    for arch, cells in enumerate(graphs.edges):
        paths = [walks(cell, graphs.num_inputs, cell.shape[-1] - 1) for cell in cells]
        expected: list[int] = []
        for size in range(1, len(free) + 1):
            for subset in itertools.combinations(free, size):
                for ways in paths:
                    counts = [sum(op in {*subset, *always} for op in way) for way in ways]
                    expected += [min(counts, default=cells.shape[-1]), max(counts, default=0), sum(counts)]
        for ways in paths:
            expected += [sum(before(way, a, b) for way in ways) for a in kinds for b in kinds]
        assert found[arch].tolist() == expected


def test_a_skip_changes_only_what_is_counted_of_skips() -> None:
    space = NasBench201Space()
    short = space.parse("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|avg_pool_3x3~1|none~2|")
    longer = space.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|")
    graphs = encode(space, np.array([short, longer]))
    first, second = path_features(graphs)
    subsets = [set(s) for size in range(1, 5) for s in itertools.combinations(graphs.operations, size)]
    without = np.repeat(["skip_connect" not in subset for subset in subsets], 3)
    orders = ["skip_connect" not in pair for pair in itertools.product(graphs.operations, repeat=2)]
    same = np.concatenate([without, orders])
    assert np.array_equal(first[same], second[same])
    assert not np.array_equal(first[~same], second[~same])
