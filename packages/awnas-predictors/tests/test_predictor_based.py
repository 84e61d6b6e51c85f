"""Search with a predictor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from awnas_core import Evaluation, Purpose
from awnas_core.errors import CheckpointError, ConfigError
from awnas_core.run.state import load_state, save_state
from awnas_core.testing import ControllerContract
from awnas_core.testing.making import build
from awnas_core.testing.toys import ToySpace
from awnas_predictors.predictor import Prediction, Predictor
from awnas_spaces.nasbench201 import NasBench201Space

QUICK = {
    "predictor_cfg": {"features": "one-hot"},
    "init_samples": 3,
    "random_candidates": 20,
    "inner_steps": 2,
    "inner_samples": 10,
}


class TestPredictorBased(ControllerContract):
    component = "predictor-based"
    cfg = QUICK


class TestThompsonSampling(ControllerContract):
    component = "predictor-based"
    cfg = {
        **QUICK,
        "acquisition": "thompson",
        "predictor_type": "ensemble",
        "predictor_cfg": {"member_type": "random-forest", "member_cfg": {"trees": 3}, "size": 2},
        "inner_controller_type": "local-search",
        "refit_every": 3,
    }

    def space(self):
        return NasBench201Space()


class TestMeanOfScores(ControllerContract):
    component = "predictor-based"
    cfg = {
        **QUICK,
        "acquisition": "mean",
        "predictor_type": "pointwise",
        "predictor_cfg": {"embedder_cfg": {"dims": (8,)}, "hiddens": (8,), "epochs": 5},
        "inner_controller_type": "random-sample",
        "elite": 0,
    }

    def space(self):
        return NasBench201Space()


def controller_of(space: Any, seed: int = 0, **cfg: Any) -> Any:
    return build(
        "controller", "predictor-based", QUICK | cfg, {"search_space": space}, np.random.default_rng(seed)
    )


def search(controller: Any, worth: Any, evaluations: int, batch: int = 1) -> list[Any]:
    """Ask and tell; return the architectures in order."""
    seen = []
    for _ in range(evaluations // batch):
        rollouts = controller.sample(batch)
        for rollout in rollouts:
            rollout.record(Evaluation(perf={"reward": worth(rollout.arch)}))
        controller.step(rollouts)
        seen += [rollout.arch for rollout in rollouts]
    return seen


@pytest.mark.parametrize("acquisition", ["ei", "ucb", "thompson", "mean"])
def test_it_finds_the_optimum_with_a_fraction_of_the_evaluations_of_random_search(acquisition):
    space = ToySpace(num_decisions=8)  # 6,561 architectures
    controller = controller_of(space, acquisition=acquisition, inner_steps=4, inner_samples=50)
    search(controller, space.accuracy, 50)
    (chosen,) = controller.sample(1, Purpose.DERIVE)
    assert space.accuracy(chosen.arch) == 1


@pytest.mark.parametrize("batch", [1, 3])
def test_no_architecture_is_proposed_twice_while_there_are_others(batch):
    space = ToySpace(num_decisions=3)
    seen = search(controller_of(space), space.accuracy, 27, batch)
    assert len(set(seen)) == 27
    assert len(search(controller_of(space), space.accuracy, 30, batch)) == 30


def test_what_is_under_way_or_infeasible_is_not_proposed_again():
    space = ToySpace(num_decisions=3)
    controller = controller_of(space)
    search(controller, space.accuracy, 6)
    under_way = controller.sample(4)
    lost, *_ = controller.sample(1)
    controller.step([lost.record(Evaluation(status="infeasible", error="on purpose"))])
    others = controller.sample(16)
    assert not {rollout.arch for rollout in others} & {rollout.arch for rollout in [*under_way, lost]}


class Spy(Predictor):
    """Knows the answer and notes what it was fitted to."""

    def __init__(self) -> None:
        self.fits: list[tuple[int, float]] = []

    def fit(self, codes, targets, rng):
        self.fits.append((len(codes), float(rng.random())))

    def predict(self, codes):
        return Prediction(codes.sum(1).astype(float), np.ones(len(codes)))


def spied(**cfg: Any) -> Any:
    controller = controller_of(ToySpace(num_decisions=6), acquisition="mean", **cfg)
    controller.predictor = Spy()
    return controller


def test_the_first_proposals_are_random_and_then_the_predictor_is_refitted_as_often_as_asked():
    controller = spied(init_samples=4, refit_every=3)
    search(controller, sum, 12)
    assert [count for count, _ in controller.predictor.fits] == [4, 7, 10]


def test_of_all_that_the_inner_search_looks_at_the_most_promising_are_measured():
    controller = spied(init_samples=1, inner_steps=6, inner_samples=40)
    seen = search(controller, lambda arch: 0.0, 4, batch=2)
    assert seen[2] == (2,) * 6  # what the predictor likes best, of 729
    assert sum(seen[3]) == 11


def test_the_inner_search_begins_from_the_best_so_far():
    controller = spied(
        inner_controller_type="sa", init_samples=1, random_candidates=0, inner_steps=1, elite=1
    )
    first = controller.sample(2)
    for rollout, reward in zip(first, (0.0, 1.0), strict=True):
        rollout.record(Evaluation(perf={"reward": reward}))
    controller.step(first)
    for rollout in controller.sample(3):
        assert controller.search_space.distance(rollout, first[1]) == 1


def test_a_resumed_search_fits_the_same_predictor_again(tmp_path):
    through = spied(refit_every=5)
    search(through, sum, 9)
    save_state(tmp_path, through.state())
    resumed = spied(refit_every=5)
    resumed.load_state(load_state(tmp_path))
    search(resumed, sum, 1)
    assert resumed.predictor.fits == through.predictor.fits[-1:]


def test_a_predictor_that_does_not_know_how_sure_it_is_is_refused_where_that_matters():
    with pytest.raises(ConfigError, match="member of an ensemble, or take acquisition: mean"):
        controller_of(NasBench201Space(), predictor_type="boosted-trees", predictor_cfg={})


def test_the_state_of_another_space_is_refused():
    controller = controller_of(ToySpace(num_decisions=4))
    search(controller, sum, 4)
    with pytest.raises(CheckpointError, match="another search space"):
        controller_of(ToySpace(num_decisions=5)).load_state(controller.state())
