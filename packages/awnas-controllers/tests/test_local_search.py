"""Local search: the neighbourhood, the climb, and beginning anew."""

import numpy as np
import pytest

from awnas_controllers.local_search import LocalSearchController
from awnas_core import Evaluation, Purpose
from awnas_core.testing.toys import ToySpace

SPACE = ToySpace(num_decisions=4)


def local_search(seed=0, space=SPACE, **options):
    return LocalSearchController(space, np.random.default_rng(seed), **options)


def archs(rollouts):
    return [rollout.arch for rollout in rollouts]


def at_distance_one(arch):
    here = SPACE.rollout(arch)
    return {other.arch for other in SPACE.enumerate() if SPACE.distance(here, other) == 1}


def test_every_neighbour_is_tried_once_before_it_begins_anew(tell):
    controller = local_search(init_samples=1)
    start = (1, 1, 1, 1)
    tell(controller, (start, 0.9))
    tried = []
    for _ in range(8):
        (arch,) = archs(controller.sample(1))
        tried.append(arch)
        assert tell(controller, (arch, 0.1)) == {"climbs": 1.0}
    assert set(tried) == at_distance_one(start)
    anew = archs(controller.sample(30))
    assert not set(anew) <= at_distance_one(start)
    assert tell(controller, ((2, 2, 2, 2), 0.2)) == {"climbs": 2.0}
    assert set(archs(controller.sample(8))) == at_distance_one((2, 2, 2, 2))


def test_neighbours_are_tried_in_random_order(tell):
    orders = set()
    for seed in range(5):
        controller = local_search(seed, init_samples=1)
        tell(controller, ((1, 1, 1, 1), 0.9))
        orders.add(tuple(archs(controller.sample(8))))
    assert len(orders) == 5


def test_it_moves_to_the_best_of_a_step_and_tries_nothing_twice(tell):
    controller = local_search(init_samples=1)
    tell(controller, ((0, 0, 0, 0), 0.1))
    around = archs(controller.sample(8))
    tell(controller, *((arch, 0.2 if arch == (0, 1, 0, 0) else 0.15) for arch in around))
    untried = at_distance_one((0, 1, 0, 0)) - set(around) - {(0, 0, 0, 0)}
    assert len(untried) == 6
    assert set(archs(controller.sample(6))) == untried


def test_worse_and_equal_neighbours_do_not_move_it(tell):
    controller = local_search(init_samples=1)
    tell(controller, ((0, 0, 0, 0), 0.1))
    tell(controller, *((arch, 0.1) for arch in archs(controller.sample(5))))
    assert controller.current.arch == (0, 0, 0, 0)


def test_a_climb_starts_from_the_best_of_a_few_random_architectures(tell):
    controller = local_search(init_samples=3)
    tell(controller, ((0, 0, 0, 0), 0.1), ((2, 2, 2, 2), 0.3))
    assert controller.current is None
    tell(controller, ((1, 1, 1, 1), 0.2))
    assert controller.current.arch == (2, 2, 2, 2)


def test_failed_neighbours_are_not_tried_again(tell):
    controller = local_search(init_samples=1)
    tell(controller, ((1, 1, 1, 1), 0.9))
    failed = archs(controller.sample(3))
    tell(controller, *((arch, Evaluation(status="failed", error="on purpose")) for arch in failed))
    assert set(archs(controller.sample(5))) == at_distance_one((1, 1, 1, 1)) - set(failed)


def test_one_climb_is_enough_on_a_smooth_landscape(search):
    space = ToySpace(num_decisions=10)  # each of its 59,049 architectures has 20 neighbours
    for batch in (1, 7):
        controller = local_search(space=space, init_samples=5)
        search(controller, space.accuracy, 5 + 10 * 20, batch=batch)
        assert controller.sample(1, Purpose.DERIVE)[0].arch == space.optimum


def test_it_leaves_a_local_optimum(search):
    def worth(arch):
        return 1.0 if arch == SPACE.optimum else 0.5 if arch == (2, 2, 2, 2) else arch.count(2) / 10

    controller = local_search(init_samples=1)
    search(controller, worth, 1500)
    assert controller.sample(2, Purpose.DERIVE) == [SPACE.rollout(SPACE.optimum), SPACE.rollout((2, 2, 2, 2))]
    assert controller.num_climbs > 10


def test_a_space_of_one_decision_is_searched_too(search):
    space = ToySpace(num_decisions=1, num_choices=3)
    controller = local_search(space=space)
    search(controller, space.cost, 40)
    assert controller.sample(1, Purpose.DERIVE)[0].arch == (2,)
    assert controller.num_climbs == pytest.approx(3, abs=1)
