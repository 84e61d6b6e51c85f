"""Regularized evolution: who is a parent, who leaves, and what is found."""

import numpy as np
import pytest

from awnas_controllers.evolution.evo import EvoController
from awnas_controllers.evolution.population import Repeats
from awnas_core import ConfigError, Constraint, Evaluation, Purpose, SpaceExhaustedError
from awnas_core.testing.toys import ToySpace

SPACE = ToySpace(num_decisions=4)
A, B, C, D = (0, 0, 0, 0), (1, 1, 1, 1), (2, 2, 2, 2), (0, 1, 2, 0)


def evo(seed=0, space=SPACE, constraints=(), **options):
    options = {"population_size": 3, "parent_pool_size": 3} | options
    return EvoController(space, np.random.default_rng(seed), constraints, **options)


def derived(controller, n):
    return [rollout.arch for rollout in controller.sample(n, Purpose.DERIVE)]


def test_the_oldest_leaves_a_full_population_however_good_it_is(tell):
    controller = evo()
    tell(controller, (A, 0.9), (B, 0.1), (C, 0.2))
    tell(controller, (D, 0.3))
    assert derived(controller, 3) == [D, C, B]


def test_the_worst_leaves_when_perf_eliminates(tell):
    controller = evo(elimination_strategy="perf")
    tell(controller, (A, 0.9), (B, 0.1), (C, 0.2))
    tell(controller, (D, 0.3))
    assert derived(controller, 3) == [A, D, C]


def test_an_architecture_evaluated_again_is_the_youngest_and_takes_the_new_reward(tell):
    controller = evo()
    tell(controller, (A, 0.9), (B, 0.1), (C, 0.2), (A, 0.15), (D, 0.3))
    assert derived(controller, 3) == [D, C, A]


def test_children_are_mutations_of_the_best_of_the_tournament(tell):
    controller = evo()
    tell(controller, (A, 0.1), (B, 0.9), (C, 0.2))
    best = SPACE.rollout(B)
    assert {SPACE.distance(best, child) for child in controller.sample(50)} == {1}


def test_a_tournament_of_one_takes_every_member_alike(tell):
    controller = evo(parent_pool_size=1)
    tell(controller, (A, 0.1), (B, 0.9), (C, 0.2))
    members = [SPACE.rollout(arch) for arch in (A, B, C)]
    children = controller.sample(3000)
    counts = [sum(SPACE.distance(member, child) == 1 for child in children) for member in members]
    assert sum(counts) == 3000
    assert min(counts) > 900


def test_the_members_of_a_tournament_are_different(tell):
    controller = evo(parent_pool_size=2)
    tell(controller, (A, 0.1), (B, 0.9), (C, 0.2))
    worst = SPACE.rollout(A)
    assert all(SPACE.distance(worst, child) > 1 for child in controller.sample(500))


def test_proposals_are_random_until_there_are_results_enough(tell):
    controller = evo(population_size=50)
    tell(controller, *(((0, 0, 0, code % 3), 1.0) for code in range(49)))
    first = SPACE.rollout(A)
    assert {SPACE.distance(first, rollout) for rollout in controller.sample(200)} == {0, 1, 2, 3, 4}
    tell(controller, (A, 0.5))
    assert {SPACE.distance(first, rollout) for rollout in controller.sample(200)} <= {0, 1, 2}


def test_feasible_members_win_over_infeasible_ones_and_these_by_their_violation(tell):
    controller = evo(constraints=(Constraint(metric="cost", bound=4.0),))
    tell(
        controller,
        (A, {"reward": 0.1, "cost": 1.0}),
        (B, {"reward": 0.9, "cost": 8.0}),
        (C, Evaluation(perf={"cost": 5.0}, status="infeasible")),
    )
    assert derived(controller, 3) == [A, C, B]


def test_failures_and_rewards_that_are_not_finite_are_passed_over(tell):
    controller = evo()
    tell(controller, (A, Evaluation(status="failed", error="on purpose")), (B, np.nan), (C, np.inf))
    assert not controller.population
    tell(controller, (D, 0.5))
    assert list(controller.population) == [D]


def test_what_is_not_evaluated_or_lacks_the_perf_is_refused(tell):
    controller = evo()
    with pytest.raises(ValueError, match="not evaluated"):
        controller.step(controller.sample(1))
    with pytest.raises(ConfigError, match="'reward' was not measured; there are accuracy"):
        tell(controller, (A, {"accuracy": 0.5}))


def test_it_learns_from_the_perf_that_the_trainer_names(tell):
    controller = evo()
    controller.configure_optimizer(None, perf_name="accuracy")
    tell(controller, (A, {"reward": 1.0, "accuracy": 0.1}), (B, {"reward": 0.0, "accuracy": 0.2}))
    assert derived(controller, 2) == [B, A]


def test_more_than_there_are_members_is_filled_up(tell):
    controller = evo()
    tell(controller, (A, 0.9), (B, 0.1))
    assert derived(controller, 10)[:2] == [A, B]
    assert len(derived(controller, 10)) == 10


def test_the_best_of_all_are_derived_when_that_is_wanted(tell):
    controller = evo(derive_from="all")
    tell(controller, (A, 0.9), (B, 0.1), (C, 0.2))
    tell(controller, (D, 0.3))
    assert derived(controller, 4) == [A, D, C, B]


@pytest.mark.parametrize(("on", "members"), [("random", 0.0), ("half-random", 0.5), ("population", 1.0)])
def test_shared_weights_are_trained_on_what_is_said(on, members, tell):
    space = ToySpace(num_decisions=12)
    controller = evo(space=space, train_weights_on=on)
    archs = [(code,) * 12 for code in range(3)]
    tell(controller, *((arch, 0.5) for arch in archs))
    rollouts = controller.sample(60, Purpose.TRAIN_WEIGHTS)
    counts = [sum(rollout.arch == arch for rollout in rollouts) for arch in archs]
    assert counts == [60 * members / 3] * 3
    ones = [controller.sample(1, Purpose.TRAIN_WEIGHTS)[0].arch in archs for _ in range(400)]
    assert np.mean(ones) == pytest.approx(members, abs=0.1)


def test_children_known_already_are_bred_anew(tell):
    space = ToySpace(num_decisions=2)
    for avoid, known in (("population", [(0, 0), (0, 1)]), ("history", [(0, 2), (0, 0), (0, 1)])):
        controller = evo(
            space=space, population_size=2, parent_pool_size=1, repeats=Repeats(avoid=avoid, tries=100)
        )
        tell(controller, ((0, 2), 0.5), ((0, 0), 0.5), ((0, 1), 0.5))
        for _ in range(50):
            children = [child.arch for child in controller.sample(2)]
            assert not set(children) & set(known)
            assert len(set(children)) == 2


def test_an_exhausted_neighbourhood_is_an_error_only_when_wanted(tell):
    space = ToySpace(num_decisions=1, num_choices=2)
    for fallback in ("return", "raise"):
        repeats = Repeats(avoid="population", tries=3, fallback=fallback)
        controller = evo(space=space, population_size=2, parent_pool_size=2, repeats=repeats)
        tell(controller, ((0,), 0.1), ((1,), 0.2))
        if fallback == "return":
            assert len(controller.sample(3)) == 3
        else:
            with pytest.raises(SpaceExhaustedError, match=r"3 tries gave 0 of 3 children .* population of 2"):
                controller.sample(3)


def test_a_tournament_larger_than_the_population_is_refused():
    with pytest.raises(ConfigError, match="at most population_size = 5, got 10"):
        evo(population_size=5, parent_pool_size=10)


def test_options_that_the_mutation_does_not_have_are_refused():
    with pytest.raises(ConfigError, match="mutate_kwargs: ToySpace has no option 'mutate_num'; it has none"):
        evo(mutate_kwargs={"mutate_num": 1})


def test_options_of_the_mutation_reach_it(tell):
    class Walls(ToySpace):
        def mutate_codes(self, codes, rng, *, last_only=False):
            children = super().mutate_codes(codes, rng)
            return np.hstack([codes[:, :-1], (codes[:, -1:] + 1) % 3]) if last_only else children

    controller = evo(space=Walls(), mutate_kwargs={"last_only": True})
    tell(controller, (A, 0.9), (B, 0.1), (C, 0.2))
    assert [child.arch for child in controller.sample(2)] == [(0, 0, 0, 1)] * 2


@pytest.mark.parametrize("strategy", ["regularized", "perf"])
def test_it_finds_the_optimum_where_random_search_does_not(strategy, search):
    space = ToySpace(num_decisions=10)  # 59,049 architectures
    for seed in range(5):
        controller = evo(
            seed,
            space,
            population_size=20,
            parent_pool_size=5,
            elimination_strategy=strategy,
            derive_from="all",
        )
        search(controller, space.accuracy, 600, batch=4)
        assert derived(controller, 1) == [space.optimum]


def test_what_it_remembers_does_not_grow_with_the_search(search):
    space = ToySpace(num_decisions=12)
    controller = evo(space=space)
    controller.hall.size = 50
    search(controller, space.accuracy, 1000)
    state = controller.state()
    assert len(state["population"]["archs"]) == 3
    assert 50 <= len(state["hall"]["archs"]) <= 100
    assert not len(state["history"])
