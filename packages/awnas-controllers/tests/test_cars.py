"""Continuous evolution: what a generation is, and who survives it."""

import numpy as np
import pytest

from awnas_controllers.evolution.cars import CarsController
from awnas_controllers.evolution.population import Repeats
from awnas_core import Constraint, Goal, Purpose
from awnas_core.testing.toys import ToySpace

SPACE = ToySpace(num_decisions=5)
GOALS = (Goal(metric="accuracy"), Goal(metric="cost", direction="min"))


def cars(seed=0, space=SPACE, goals=GOALS, constraints=(), **options):
    options = {"population_size": 3} | options
    return CarsController(space, np.random.default_rng(seed), goals, constraints, **options)


def arch(number):
    return tuple(int(digit) for digit in np.base_repr(number, 3).zfill(5))


def perf(accuracy, cost):
    return {"accuracy": accuracy, "cost": cost}


def archs(rollouts):
    return [rollout.arch for rollout in rollouts]


def brute_force_stages(points):
    """The first i at which each point is in the i-th front of some ranking, fronts peeled one by one."""

    def peel(rows):
        rank, left = {}, set(range(len(rows)))
        while left:
            front = {
                i
                for i in left
                if not any((rows[j] >= rows[i]).all() and (rows[j] > rows[i]).any() for j in left)
            }
            rank |= dict.fromkeys(front, max(rank.values(), default=-1) + 1)
            left -= front
        return rank

    rankings = [peel(points * [1, sign]) for sign in (1, -1)]
    return [min(rank[i] for rank in rankings) for i in range(len(points))]


def test_small_and_large_architectures_survive_beside_the_accurate(tell):
    controller = cars()
    tell(
        controller,
        (arch(0), perf(0.9, 10.0)),
        (arch(1), perf(0.5, 1.0)),
        (arch(2), perf(0.4, 100.0)),
        (arch(3), perf(0.3, 50.0)),
        (arch(4), perf(0.42, 8.0)),
    )
    assert set(controller.population) == {arch(0), arch(1), arch(2)}


def test_survivors_are_taken_stage_by_stage(tell):
    rng = np.random.default_rng(0)
    for case in range(20):
        points = rng.integers(-6, 6, size=(12, 2)).astype(float)
        controller = cars(case, population_size=6)
        tell(controller, *((arch(i), perf(a, -b)) for i, (a, b) in enumerate(points.tolist())))
        stages = brute_force_stages(points)
        kept = sorted(stages[i] for i in range(12) if arch(i) in controller.population)
        assert kept == sorted(stages)[:6]


def test_of_a_stage_that_does_not_fit_the_least_crowded_survive(tell):
    controller = cars(population_size=4)
    costs = [0.0, 1.0, 5.0, 5.2, 10.0]
    tell(controller, *((arch(i), perf(cost, cost)) for i, cost in enumerate(costs)))
    assert set(controller.population) == {arch(0), arch(1), arch(3), arch(4)}


def test_rewards_may_be_negative_or_zero(tell):
    controller = cars(population_size=2)
    tell(controller, (arch(0), perf(-0.1, 2.0)), (arch(1), perf(0.0, 2.0)), (arch(2), perf(-0.5, 2.0)))
    assert set(controller.population) == {arch(0), arch(1)}


def test_a_single_goal_keeps_the_best(tell):
    controller = cars(goals=(Goal(metric="reward"),))
    tell(controller, *((arch(i), reward) for i, reward in enumerate([0.3, 0.9, 0.1, 0.5, 0.2])))
    assert archs(controller.sample(3, Purpose.DERIVE)) == [arch(1), arch(3), arch(0)]
    assert len(controller.population) == 3


def test_a_generation_is_the_population_and_offspring(tell):
    controller = cars()
    tell(controller, *((arch(i), perf(0.5, 1.0)) for i in range(3)))
    generation = archs(controller.sample(8))
    assert generation[:3] == [arch(0), arch(1), arch(2)]
    assert not {arch(0), arch(1), arch(2)} & set(generation[3:])
    assert len(set(generation)) == 8


def test_offspring_are_random_mixtures_and_mutations(tell):
    controller = cars(space=ToySpace(num_decisions=30), population_size=2, repeats=Repeats())
    tell(controller, *(((code,) * 30, perf(0.5, 1.0)) for code in range(2)))
    children = archs(controller.sample(4002))[2:]
    mutations = sum(max(child.count(0), child.count(1)) == 29 for child in children)
    mixtures = sum(2 not in child for child in children) - sum(
        29 in (child.count(0), child.count(1)) and 2 not in child for child in children
    )
    assert mutations / 4000 == pytest.approx(0.25, abs=0.03)
    assert mixtures / 4000 == pytest.approx(0.25, abs=0.03)


def test_fewer_than_the_population_are_the_oldest_scores_and_offspring_in_turns(tell):
    controller = cars(population_size=4)
    tell(controller, *((arch(i), perf(0.5, 1.0)) for i in range(4)))
    known = [arch(i) for i in range(4)]
    first, second = (archs(controller.sample(4)) for _ in range(2))
    assert first[:2] == known[:2]
    assert second[:2] == known[2:]
    assert not set(known) & {*first[2:], *second[2:]}
    ones = [archs(controller.sample(1))[0] in known for _ in range(400)]
    assert np.mean(ones) == pytest.approx(0.5, abs=0.1)


def test_fresh_scores_replace_stale_ones(tell):
    controller = cars(goals=(Goal(metric="reward"),), population_size=2)
    tell(controller, (arch(0), 0.9), (arch(1), 0.8))
    tell(controller, (arch(0), 0.1), (arch(1), 0.2), (arch(2), 0.15))
    assert archs(controller.sample(2, Purpose.DERIVE)) == [arch(1), arch(2)]


def test_the_choice_is_in_the_directions_of_the_goals_and_fittest_first(tell):
    controller = cars(population_size=4)
    tell(
        controller,
        (arch(0), perf(0.5, 1.0)),
        (arch(1), perf(0.9, 10.0)),
        (arch(2), perf(0.4, 100.0)),
        (arch(3), perf(0.7, 2.0)),
    )
    assert archs(controller.sample(4, Purpose.DERIVE)) == [arch(1), arch(3), arch(0), arch(2)]


def test_infeasible_members_go_first(tell):
    controller = cars(population_size=2, constraints=(Constraint(metric="cost", bound=5.0),))
    tell(controller, (arch(0), perf(0.9, 6.0)), (arch(1), perf(0.1, 5.0)), (arch(2), perf(0.9, 7.0)))
    assert set(controller.population) == {arch(0), arch(1)}
    assert archs(controller.sample(2, Purpose.DERIVE)) == [arch(1), arch(0)]


def test_shared_weights_are_trained_on_the_population(tell):
    controller = cars()
    assert len(controller.sample(2, Purpose.TRAIN_WEIGHTS)) == 2
    tell(controller, *((arch(i), perf(0.5, 1.0)) for i in range(3)))
    trained = archs(controller.sample(7, Purpose.TRAIN_WEIGHTS))
    assert sorted(trained.count(arch(i)) for i in range(3)) == [2, 2, 3]


def test_it_finds_the_optimum_by_generations_and_one_by_one(search):
    space = ToySpace(num_decisions=8)

    def worth(of):
        return perf(space.accuracy(of), space.cost(of))

    for batch, evaluations in ((40, 3200), (1, 4000)):
        controller = cars(space=space, population_size=20)
        search(controller, worth, evaluations, batch=batch)
        assert space.optimum in archs(controller.sample(20, Purpose.DERIVE))


def test_the_front_of_the_population_is_reported(tell):
    goals = (Goal(metric="accuracy", reference=0.0), Goal(metric="cost", direction="min", reference=10.0))
    controller = cars(goals=goals)
    stats = tell(controller, (arch(0), perf(0.5, 4.0)), (arch(1), perf(0.8, 8.0)), (arch(2), perf(0.1, 9.0)))
    assert stats == {"front_size": 2.0, "hypervolume": pytest.approx(0.5 * 6 + 0.3 * 2)}
