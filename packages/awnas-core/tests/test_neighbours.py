"""The neighbourhood of an architecture: everything at one mutation, and nothing else."""

import numpy as np
import pytest

from awnas_core import Condition, Decision, Decisions
from awnas_core.testing.toys import ToySpace

PLAIN = Decisions([Decision("a", (0, 1, 2)), Decision("b", ("x",)), Decision("c", (True, False))])
RULED = Decisions(
    [Decision(name, tuple(range(4))) for name in "abc"], valid=lambda codes: codes.sum(-1) % 3 != 0
)
CONDITIONED = Decisions(
    [
        Decision("depth", (1, 2)),
        Decision("kernel", (3, 5, 7), when=Condition("depth", (2,))),
        Decision("width", (8, 16)),
    ]
)


@pytest.mark.parametrize("decisions", [PLAIN, RULED, ToySpace().decisions], ids=["plain", "ruled", "toy"])
def test_neighbours_are_all_architectures_that_differ_in_one_decision(decisions):
    everything = np.concatenate(list(decisions.enumerate()))
    for code in everything:
        around = decisions.neighbours(code, np.random.default_rng(0)).tolist()
        expected = [other for other in everything.tolist() if (other != code).sum() == 1]
        assert sorted(around) == sorted(expected)


def test_a_decision_that_becomes_active_is_drawn_and_one_that_ceases_is_silent():
    drawn = set()
    for seed in range(20):
        around = CONDITIONED.neighbours(np.array([0, 0, 1]), np.random.default_rng(seed))
        CONDITIONED.check_codes(around)
        (deeper,) = [row for row in around.tolist() if row[0] == 1]
        assert sorted(map(tuple, around.tolist())) == sorted([(0, 0, 0), tuple(deeper)])
        drawn.add(deeper[1])
    assert drawn == {0, 1, 2}
    around = CONDITIONED.neighbours(np.array([1, 2, 0]), np.random.default_rng(0))
    assert sorted(around.tolist()) == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 2, 1]]


def test_a_search_space_answers_in_codes_of_its_own():
    space = ToySpace(num_decisions=2, num_choices=2)
    around = space.neighbour_codes(np.array([0, 1]), np.random.default_rng(0))
    assert sorted(around.tolist()) == [[0, 0], [1, 1]]


def test_a_lonely_architecture_has_no_neighbours():
    alone = Decisions([Decision("a", (0,))])
    assert alone.neighbours(np.array([0]), np.random.default_rng(0)).shape == (0, 1)
