"""Simulated annealing: where the walk goes, and how it cools."""

import numpy as np
import pytest

from awnas_controllers.simulated_annealing import SaController
from awnas_core import Constraint, Purpose
from awnas_core.testing.toys import ToySpace

SPACE = ToySpace(num_decisions=4)
A, B, C = (0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2)


def sa(seed=0, space=SPACE, constraints=(), **options):
    return SaController(space, np.random.default_rng(seed), constraints, **options)


@pytest.mark.parametrize(("loss", "temperature"), [(0.1, 0.1), (0.3, 0.2), (0.05, 1.0)])
def test_a_worse_architecture_is_accepted_with_the_probability_of_metropolis(loss, temperature, tell):
    controller = sa(temperature=temperature, anneal_coeff=1.0)
    n, accepted = 4000, 0
    for _ in range(n):
        controller.current = None
        tell(controller, (A, 0.5))
        tell(controller, (B, 0.5 - loss))
        accepted += controller.current.arch == B
    expected = np.exp(-loss / temperature)
    assert accepted / n == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / n))


def test_better_and_equal_ones_are_always_accepted(tell):
    controller = sa(temperature=1e-300)
    for reward, arch in ((0.1, A), (0.2, B), (0.2, C), (0.3, A)):
        tell(controller, (arch, reward))
        assert controller.current.arch == arch


def test_a_walk_that_has_cooled_to_nothing_only_climbs(tell):
    controller = sa(temperature=1e-300, anneal_coeff=0.5)
    tell(controller, (A, 0.5))
    for _ in range(1200):
        tell(controller, (B, 0.4))
    assert controller.temperature == 0
    assert controller.current.arch == A


def test_the_temperature_falls_with_every_step(tell):
    controller = sa(temperature=2.0, anneal_coeff=0.5)
    assert tell(controller, (A, 0.1), (B, 0.2)) == {"temperature": 1.0}
    assert tell(controller, (A, 0.1)) == {"temperature": 0.5}


def test_proposals_are_neighbours_of_where_the_walk_stands(tell):
    controller = sa()
    assert len({rollout.arch for rollout in controller.sample(40)}) > 20
    tell(controller, (A, 0.5))
    assert {SPACE.distance(SPACE.rollout(A), rollout) for rollout in controller.sample(40)} == {1}


def test_the_best_result_of_a_step_is_the_candidate(tell):
    controller = sa(temperature=1e-9)
    tell(controller, (A, 0.1), (B, 0.9), (C, 0.5))
    assert controller.current.arch == B


def test_a_feasible_architecture_is_never_left_for_an_infeasible_one(tell):
    controller = sa(temperature=1e9, constraints=(Constraint(metric="cost", bound=4.0),))
    tell(controller, (C, {"reward": 0.9, "cost": 8.0}))
    tell(controller, (B, {"reward": 0.1, "cost": 5.0}))
    assert controller.current.arch == B
    tell(controller, (A, {"reward": 0.0, "cost": 0.0}))
    tell(controller, (B, {"reward": 0.1, "cost": 5.0}))
    assert controller.current.arch == A


def test_it_finds_the_optimum_and_derives_the_best_seen(search):
    space = ToySpace(num_decisions=10)
    for seed in range(5):
        controller = sa(seed, space)
        search(controller, space.accuracy, 400)
        assert controller.sample(1, Purpose.DERIVE)[0].arch == space.optimum
