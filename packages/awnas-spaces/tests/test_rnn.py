"""Recurrent cells: the published ones read, and the space has its published size."""

import math

import numpy as np
import pytest

from awnas_core.errors import GenotypeError
from awnas_core.rollout import RelaxedRollout
from awnas_core.testing import SearchSpaceContract
from awnas_spaces.legacy import rnn_options
from awnas_spaces.rnn import RnnSpace

DARTS = (
    "Genotype(recurrent=[('sigmoid', 0), ('relu', 1), ('relu', 1), ('identity', 1), ('tanh', 2), ('sigmoid', 5), "
    "('tanh', 3), ('relu', 5)], concat=range(1, 9))"
)
ENAS = (
    "Genotype(recurrent=[('tanh', 0), ('tanh', 1), ('relu', 1), ('tanh', 3), ('tanh', 3), ('relu', 3), ('relu', 4), "
    "('relu', 7), ('relu', 8), ('relu', 8), ('relu', 8)], concat=[2, 5, 6, 9, 10, 11])"
)


class TestRnn(SearchSpaceContract):
    component = "rnn"


class TestRnnWithLooseEnds(SearchSpaceContract):
    component = "rnn"
    cfg = {"num_steps": 3, "loose_end": True, "num_node_inputs": 2, "num_layers": 2}


class TestRnnOfCountableSize(SearchSpaceContract):
    component = "rnn"
    cfg = {"num_steps": 3, "shared_primitives": ["tanh", "relu"]}


def test_the_space_has_the_size_of_the_papers():
    assert RnnSpace().size() == math.factorial(8) * 4**8
    small = RnnSpace(num_steps=3, shared_primitives=("tanh", "relu"))
    assert len({rollout.arch for rollout in small.enumerate()}) == math.factorial(3) * 2**3 == small.size()


def test_the_cell_of_darts_reads_and_is_written_in_both_ways():
    space = RnnSpace()
    arch = space.parse(DARTS)
    genotype = space.genotype(arch)
    assert genotype.cells[0].connections == (
        ("sigmoid", 0, 1),
        ("relu", 1, 2),
        ("relu", 1, 3),
        ("identity", 1, 4),
        ("tanh", 2, 5),
        ("sigmoid", 5, 6),
        ("tanh", 3, 7),
        ("relu", 5, 8),
    )
    assert str(genotype).startswith("RNNGenotype(cell=(('sigmoid', 0, 1), ")
    assert space.parse(str(genotype)) == space.parse(genotype.darts_text()) == arch
    assert hash(genotype) == hash(space.genotype(arch))


def test_the_cell_of_enas_has_the_published_loose_ends():
    space = RnnSpace(num_steps=11, loose_end=True)
    assert space.genotype(space.parse(ENAS)).cells[0].concat == (2, 5, 6, 9, 10, 11)
    with pytest.raises(GenotypeError, match="concat"):
        space.parse(ENAS.replace("[2, 5,", "[2, 4, 5,"))


def test_lists_of_the_older_layer_read():
    space = RnnSpace(num_steps=2)
    text = "RNNGenotype(cell=[('identity', 0, 1), ('sigmoid', 0, 2)], cell_concat=[1, 2])"
    assert space.genotype(space.parse(text)).cells[0].connections == (("identity", 0, 1), ("sigmoid", 0, 2))


def test_a_relaxed_cell_keeps_the_strongest_input_of_each_node_and_no_none():
    space = RnnSpace(num_steps=2, shared_primitives=("none", "tanh", "relu"), derive_without_none_op=True)
    weights = np.array([[0.8, 0.15, 0.05], [0.9, 0.06, 0.04], [0.5, 0.2, 0.3]])  # edges 0→1, 0→2, 1→2
    (mixture,) = space.mixtures
    assert mixture.name == "cell"
    assert mixture.targets == (1, 2, 2)
    (cell,) = RelaxedRollout(space, {"cell": weights}).genotype.cells
    assert cell.connections == (("tanh", 0, 1), ("relu", 1, 2))


def test_numbers_that_are_always_one_are_dropped_and_others_refused():
    kept, notes = rnn_options({"num_cell_groups": 1, "num_init_nodes": 1, "num_steps": 4})
    assert kept == {"num_steps": 4}
    assert len(notes) == 2
    with pytest.raises(Exception, match="num_init_nodes"):
        rnn_options({"num_init_nodes": 2})
