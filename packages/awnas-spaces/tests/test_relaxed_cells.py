"""Relaxed cells: the mixtures of a space, and the discrete architecture they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from awnas_core.errors import ConfigError
from awnas_core.rollout import RelaxedRollout
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.nb301 import NB301_PRIMITIVES, Nb301Space

OPS = ("none", "skip_connect", "sep_conv_3x3")


def one_group(**options: Any) -> CnnSpace:
    settings: dict[str, Any] = {"num_cell_groups": 1, "num_layers": 1, "cell_layout": (0,), "num_steps": 2}
    return CnnSpace(**settings | {"reduce_cell_groups": (), "shared_primitives": OPS} | options)


WEIGHTS = np.array(
    [
        [0.7, 0.1, 0.2],  # 0 → 2
        [0.1, 0.6, 0.3],  # 1 → 2
        [0.2, 0.3, 0.5],  # 0 → 3
        [0.1, 0.8, 0.1],  # 1 → 3
        [0.9, 0.04, 0.06],  # 2 → 3
    ]
)


def connections(space: CnnSpace, relaxed: dict[str, Any]) -> tuple[Any, ...]:
    return RelaxedRollout(space, relaxed).genotype.cells[0].connections


def test_darts_cell_has_fourteen_edges_ordered_by_destination() -> None:
    normal, reduce = CnnSpace().mixtures
    assert (normal.name, reduce.name) == ("normal_0", "reduce_1")
    assert normal.shape == (14, 8)
    assert normal.targets == (2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5)


def test_the_strongest_edges_stay_with_their_strongest_operations() -> None:
    assert connections(one_group(), {"normal_0": WEIGHTS}) == (
        ("none", 0, 2),
        ("skip_connect", 1, 2),
        ("skip_connect", 1, 3),
        ("none", 2, 3),
    )


def test_without_none_edges_are_ranked_by_what_else_they_carry() -> None:
    before = WEIGHTS.copy()
    assert connections(one_group(derive_without_none_op=True), {"normal_0": WEIGHTS}) == (
        ("sep_conv_3x3", 0, 2),
        ("skip_connect", 1, 2),
        ("sep_conv_3x3", 0, 3),
        ("skip_connect", 1, 3),
    )
    assert (before == WEIGHTS).all()


def test_weights_of_edges_count() -> None:
    edges = np.array([0.5, 0.5, 0.1, 0.1, 0.8])
    relaxed = {"normal_0": WEIGHTS, "normal_0.edges": edges}
    space = one_group(num_node_inputs=1, derive_without_none_op=True)
    # without them (1, 3) wins by 0.8; with them it is 0.08 against 0.05 for (2, 3) and (0, 3)
    assert connections(space, relaxed)[1] == ("skip_connect", 1, 3)
    relaxed["normal_0.edges"] = np.array([0.5, 0.5, 0.1, 0.05, 0.85])
    assert connections(space, relaxed)[1] == ("sep_conv_3x3", 2, 3)


def test_several_samples_are_averaged() -> None:
    noise = np.random.default_rng(0).normal(size=WEIGHTS.shape)
    samples = np.stack([WEIGHTS + noise, WEIGHTS - noise], axis=1)
    space = one_group()
    assert space.discretize({"normal_0": samples}) == space.discretize({"normal_0": WEIGHTS})


@given(st.integers(0, 2**32))
def test_discretising_agrees_with_a_search_over_all_cells(seed: int) -> None:
    """Of all architectures whose nodes have different inputs, the result has the largest sum of scores."""
    rng = np.random.default_rng(seed)
    space = one_group(shared_primitives=("skip_connect", "sep_conv_3x3"))
    weights, edges = rng.random((5, 2)), rng.random(5)
    scores = weights * edges[:, None]

    def total(arch: tuple[int, ...]) -> float:
        ((nodes, ops),) = space.cells(arch)
        edge = (nodes[0], nodes[1], 2 + nodes[2], 2 + nodes[3])
        return sum(scores[e, op] for e, op in zip(edge, ops, strict=True))

    different = [r.arch for r in space.enumerate() if r.arch[0] != r.arch[1] and r.arch[4] != r.arch[5]]
    best = max(different, key=total)
    found = space.discretize({"normal_0": weights, "normal_0.edges": edges})
    assert space.key(found) == space.key(best)


@given(st.integers(0, 2**32))
def test_an_architecture_survives_relaxing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = CnnSpace()
    weights = {m.name: rng.random(m.shape) for m in space.mixtures}
    arch = space.discretize(weights)
    assert space.discretize(space.relax(arch)) == arch


def test_a_doubled_input_has_weight_two() -> None:
    space = one_group()
    relaxed = space.relax((0, 0, 2, 2, 0, 1, 1, 1))["normal_0"]
    assert relaxed.tolist() == [[0, 0, 2], [0, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_a_relaxed_rollout_gives_a_discrete_one() -> None:
    space = one_group()
    rollout = RelaxedRollout(space, {"normal_0": WEIGHTS})
    assert rollout.discretize() == space.rollout(space.discretize({"normal_0": WEIGHTS}))


@pytest.mark.parametrize(
    ("relaxed", "message"),
    [
        ({}, "no weights for 'normal_0'"),
        ({"normal_0": WEIGHTS[:4]}, r"must have shape \(5, 3\) or \(5, B, 3\), got \(4, 3\)"),
        ({"normal_0": WEIGHTS, "normal_0.edges": np.ones(3)}, r"must have shape \(5,\), got \(3,\)"),
        ({"normal_0": WEIGHTS * np.nan}, "finite"),
    ],
)
def test_wrong_weights_are_refused(relaxed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        one_group().discretize(relaxed)


def test_a_space_with_fewer_edges_than_inputs_says_why_it_cannot_be_relaxed() -> None:
    space = one_group(num_init_nodes=1)
    assert space.mixtures == ()
    with pytest.raises(ConfigError, match="num_node_inputs is 2, num_init_nodes 1"):
        space.discretize({})


def test_none_alone_cannot_be_left_out() -> None:
    with pytest.raises(ConfigError, match="leaves nothing where 'none' is the only primitive"):
        one_group(shared_primitives=("none",), derive_without_none_op=True)


@given(st.integers(0, 2**32))
def test_the_strongest_darts_cell_is_one_of_nb301(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space = Nb301Space()
    weights = {m.name: rng.random(m.shape) for m in space.mixtures}
    arch = space.discretize(weights)
    assert space.check_arch(arch) == arch
    assert space.discretize(space.relax(arch)) == arch
    wide = CnnSpace(shared_primitives=NB301_PRIMITIVES)
    assert str(wide.genotype(wide.discretize(weights))) == str(space.genotype(arch))
