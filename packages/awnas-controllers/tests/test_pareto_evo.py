"""Evolution of a front: who survives, what the archive holds, and what is reported."""

import numpy as np
import pytest

from awnas_controllers.evolution.pareto_evo import ParetoEvoController
from awnas_core import ConfigError, Constraint, Evaluation, Goal, Purpose
from awnas_core.testing.toys import ToySpace

SPACE = ToySpace(num_decisions=4)
GOALS = (Goal(metric="accuracy"), Goal(metric="cost", direction="min"))


def pareto_evo(seed=0, space=SPACE, goals=GOALS, constraints=(), **options):
    options = {"population_size": 4} | options
    return ParetoEvoController(space, np.random.default_rng(seed), goals, constraints, **options)


def arch(number):
    return tuple(int(digit) for digit in np.base_repr(number, 3).zfill(4))


def perf(accuracy, cost):
    return {"accuracy": accuracy, "cost": cost}


def toy_perf(of):
    return perf(SPACE.accuracy(of), SPACE.cost(of))


def derived(controller, n):
    return [rollout.arch for rollout in controller.sample(n, Purpose.DERIVE)]


def dominates(a, b):
    return (a["accuracy"] >= b["accuracy"] and a["cost"] <= b["cost"]) and a != b


def front_of(perfs):
    return {one for one in perfs if not any(dominates(other, perfs[one]) for other in perfs.values())}


def test_the_most_crowded_of_a_front_leaves(tell):
    controller = pareto_evo()
    costs = [0.0, 1.0, 5.0, 5.2, 10.0]
    tell(controller, *((arch(i), perf(cost, cost)) for i, cost in enumerate(costs)))
    assert set(controller.population) == {arch(0), arch(1), arch(3), arch(4)}


def test_the_dominated_leave_before_the_crowded(tell):
    controller = pareto_evo()
    tell(controller, *((arch(i), perf(cost, cost)) for i, cost in enumerate([0.0, 1.0, 5.0, 5.2])))
    tell(controller, (arch(9), perf(0.5, 9.0)), (arch(8), perf(5.1, 5.1)), (arch(7), perf(0.4, 0.9)))
    assert not {arch(9), arch(7)} & set(controller.population)
    tell(controller, (arch(6), perf(20.0, 0.0)))
    assert arch(6) in controller.population


def test_who_dominates_members_takes_their_place(tell):
    controller = pareto_evo(population_size=2)
    tell(controller, (arch(0), perf(0.1, 5.0)), (arch(1), perf(0.2, 6.0)))
    tell(controller, (arch(2), perf(0.5, 4.0)), (arch(3), perf(0.6, 4.5)))
    assert set(controller.population) == {arch(2), arch(3)} == set(derived(controller, 1))


def test_the_archive_is_the_front_of_everything_seen(search):
    seen = {}

    def worth(of):
        rng = np.random.default_rng([*of])
        seen[of] = perf(float(rng.integers(6)), float(rng.integers(6)))
        return seen[of]

    controller = pareto_evo()
    for _ in range(30):
        search(controller, worth, 3, batch=3)
        assert set(derived(controller, 1)) == front_of(seen)


def test_the_directions_of_goals_are_followed(tell):
    towards = pareto_evo(goals=(Goal(metric="accuracy"), Goal(metric="cost")))
    tell(towards, (arch(0), perf(0.5, 1.0)), (arch(1), perf(0.5, 2.0)))
    assert derived(towards, 1) == [arch(1)]


def test_infeasible_architectures_come_last_and_never_into_the_archive(tell):
    controller = pareto_evo(population_size=3, constraints=(Constraint(metric="cost", bound=5.0),))
    tell(
        controller,
        (arch(0), perf(0.1, 4.0)),
        (arch(1), perf(0.9, 6.0)),
        (arch(2), Evaluation(perf={"cost": 9.0}, status="infeasible")),
        (arch(3), perf(0.05, 4.5)),
    )
    assert set(controller.population) == {arch(0), arch(3), arch(1)}
    assert derived(controller, 1) == [arch(0)]


def test_parents_are_the_better_of_two(tell):
    controller = pareto_evo(population_size=2, crossover_prob=0.0)
    tell(controller, ((0, 0, 0, 0), perf(0.9, 1.0)), ((2, 2, 2, 2), perf(0.1, 2.0)))
    best = SPACE.rollout((0, 0, 0, 0))
    of_best = np.mean([SPACE.distance(best, child) == 1 for child in controller.sample(2000)])
    assert of_best == pytest.approx(3 / 4, abs=0.05)


def test_uniform_parents_are_of_the_first_front(tell):
    controller = pareto_evo(parent_selection="uniform", crossover_prob=0.0)
    front = [(0, 0, 0, 0), (1, 1, 1, 1)]
    tell(
        controller,
        (front[0], perf(0.9, 2.0)),
        (front[1], perf(0.5, 1.0)),
        ((2, 2, 2, 2), perf(0.4, 3.0)),
        (arch(5), perf(0.3, 3.0)),
    )
    children = controller.sample(1000)
    counts = [sum(SPACE.distance(SPACE.rollout(one), child) == 1 for child in children) for one in front]
    assert sum(counts) == 1000
    assert min(counts) > 400


def test_crossover_mixes_two_parents(tell):
    space = ToySpace(num_decisions=8)
    for prob, mixed in ((0.0, False), (1.0, True)):
        controller = pareto_evo(space=space, population_size=2, crossover_prob=prob)
        tell(controller, ((0,) * 8, perf(0.9, 2.0)), ((2,) * 8, perf(0.5, 1.0)))
        assert (
            any({0, 2} <= {*child.arch} and 2 < child.arch.count(0) < 6 for child in controller.sample(60))
            == mixed
        )


def test_it_finds_the_whole_front_of_a_space_that_can_be_enumerated(search):
    space = ToySpace(num_decisions=7)  # 2,187 architectures
    archs = [rollout.arch for rollout in space.enumerate()]
    perfs = {one: perf(space.accuracy(one), space.cost(one)) for one in archs}
    points = {(perfs[one]["accuracy"], perfs[one]["cost"]) for one in front_of(perfs)}
    for seed in range(3):
        controller = pareto_evo(seed, space, population_size=20)
        search(controller, perfs.__getitem__, 600, batch=4)
        assert {tuple(perfs[one].values()) for one in derived(controller, 1)} == points


def test_as_many_as_asked_for_are_derived_when_that_is_wanted(tell):
    controller = pareto_evo(derive_from="n")
    tell(controller, (arch(0), perf(0.1, 5.0)), (arch(1), perf(0.2, 6.0)), (arch(2), perf(0.05, 6.0)))
    assert set(derived(controller, 2)) == {arch(0), arch(1)}
    assert derived(controller, 3)[2] == arch(2)
    assert len(derived(controller, 7)) == 7


def test_the_hypervolume_is_reported_when_every_goal_has_a_reference(tell):
    goals = (Goal(metric="accuracy", reference=0.0), Goal(metric="cost", direction="min", reference=10.0))
    controller = pareto_evo(goals=goals)
    stats = tell(controller, (arch(0), perf(0.5, 4.0)), (arch(1), perf(0.8, 8.0)), (arch(2), perf(0.1, 9.0)))
    assert stats == {"front_size": 2.0, "hypervolume": pytest.approx(0.5 * 6 + 0.3 * 2)}
    assert tell(pareto_evo(), (arch(0), perf(0.5, 4.0))) == {"front_size": 1.0}


def test_goals_of_its_own_come_before_those_of_the_config(tell):
    controller = pareto_evo(rank_by=(Goal(metric="reward"),))
    tell(controller, (arch(0), {"reward": 0.3}), (arch(1), {"reward": 0.4}))
    assert derived(controller, 1) == [arch(1)]


def test_a_goal_that_was_not_measured_is_named(tell):
    with pytest.raises(ConfigError, match="goal 'cost' was not measured; there are accuracy"):
        tell(pareto_evo(), (arch(0), {"accuracy": 0.5}))
