"""Evaluators that predict what a guide would measure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from awnas_core import Purpose
from awnas_core.errors import CheckpointError, ConfigError
from awnas_core.pairs import CompareRollout
from awnas_core.testing import EvaluatorContract
from awnas_core.testing.making import build
from awnas_core.testing.toys import ToyController, ToySpace

CFG: dict[str, Any] = {
    "guide_evaluator_type": "toy",
    "predictor_type": "gaussian-process",
    "predictor_cfg": {"features": "one-hot"},
    "guide_batch_size": 6,
}


class TestComparator(EvaluatorContract):
    component = "comparator"
    cfg = CFG


class TestBatchUpdateComparator(EvaluatorContract):
    component = "batch-update-comparator"
    cfg = {**CFG, "measure_every": 2}

    def use(self, component):
        measured = component.evaluate_rollouts(self.rollouts(3))
        component.observe(measured)
        return [dict(rollout.perf) for rollout in measured]


SPACE = ToySpace(num_decisions=5)


def evaluator_of(name: str = "comparator", space: ToySpace = SPACE, **cfg: Any) -> Any:
    return build("evaluator", name, CFG | cfg, {"search_space": space}, np.random.default_rng(0))


def rollouts(n: int, seed: int = 5) -> list[Any]:
    return SPACE.random_samples(n, np.random.default_rng(seed))


def measured(n: int, seed: int = 5) -> list[float]:
    guide = build("evaluator", "toy", {}, {"search_space": SPACE})
    return [rollout.reward for rollout in guide.evaluate_rollouts(rollouts(n, seed), Purpose.DERIVE)]


def rewards(evaluator: Any, purpose: Purpose = Purpose.PROPOSE, n: int = 40) -> list[float]:
    return [rollout.reward for rollout in evaluator.evaluate_rollouts(rollouts(n), purpose)]


def trained(evaluator: Any, steps: int = 8) -> Any:
    controller = ToyController(SPACE, np.random.default_rng(1))
    for _ in range(steps):
        evaluator.update_evaluator(controller)
    return evaluator


def test_it_predicts_what_the_guide_would_measure():
    found = rewards(trained(evaluator_of()))
    expected = measured(40)
    assert found != expected
    assert np.corrcoef(found, expected)[0, 1] > 0.8


def test_the_guide_is_asked_before_there_is_anything_to_predict_from_and_for_the_final_choice():
    evaluator = evaluator_of()
    assert rewards(evaluator) == measured(40)
    assert rewards(trained(evaluator), Purpose.DERIVE) == measured(40)


def test_each_step_measures_a_batch():
    evaluator = evaluator_of()
    controller = ToyController(SPACE, np.random.default_rng(1))
    assert [evaluator.update_evaluator(controller)["measured"] for _ in range(3)] == [6, 12, 18]


def test_a_pair_is_compared_by_the_predictions_of_its_members():
    evaluator = trained(evaluator_of())
    first, second = rollouts(2)
    pair = CompareRollout(first, second)
    evaluator.evaluate_rollouts([pair])
    expected = rewards(evaluator, n=2)
    assert pair.perf["diff"] == pytest.approx(expected[1] - expected[0])
    assert pair.perf["compare_result"] == float(expected[1] > expected[0])


def test_one_batch_of_several_is_measured_and_learnt_from():
    evaluator = evaluator_of("batch-update-comparator", measure_every=3)
    kinds = []
    for seed in range(7):
        batch = evaluator.evaluate_rollouts(rollouts(10, seed))
        kinds.append("deviation" not in batch[0].perf)
        assert ([rollout.reward for rollout in batch] == measured(10, seed)) is kinds[-1]
        evaluator.observe(batch)
    assert kinds == [True, False, False, True, False, False, True]
    assert len(evaluator.state()["rewards"]) == 30


def test_a_gradient_is_refused():
    with pytest.raises(ConfigError, match="a predictor has no gradients"):
        evaluator_of().evaluate_rollouts(rollouts(1), gradient="first")


def test_the_state_of_another_space_is_refused():
    state = trained(evaluator_of()).state()
    with pytest.raises(CheckpointError, match="another search space"):
        evaluator_of(space=ToySpace(num_decisions=4)).load_state(state)
