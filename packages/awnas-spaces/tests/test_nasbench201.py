"""The space of NAS-Bench-201: its texts, its size, and the two ways of counting different cells."""

import itertools

import numpy as np
import pytest

from awnas_core import ConfigError, GenotypeError
from awnas_core.testing import SearchSpaceContract
from awnas_core.testing.making import build
from awnas_spaces.nasbench201 import NasBench201Space

TEXT = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|skip_connect~2|"


class TestNasBench201(SearchSpaceContract):
    component = "nasbench-201"
    countable = 20_000


class TestNasBench201WithABoundOnFlops(SearchSpaceContract):
    component = "nasbench-201-flops-constrained"
    cfg = {"upper_flops": 50.0}


class TestNasBench201OfThreeOperations(SearchSpaceContract):
    component = "nasbench-201"
    cfg = {"ops_choices": ["nor_conv_3x3", "none", "skip_connect"], "canonical": "full"}


def everything(space):
    return [rollout.arch for rollout in space.enumerate()]


@pytest.mark.parametrize(("canonical", "classes"), [("published", 6_466), ("full", 4_930)])
def test_there_are_15625_cells_of_the_published_number_of_classes(canonical, classes):
    space = NasBench201Space(canonical=canonical)
    archs = everything(space)
    assert len(archs) == space.size() == 15_625
    assert len({space.key(arch) for arch in archs}) == classes


def function_of(space, arch, x, weights):
    """What a cell computes on numbers: each operation but the skip is a nonlinear function of its own."""
    nodes = [x]
    edges = iter(arch)
    for to in range(1, space.vertices):
        parts = []
        for source in range(to):
            name = space.operations[next(edges)]
            if name == "skip_connect":
                parts.append(nodes[source])
            elif name != "none" and nodes[source] is not None:
                parts.append(np.sin(weights[name] * nodes[source] + 1.0) * nodes[source])
        parts = [part for part in parts if part is not None]
        nodes.append(sum(parts) if parts else None)
    return nodes[-1]


def test_cells_of_one_full_key_compute_the_same_and_others_do_not():
    space = NasBench201Space(canonical="full")
    rng = np.random.default_rng(0)
    x = rng.uniform(0.5, 1.5, 4)
    weights = {"nor_conv_1x1": 1.3, "nor_conv_3x3": 2.1, "avg_pool_3x3": 3.7}
    archs = [rollout.arch for rollout in space.random_samples(1_500, rng)]
    groups = {}
    for arch in archs:
        value = function_of(space, arch, x, weights)
        groups.setdefault(space.key(arch), set()).add(
            "zero" if value is None else tuple(np.round(value, 9).tolist())
        )
    assert all(len(values) == 1 for values in groups.values())
    assert len(groups) == len({values.copy().pop() for values in groups.values()})


def test_cells_of_one_published_key_are_of_one_full_key():
    published, full = NasBench201Space(), NasBench201Space(canonical="full")
    archs = everything(published)
    assert len({(published.key(arch), full.key(arch)) for arch in archs}) == 6_466


def test_the_text_is_that_of_the_benchmark():
    space = NasBench201Space()
    arch = space.parse(TEXT)
    names = [space.operations[code] for code in arch]
    assert names == ["nor_conv_3x3", "skip_connect", "none", "nor_conv_1x1", "avg_pool_3x3", "skip_connect"]
    assert space.genotype(arch) == TEXT
    assert space.parse(f"  {TEXT.replace('|', ' | ').replace('~', ' ~ ')} ".replace("+", " + ")) == arch


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (TEXT.replace("nor_conv_1x1", "nor_conv_1x2"), "did you mean 'nor_conv_1x1'"),
        (TEXT.rpartition("+")[0], "3 nodes"),
        (TEXT.replace("none~1", "none~0"), "node 2"),
        (TEXT.replace("|none~1", ""), "node 2"),
        (TEXT.replace("~", "-"), "operation~node"),
        (TEXT[1:], "expected |operation~node|"),
    ],
)
def test_a_wrong_text_is_refused_with_the_place(wrong, complaint):
    with pytest.raises(GenotypeError, match=complaint.replace("|", r"\|")):
        NasBench201Space().parse(wrong)


def test_the_likeliest_operation_of_every_edge_is_the_discrete_cell():
    space = NasBench201Space()
    (mixture,) = space.mixtures
    assert mixture.shape == (6, 5)
    assert mixture.targets == (1, 2, 2, 3, 3, 3)
    weights = np.random.default_rng(1).random((6, 5))
    arch = space.discretize({"cell": weights})
    assert all(weights[edge, code] == weights[edge].max() for edge, code in enumerate(arch))
    spread = np.stack([weights * 0.5, weights * 1.5], axis=1)  # (E, B, P): the mean counts
    assert space.discretize({"cell": spread}) == arch


def test_a_mutation_changes_one_edge_and_reaches_every_neighbour():
    space, rng = NasBench201Space(), np.random.default_rng(2)
    (parent,) = space.random_samples(1, rng)
    children = space.mutate_codes(np.tile(space.encode_codes([parent]), (2_000, 1)), rng)
    assert ((children != parent.arch).sum(1) == 1).all()
    assert len({tuple(child) for child in children.tolist()}) == 6 * 4


def test_tables_number_cells_by_the_full_list_of_operations():
    space = NasBench201Space()
    codes = space.encode_codes(list(space.enumerate()))
    assert (space.benchmark_keys(codes) == np.arange(15_625)).all()
    few = NasBench201Space(ops_choices=("nor_conv_3x3", "none"))
    for arch in itertools.product(range(2), repeat=6):
        same = space.parse(few.genotype(arch))
        assert few.benchmark_keys(np.array([arch])) == space.benchmark_keys(np.array([same]))


def test_only_cells_of_the_benchmark_have_tables():
    assert NasBench201Space().benchmark == "nasbench-201"
    assert NasBench201Space(vertices=5).benchmark == ""
    assert NasBench201Space(ops_choices=("none", "sep_conv_3x3")).benchmark == ""


@pytest.mark.parametrize("cfg", [{"vertices": 1}, {"ops_choices": ["none", "none"]}, {"ops_choices": []}])
def test_impossible_options_are_refused(cfg):
    with pytest.raises(ConfigError):
        build("search_space", "nasbench-201", cfg)
