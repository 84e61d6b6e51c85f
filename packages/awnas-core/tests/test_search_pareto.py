"""Fronts agree with another library and with brute force; archives with the sort of everything they saw."""

import tracemalloc

import numpy as np
import pytest

from awnas_core import ConfigError, Constraint, Evaluation, Goal
from awnas_core.search.pareto import (
    ParetoArchive,
    crowding_distances,
    gains_of,
    non_dominated_ranks,
    rank_rollouts,
    violation_of,
)
from awnas_core.testing.toys import ToySpace

GOALS = (Goal(metric="accuracy"), Goal(metric="cost", direction="min"))
CHEAP = Constraint(metric="cost", bound=10.0)


def random_sets(m, cases=60):
    """Sets of points of which many share a value and some are equal."""
    rng = np.random.default_rng(m)
    for _ in range(cases):
        n = int(rng.integers(1, 80))
        yield rng.integers(0, int(rng.integers(2, 30)), size=(n, m)).astype(float)


def evaluated(*perfs, status="ok"):
    rollouts = ToySpace().random_samples(len(perfs), np.random.default_rng(0))
    return [
        rollout.record(Evaluation(perf=perf, status=status))
        for rollout, perf in zip(rollouts, perfs, strict=True)
    ]


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_ranks_are_those_of_another_library(m):
    moocore = pytest.importorskip("moocore")
    for points in random_sets(m):
        assert non_dominated_ranks(points).tolist() == moocore.pareto_rank(points, maximise=True).tolist()


@pytest.mark.parametrize("directions", ["max", "min", "max min", "min max min", "max min min max"])
def test_ranks_of_rollouts_follow_the_direction_of_each_goal(directions):
    moocore = pytest.importorskip("moocore")
    goals = [Goal(metric=f"m{i}", direction=way) for i, way in enumerate(directions.split())]
    signs = [-1 if goal.direction == "max" else 1 for goal in goals]
    for points in random_sets(len(goals), cases=20):
        rollouts = evaluated(*({f"m{i}": value for i, value in enumerate(row)} for row in points.tolist()))
        assert rank_rollouts(rollouts, goals).tolist() == moocore.pareto_rank(points * signs).tolist()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_values_that_are_not_finite_are_refused(value):
    points = [[1.0, 2.0], [value, 0.0]]
    for refusing in (non_dominated_ranks, crowding_distances):
        with pytest.raises(ValueError, match="finite"):
            refusing(points)
    with pytest.raises(ValueError, match="finite"):
        ParetoArchive(2).add("a", points[1])


def test_thousands_of_points_are_ranked_in_little_memory():
    points = np.random.default_rng(0).random((4000, 3))
    tracemalloc.start()
    non_dominated_ranks(points)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4000 * 4000 / 8  # far from a table of all pairs


def test_crowding_is_the_gap_between_neighbours_as_a_part_of_the_range():
    points = [[0.0, 10.0], [1.0, 6.0], [3.0, 5.0], [4.0, 0.0]]
    expected = [np.inf, 3 / 4 + 5 / 10, 3 / 4 + 6 / 10, np.inf]
    assert crowding_distances(points).tolist() == pytest.approx(expected)
    assert crowding_distances(points[::-1]).tolist() == pytest.approx(expected[::-1])


def test_crowding_counts_within_each_front():
    points, fronts = np.random.default_rng(0).integers(0, 5, size=(40, 2)), np.arange(40) % 3
    distances = crowding_distances(points, fronts)
    for front in range(3):
        alone = crowding_distances(points[fronts == front])
        assert distances[fronts == front].tolist() == alone.tolist()


def test_crowding_leaves_out_objectives_in_which_all_are_equal():
    points = np.array([[0.0, 7.0], [1.0, 7.0], [4.0, 7.0]])
    assert crowding_distances(points).tolist() == [np.inf, 1.0, np.inf]
    assert crowding_distances(points[:, 1:]).tolist() == [0.0, 0.0, 0.0]
    assert crowding_distances(np.empty((0, 2))).tolist() == []


def test_feasible_rollouts_come_before_all_others_which_stand_by_their_violation():
    perfs = [
        {"accuracy": 0.5, "cost": 9.0},
        {"accuracy": 0.9, "cost": 20.0},
        {"accuracy": 0.4, "cost": 9.5},
        {"accuracy": 0.8, "cost": 12.0},
        {"accuracy": 0.1, "cost": 12.0},
    ]
    assert rank_rollouts(evaluated(*perfs), GOALS, [CHEAP]).tolist() == [0, 3, 1, 2, 2]
    assert rank_rollouts(evaluated(*perfs[3:]), GOALS, [CHEAP]).tolist() == [0, 0]


def test_a_violation_is_counted_in_parts_of_the_bound():
    slow, heavy = Constraint(metric="latency_ms", bound=2.0), Constraint(metric="macs", bound=1e8)
    (rollout,) = evaluated({"latency_ms": 3.0, "macs": 1.2e8})
    assert violation_of(rollout, [slow, heavy]) == pytest.approx(0.5 + 0.2)


def test_what_was_given_up_before_all_was_measured_is_infeasible():
    unmeasured = Constraint(metric="accuracy", bound=0.5, kind="min")
    (screened,) = evaluated({"cost": 15.0}, status="infeasible")
    assert violation_of(screened, [CHEAP, unmeasured]) == pytest.approx(0.5)
    assert violation_of(screened, []) == np.inf
    assert rank_rollouts([screened, *evaluated({"accuracy": 0.1, "cost": 1.0})], GOALS).tolist() == [1, 0]


def test_a_goal_or_constraint_that_was_not_measured_is_named():
    rollouts = evaluated({"accuracy": 0.5})
    with pytest.raises(ConfigError, match="goal 'cost' was not measured; there are accuracy"):
        rank_rollouts(rollouts, GOALS)
    with pytest.raises(ConfigError, match="constraint on 'cost'"):
        rank_rollouts(rollouts, GOALS[:1], [CHEAP])
    with pytest.raises(ConfigError, match="no metrics"):
        gains_of(ToySpace().random_sample(np.random.default_rng(0)), GOALS)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_an_archive_holds_the_first_front_of_all_it_saw(m):
    for points in random_sets(m):
        archive = ParetoArchive(m)
        for name, point in enumerate(points):
            archive.add(name, point)
        assert sorted(archive.items) == np.flatnonzero(non_dominated_ranks(points) == 0).tolist()
        assert (archive.points == points[archive.items]).all()


def test_an_item_added_again_gets_its_new_point():
    archive = ParetoArchive(2)
    assert archive.add("a", (1.0, 3.0))
    assert archive.add("b", (3.0, 1.0))
    assert archive.add("a", (2.0, 2.0))
    assert archive.items == ["b", "a"]
    assert archive.points.tolist() == [[3.0, 1.0], [2.0, 2.0]]
    assert not archive.add("a", (2.0, 1.0))
    assert archive.items == ["b"]
