"""The space of NAS-Bench-101 and its sub-spaces: validity, isomorphism, texts, mutation, counts."""

import itertools

import numpy as np
import pytest

from awnas_core import GenotypeError
from awnas_core.testing import SearchSpaceContract
from awnas_spaces.nasbench101 import EDGES, OPERATIONS, NasBench101Space, is_valid, matrices_of
from awnas_spaces.nasbench101_enumeration import full_graphs, unique_cells
from awnas_spaces.nasbench101_graph import alive, graph_hash, live_edges, prune
from awnas_spaces.nasbench101_oneshot import NasBench101OneShot1, NasBench101OneShot2, NasBench101OneShot3

SPACE = NasBench101Space()
INCEPTION = (
    "NasBench101(conv1x1-bn-relu, conv3x3-bn-relu, conv3x3-bn-relu, conv3x3-bn-relu, maxpool3x3; "
    "0-1, 0-2, 0-3, 0-5, 1-6, 2-6, 3-4, 4-6, 5-6)"
)


class TestNasBench101(SearchSpaceContract):
    component = "nasbench-101"


class TestNasBench101OneShot1(SearchSpaceContract):
    component = "nasbench-101-1shot-1"


class TestNasBench101OneShot2(SearchSpaceContract):
    component = "nasbench-101-1shot-2"


class TestNasBench101OneShot3(SearchSpaceContract):
    component = "nasbench-101-1shot-3"


def paths(matrix):
    """All paths from the first to the last vertex, by walking them."""
    last = len(matrix) - 1

    def walk(path):
        if path[-1] == last:
            yield path
        for v in range(path[-1] + 1, last + 1):
            if matrix[path[-1], v]:
                yield from walk([*path, v])

    return list(walk([0]))


def test_a_vertex_counts_when_a_path_from_input_to_output_passes_it():
    rng = np.random.default_rng(0)
    matrices = np.triu(rng.random((300, 7, 7)) < 0.3, 1)
    for matrix, on, edges in zip(matrices, alive(matrices), live_edges(matrices), strict=True):
        found = paths(matrix)
        assert set(np.flatnonzero(on)) == {v for path in found for v in path}
        assert edges == len({pair for path in found for pair in itertools.pairwise(path)})


def test_pruning_keeps_the_operations_of_what_is_left():
    matrix = np.zeros((7, 7), dtype=bool)
    matrix[[0, 0, 2, 3, 4, 1], [2, 3, 6, 4, 5, 6]] = True  # 0→2→6; 3, 4, 5 lead nowhere; nothing leads to 1
    pruned, operations = prune(matrix, [2, 1, 0, 0, 0])
    assert pruned.tolist() == [[False, True, False], [False, False, True], [False, False, False]]
    assert operations == [1]


def isomorphic(a, b):
    """Whether one pruned, labelled graph is another with its inner vertices renumbered, by trying all numberings."""
    (first, names), (second, others) = a, b
    if first.shape != second.shape or sorted(names) != sorted(others):
        return False
    inner = range(1, len(first) - 1)
    for order in itertools.permutations(inner):
        places = [0, *order, len(first) - 1]
        if [others[v - 1] for v in order] == names and (second[np.ix_(places, places)] == first).all():
            return True
    return False


def test_cells_have_one_key_exactly_when_they_are_isomorphic():
    rng = np.random.default_rng(1)
    for vertices in (4, 5, 6):
        graphs = full_graphs(vertices, 9)
        cells = [
            (graphs[rng.integers(len(graphs))], rng.integers(0, 2, vertices - 2).tolist()) for _ in range(60)
        ]
        keys = [graph_hash(matrix, [-1, *names, -2]) for matrix, names in cells]
        for (a, key_a), (b, key_b) in itertools.combinations(zip(cells, keys, strict=True), 2):
            assert (key_a == key_b) == isomorphic(a, b)


def test_the_hash_is_the_one_of_the_published_table():
    """Computed with the benchmark's own rule, written out for the smallest graph: one edge."""
    import hashlib

    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    a, b = md5("(1, 0, -1)"), md5("(0, 1, -2)")
    for _ in range(2):
        a, b = md5("|" + b + "|" + a), md5(a + "||" + b)
    assert graph_hash(np.array([[0, 1], [0, 0]], dtype=bool), [-1, -2]) == md5(str(sorted([a, b])))


def test_a_loose_end_does_not_change_the_key():
    loose = SPACE.parse(INCEPTION.replace("5-6", "4-5").replace("0-5, ", ""))
    without = SPACE.parse(INCEPTION.replace(", 5-6", "").replace("0-5, ", ""))
    assert loose != without
    assert SPACE.key(loose) == SPACE.key(without) != SPACE.key(SPACE.parse(INCEPTION))


def test_up_to_six_vertices_each_class_is_listed_once():
    """The counts follow from the published hash, by hashing every labelled graph up to five vertices."""
    for vertices, classes in [(2, 1), (3, 6), (4, 84), (5, 2_441)]:
        keys = {
            graph_hash(matrix, [-1, *names, -2])
            for matrix in full_graphs(vertices, 9)
            for names in itertools.product(range(3), repeat=vertices - 2)
        }
        matrices, operations = unique_cells(vertices, 9, 3)
        listed = {
            graph_hash(m, [-1, *names, -2]) for m, names in zip(matrices, operations.tolist(), strict=True)
        }
        assert len(matrices) == classes == len(keys)
        assert listed == keys


@pytest.mark.slow
def test_there_are_423624_cells_as_published():
    assert sum(1 for _ in SPACE.enumerate()) == SPACE.size() == 423_624


def test_samples_and_mutants_are_within_the_published_bounds():
    rng = np.random.default_rng(2)
    codes = SPACE.sample_codes(500, rng)
    children = SPACE.mutate_codes(codes, rng)
    for matrices in (matrices_of(codes), matrices_of(children)):
        assert alive(matrices)[:, -1].all()
        assert live_edges(matrices).max() <= 9
    changed = children != codes
    edges, operations = changed[:, : len(EDGES)].sum(1).mean(), changed[:, len(EDGES) :].sum(1).mean()
    assert 2 < edges < 4  # 21 edges, each with probability 1/7, fewer where that breaks a bound
    assert 0.8 < operations < 1.3  # 5 operations, each with probability 1/5


def test_a_higher_rate_changes_more():
    rng = np.random.default_rng(3)
    codes = SPACE.sample_codes(300, rng)
    few, many = (
        (NasBench101Space(mutation_rate=rate).mutate_codes(codes, rng) != codes).sum() for rate in (0.3, 2.0)
    )
    assert many > 2 * few


def test_validity_is_about_edges_that_count():
    text = (
        "NasBench101(maxpool3x3, maxpool3x3, maxpool3x3, maxpool3x3, maxpool3x3; 0-6, 1-2, 1-3, 1-4, 1-5, {})"
    )
    loose = SPACE.parse(text.format("2-3, 2-4, 2-5, 3-4, 3-5, 4-5"))
    assert is_valid(np.array([loose]))[0]
    with pytest.raises(GenotypeError, match="15 edges that count"):
        SPACE.parse(text.format("2-3, 2-4, 2-5, 3-4, 3-5, 4-5, 0-1, 5-6, 0-2, 0-3"))
    with pytest.raises(GenotypeError, match="no path"):
        SPACE.parse("NasBench101(maxpool3x3; 0-1)")


MODEL_SPECS = [
    "ModelSpec(matrix=[[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], "
    "ops=['input', 'conv1x1-bn-relu', 'maxpool3x3', 'output'])",
    "_ModelSpec(np.array([[0,1,1,0,0],[0,0,0,0,1],[0,0,0,0,1],[0,0,0,0,0],[0,0,0,0,0]]), "
    "['input', 'conv1x1-bn-relu', 'maxpool3x3', 'none', 'output']; pruned_matrix=[[0,1],[0,0]], pruned_ops=['a'])",
]


@pytest.mark.parametrize("text", MODEL_SPECS)
def test_texts_of_the_benchmark_are_read(text):
    arch = SPACE.parse(text)
    assert SPACE.key(arch) == SPACE.key(
        SPACE.parse("NasBench101(maxpool3x3, conv1x1-bn-relu; 0-1, 0-2, 1-3, 2-3)")
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("NasBench101(maxpool3x4; 0-1, 1-2)", "did you mean 'maxpool3x3'"),
        ("NasBench101(maxpool3x3; 0-1, 2-1)", "edge 2-1"),
        ("NasBench101(maxpool3x3; 0-1, 1-3)", "edge 1-3"),
        ("NasBench101(maxpool3x3; 0>1)", "an edge reads 0-1"),
        ("NasBench101(" + "maxpool3x3, " * 6 + "; 0-1)", "at most 5"),
        (MODEL_SPECS[0].replace("'input', ", ""), "begin with 'input'"),
        (MODEL_SPECS[0].replace("[0, 0, 0, 1], ", "", 1), "matrix as large"),
        ("ModelSpec(__import__('os'), [])", "expected NasBench101"),
    ],
)
def test_a_wrong_text_is_refused_with_the_reason(text, complaint):
    with pytest.raises(GenotypeError, match=complaint):
        SPACE.parse(text)


@pytest.mark.parametrize(
    ("space", "cells"),
    [(NasBench101OneShot1(), 14_580), (NasBench101OneShot2(), 29_160), (NasBench101OneShot3(), 1_312_200)],
)
def test_sub_spaces_have_the_labelled_cells_of_the_paper_and_lie_within(space, cells):
    assert space.size() == cells
    for rollout in space.random_samples(200, np.random.default_rng(4)):
        whole = space.whole_arch(rollout.arch)
        assert is_valid(np.array([whole]))[0]
        in_degrees = [0] * 7
        for (_, b), code in zip(EDGES, whole, strict=False):
            in_degrees[b] += code
        parents = [count for count in in_degrees[1:] if count]
        assert tuple(parents) == space.parents
        assert sum(in_degrees) == 9
        assert space.key(rollout.arch) == SPACE.key(whole)


def test_a_cell_of_another_sub_space_is_refused_with_the_vertex():
    one, two = NasBench101OneShot1(), NasBench101OneShot2()
    (rollout,) = two.random_samples(1, np.random.default_rng(5))
    with pytest.raises(GenotypeError, match=r"vertex 2 must have 2 of the vertices 0 … 1 as parents"):
        one.parse(str(rollout.genotype))


def test_relaxed_decisions_stand_for_the_likeliest_cell():
    space = NasBench101OneShot3()
    rng = np.random.default_rng(6)
    relaxed = {mixture.name: rng.random(mixture.shape) for mixture in space.mixtures}
    assert space.discretize(relaxed) == tuple(int(weights.argmax()) for weights in relaxed.values())
    assert [len(mixture.choices) for mixture in space.mixtures][:4] == [
        1,
        len(OPERATIONS),
        2,
        len(OPERATIONS),
    ]
