"""What holds for every architecture of every cell space, over random spaces and architectures."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from awnas_spaces.cnn import CnnSpace
from awnas_spaces.enas import EnasSpace
from awnas_spaces.genotype import Cell
from awnas_spaces.nb301 import Nb301Space
from awnas_spaces.rnn import RnnSpace

OPS = ("none", "skip_connect", "sep_conv_3x3", "max_pool_3x3")


@st.composite
def cnn_spaces(draw: st.DrawFn, max_steps: int = 4) -> CnnSpace:
    """A cell space of one to three groups."""
    groups = draw(st.integers(1, 3))
    steps = draw(st.lists(st.integers(1, max_steps), min_size=groups, max_size=groups))
    primitives = draw(st.lists(st.integers(1, len(OPS)), min_size=groups, max_size=groups))
    return CnnSpace(
        num_cell_groups=groups,
        num_layers=groups,
        cell_layout=tuple(range(groups)),
        reduce_cell_groups=tuple(draw(st.sets(st.integers(0, groups - 1)))),
        num_init_nodes=draw(st.integers(1, 2)),
        num_steps=tuple(steps),
        num_node_inputs=draw(st.integers(1, 3)),
        loose_end=draw(st.booleans()),
        cell_shared_primitives=tuple(OPS[:n] for n in primitives),
        node_mutate_prob=draw(st.sampled_from([0.0, 0.5, 1.0])),
    )


any_space = st.one_of(
    st.builds(
        RnnSpace, num_steps=st.integers(1, 4), num_node_inputs=st.integers(1, 2), loose_end=st.booleans()
    ),
    cnn_spaces(),
    st.builds(EnasSpace, shared_primitives=st.sampled_from([OPS, OPS[:2]])),
    st.builds(Nb301Space, shared_primitives=st.sampled_from([OPS, OPS[:2]])),
)
seeds = st.integers(0, 2**32).map(np.random.default_rng)


def entries(space: CnnSpace, arch: tuple[int, ...]) -> Counter[Any]:
    """The connections of all cells as a multiset."""
    cells = space.genotype(arch).cells
    return Counter((cell.name, *connection) for cell in cells for connection in cell.connections)


def has_choice(space: CnnSpace) -> bool:
    return bool((space.decisions.cardinalities > 1).any())


@given(any_space, seeds)
def test_text_and_architecture_translate_into_each_other(space: CnnSpace, rng: np.random.Generator) -> None:
    (rollout,) = space.random_samples(1, rng)
    assert space.parse(str(rollout.genotype)) == rollout.arch
    if len({name.split("_")[0] for name in space.group_names}) == space.num_cell_groups:
        literature = rollout.genotype.darts_text()
        assert space.parse(literature) == rollout.arch


@given(any_space.filter(has_choice), seeds)
def test_a_mutation_changes_one_connection(space: CnnSpace, rng: np.random.Generator) -> None:
    parents = space.random_samples(8, rng)
    for parent, child in zip(
        parents, space.rollouts(space.mutate_codes(space.encode_codes(parents), rng)), strict=True
    ):
        space.check_arch(child.arch)
        assert child.arch != parent.arch
        gone, new = (
            entries(space, parent.arch) - entries(space, child.arch),
            entries(space, child.arch) - entries(space, parent.arch),
        )
        assert gone.total() == new.total() == 1
        (before,), (after,) = gone, new
        assert before[0] == after[0]  # the cell
        assert before[3] == after[3]  # the node
        assert (before[1] == after[1]) != (before[2] == after[2])  # either the operation or the source


@given(any_space, seeds, st.lists(st.booleans(), min_size=4, max_size=4))
def test_a_crossover_takes_every_node_input_from_a_parent(
    space: CnnSpace, rng: np.random.Generator, flags: list[bool]
) -> None:
    a, b = space.sample_codes(8, rng), space.sample_codes(8, rng)
    names = ("per_cell_group", "per_node", "per_connection", "sep_node_op")
    children = space.crossover_codes(a, b, rng, **dict(zip(names, flags, strict=True)))
    space.decisions.check_codes(children)
    assert ((children == a) | (children == b)).all()
    assert (space.crossover_codes(a, a, rng) == a).all()


def test_probability_of_a_crossover_is_that_of_the_first_parent() -> None:
    space = CnnSpace(num_steps=2)
    a, b = np.zeros((20_000, 16), dtype=np.int64), np.ones((20_000, 16), dtype=np.int64)
    children = space.crossover_codes(a, b, np.random.default_rng(0), prob_1=0.8)
    assert (children == 0).mean() == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("flags", "kinds_of_children"),
    [
        ({"per_cell_group": False, "per_node": False}, 2),
        ({"per_node": False}, 2**2),
        ({"per_cell_group": False}, 2**2),
        ({}, 2**4),
        ({"per_cell_group": False, "per_node": False, "sep_node_op": True}, 2**2),
        ({"per_node": False, "sep_node_op": True}, 2**4),
        ({"per_cell_group": False, "per_node": False, "per_connection": True}, 2**2),
    ],
)
def test_parts_that_are_mixed_alike_stay_together(flags: dict[str, bool], kinds_of_children: int) -> None:
    """Two groups of two nodes of two inputs: every independent draw doubles the number of different children."""
    space = CnnSpace(num_steps=2)
    a, b = np.zeros((2_000, 16), dtype=np.int64), np.ones((2_000, 16), dtype=np.int64)
    children = space.crossover_codes(a, b, np.random.default_rng(0), **flags)
    assert len(np.unique(children, axis=0)) == kinds_of_children


@pytest.mark.parametrize("space", [CnnSpace(node_mutate_prob=0.3), Nb301Space(node_mutate_prob=0.3)])
def test_mutations_change_sources_as_often_as_asked(space: CnnSpace) -> None:
    rng = np.random.default_rng(0)
    (parent,) = space.random_samples(1, rng)
    codes = np.repeat(space.encode_codes([parent]), 4_000, axis=0)
    children = space.rollouts(space.mutate_codes(codes, rng))
    changes = [next(iter(entries(space, parent.arch) - entries(space, child.arch))) for child in children]
    news = [next(iter(entries(space, child.arch) - entries(space, parent.arch))) for child in children]
    sources = np.mean([before[2] != after[2] for before, after in zip(changes, news, strict=True)])
    assert sources == pytest.approx(0.3, abs=0.03)
    groups = np.mean([before[0] == "normal_0" for before in changes])
    assert groups == pytest.approx(0.5, abs=0.04)
    assert len({child.arch for child in children}) > 100


@given(cnn_spaces(max_steps=2), seeds)
def test_size_is_the_number_of_all_cells(space: CnnSpace, rng: np.random.Generator) -> None:
    k = space.num_node_inputs
    by_hand = math.prod(
        (space.num_init_nodes + step) ** k * len(space.primitives_of(group)) ** k
        for group in range(space.num_cell_groups)
        for step in range(space.steps_of(group))
    )
    assert space.size() == by_hand
    if by_hand <= 1_000:
        everything = {str(rollout.genotype) for rollout in space.enumerate()}
        assert len(everything) == by_hand


def test_every_pair_of_different_inputs_is_counted_once() -> None:
    space = Nb301Space(shared_primitives=("skip_connect",))
    cells = set(itertools.product(*(itertools.combinations(range(2 + step), 2) for step in range(4))))
    assert len(cells) == 1 * 3 * 6 * 10
    found = Counter(
        tuple((nodes[i], nodes[i + 1]) for i in range(0, 8, 2))
        for rollout in space.enumerate()
        for nodes, _ in space.cells(rollout.arch)
    )
    assert set(found) == cells
    assert set(found.values()) == {2 * len(cells)}
    assert space.size() == len(cells) ** 2


@pytest.mark.parametrize(
    ("space", "cell", "both"),
    [  # the published sizes, to the digits printed
        (CnnSpace(), 2.416e11, 5.84e22),
        (EnasSpace(), 5.06e12, 2.56e25),
        (Nb301Space(), 1.04e9, 1.08e18),
    ],
)
def test_sizes_are_the_published_ones(space: CnnSpace, cell: float, both: float) -> None:
    assert math.isqrt(space.size()) == pytest.approx(cell, rel=5e-3)
    assert math.isqrt(space.size()) ** 2 == space.size()
    assert space.size() == pytest.approx(both, rel=5e-3)


def test_samples_are_uniform() -> None:
    for space in (CnnSpace(num_steps=2, shared_primitives=OPS[:3]), Nb301Space()):
        codes = space.sample_codes(20_000, np.random.default_rng(1))
        for column, count in enumerate(space.decisions.cardinalities):
            expected = len(codes) / count
            chi2 = ((np.bincount(codes[:, column], minlength=count) - expected) ** 2 / expected).sum()
            assert chi2 < count - 1 + 5 * math.sqrt(2 * count)  # five standard deviations


def are_isomorphic(a: Cell, b: Cell, inputs: int) -> bool:
    """Try all renumberings of the inner nodes."""
    inner = sorted({to for _, _, to in a.connections})
    wanted = Counter(b.connections), set(b.concat)
    for order in itertools.permutations(inner):
        new = {**{node: node for node in range(inputs)}, **dict(zip(inner, order, strict=True))}
        renumbered = Counter((op, new[source], new[to]) for op, source, to in a.connections)
        if (renumbered, {new[node] for node in a.concat}) == wanted:
            return True
    return False


def renumbered(space: CnnSpace, arch: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
    """The same cells with another valid numbering of their nodes, and the inputs of each in another order."""
    cells = []
    for nodes, ops in space.cells(arch):
        k, first = space.num_node_inputs, space.num_init_nodes
        inputs = [list(zip(nodes[i : i + k], ops[i : i + k], strict=True)) for i in range(0, len(nodes), k)]
        new = {node: node for node in range(first)}
        steps = []
        waiting = list(range(len(inputs)))
        while waiting:
            ready = [step for step in waiting if all(source in new for source, _ in inputs[step])]
            step = ready[rng.integers(len(ready))]
            waiting.remove(step)
            new[first + step] = first + len(steps)
            steps.append([(new[source], op) for source, op in rng.permutation(inputs[step]).tolist()])
        cells.append(steps)
    return tuple(
        code
        for steps in cells
        for step in steps
        for code in ([source for source, _ in step] + [op for _, op in step])
    )


@st.composite
def single_cells(draw: st.DrawFn) -> CnnSpace:
    """A space of one group with so few operations that isomorphic cells turn up."""
    steps = draw(st.integers(1, 4))
    outputs = draw(st.none() | st.sets(st.integers(0, steps - 1), min_size=1))
    inputs = draw(st.integers(1, 2))
    return CnnSpace(
        num_cell_groups=1,
        num_layers=1,
        cell_layout=(0,),
        reduce_cell_groups=(),
        num_init_nodes=inputs,
        num_steps=steps,
        num_node_inputs=draw(st.integers(1, 2)),
        loose_end=outputs is None and draw(st.booleans()),
        concat_nodes=None if outputs is None else tuple(inputs + node for node in sorted(outputs)),
        shared_primitives=OPS[: draw(st.integers(1, 2))],
    )


@given(single_cells(), seeds)
def test_key_is_equal_exactly_for_isomorphic_cells(space: CnnSpace, rng: np.random.Generator) -> None:
    rollouts = space.random_samples(6, rng)
    rollouts += (
        space.rollouts(space.mutate_codes(space.encode_codes(rollouts), rng)) if has_choice(space) else []
    )
    for a, b in itertools.combinations(rollouts, 2):
        same = are_isomorphic(a.genotype.cells[0], b.genotype.cells[0], space.num_init_nodes)
        assert (space.key(a.arch) == space.key(b.arch)) == same


@given(cnn_spaces(), seeds)
def test_key_does_not_see_how_nodes_are_numbered(space: CnnSpace, rng: np.random.Generator) -> None:
    (rollout,) = space.random_samples(1, rng)
    assert space.key(renumbered(space, rollout.arch, rng)) == space.key(rollout.arch)


def test_a_small_space_falls_into_its_isomorphism_classes() -> None:
    space = CnnSpace(
        num_cell_groups=1, num_layers=1, cell_layout=(0,), reduce_cell_groups=(), num_steps=3, num_init_nodes=1,
        num_node_inputs=1, loose_end=True, shared_primitives=OPS[:2],
    )  # fmt: skip
    classes: list[Cell] = []
    for rollout in space.enumerate():
        cell = rollout.genotype.cells[0]
        if not any(are_isomorphic(cell, other, 1) for other in classes):
            classes.append(cell)
    assert len({space.key(rollout.arch) for rollout in space.enumerate()}) == len(classes) < space.size()


def rings(*lengths: int) -> tuple[int, ...]:
    """A cell of nodes that read the input twice, and as many that each read two of these, joining them in rings."""
    first = 1
    pairs = []
    for length in lengths:
        ring = [first + i for i in range(length)]
        pairs += list(zip(ring, [*ring[1:], ring[0]], strict=True))
        first += length
    return tuple(code for pair in [(0, 0)] * sum(lengths) + pairs for code in (*pair, 0, 0))


def test_nodes_that_only_look_alike_are_told_apart() -> None:
    """Every node of such a cell reads and is read alike, whether it is in a ring of two, three or five."""
    space = CnnSpace(
        num_cell_groups=1, num_layers=1, cell_layout=(0,), reduce_cell_groups=(), num_steps=10, num_init_nodes=1,
        shared_primitives=OPS[:1],
    )  # fmt: skip
    mixed, rng = rings(3, 2), np.random.default_rng(0)
    assert {space.key(renumbered(space, mixed, rng)) for _ in range(20)} == {space.key(mixed)}
    assert space.key(mixed) != space.key(rings(5))


def test_a_cell_of_equal_nodes_has_its_key_at_once() -> None:
    space = CnnSpace(num_steps=12)
    start = time.perf_counter()
    space.key((0,) * len(space.decisions))
    assert time.perf_counter() - start < 1.0  # 12! numberings would take days
