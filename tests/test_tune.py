"""Candidates are really trained, each by itself, and only the promising ones to the end."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

from awnas_core import Constraint, Purpose, api
from awnas_core.errors import ConfigError
from awnas_core.run.options import RunOptions
from awnas_core.session import open_session
from awnas_core.testing import EvaluatorContract, build
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_training.tuning.schedules import asynchronous_halving, halving

OPERATIONS = ("skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
FINAL = """\
search_space_type: nasbench-201
search_space_cfg: {vertices: 3, ops_choices: [skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3]}
dataset_type: digits
objective_type: classification
final_model_type: nasbench-201-final-model
final_model_cfg: {genotypes: "|skip_connect~0|+|skip_connect~0|skip_connect~1|", init_channels: 2, cells: 1}
final_trainer_type: cnn_trainer
final_trainer_cfg: {epochs: 4, batch_size: 256, workers_per_queue: 0, valid_portion: 0.5, learning_rate: 0.1}
"""
REWARDS = st.lists(st.integers(0, 9).map(float), max_size=12)


@pytest.fixture(scope="module")
def final(tmp_path_factory):
    file = tmp_path_factory.mktemp("tune") / "final.yaml"
    file.write_text(FINAL)
    return str(file)


def space() -> NasBench201Space:
    return NasBench201Space(vertices=3, ops_choices=OPERATIONS)


def tune(final: str, **options: Any) -> Any:
    collaborators = {"search_space": space(), "constraints": options.pop("constraints", ())}
    return build("evaluator", "tune", {"final": final, **options}, collaborators, np.random.default_rng(5))


def drawn(n: int) -> list[Any]:
    codes = np.random.default_rng(2).permutation(64)[:n]
    return [space().rollout((int(code) // 16, int(code) // 4 % 4, int(code) % 4)) for code in codes]


def epochs_of(rollouts: list[Any]) -> list[int]:
    return [rollout.evaluation.fidelity["epochs"] for rollout in rollouts]


class TestTune(EvaluatorContract):
    component = "tune"

    @pytest.fixture(autouse=True)
    def _trained_by(self, final):
        self.cfg = {"final": final, "rungs": [1]}

    def space(self):
        return space()


@given(REWARDS.filter(bool), st.integers(2, 5))
def test_halving_keeps_the_best_of_every_so_many(rewards: list[float], reduction: int):
    goes_on = halving(rewards, reduction)
    kept = [reward for reward, goes in zip(rewards, goes_on, strict=True) if goes]
    dropped = [reward for reward, goes in zip(rewards, goes_on, strict=True) if not goes]
    assert len(kept) == max(1, len(rewards) // reduction)
    assert not dropped or min(kept) >= max(dropped)


@given(REWARDS, REWARDS, st.integers(2, 5))
def test_asynchronous_halving_asks_nobody_who_comes_later(before, rewards, reduction):
    goes_on = asynchronous_halving(rewards, reduction, before)
    for index, reward in enumerate(rewards):
        here = sorted([*before, *rewards[:index]], reverse=True)
        rank = 1 + sum(other >= reward for other in here)  # of equals the earlier is the better
        assert goes_on[index] == (rank <= max(1, (len(here) + 1) // reduction))


def test_a_training_in_parts_gives_what_one_at_once_gives(final, tmp_path):
    evaluator = tune(final, rungs=[1, 2, 4], folder=str(tmp_path / "tune"))
    (rollout,) = evaluator.evaluate_rollouts(drawn(1), Purpose.DERIVE)
    text = str(rollout.genotype)
    session = open_session(
        final,
        "final",
        overrides=[f'final_model_cfg.genotypes="{text}"'],
        seed=evaluator.training.open(text).seed,
    )
    api.train(session, RunOptions(train_dir=tmp_path / "at-once"))
    rows = (tmp_path / "at-once" / "metrics.jsonl").read_text().splitlines()
    assert len(rows) == 4
    assert f'"valid/loss": {rollout.perf["loss"]!r}' in rows[-1]
    assert evaluator.epochs == 4


def test_only_the_best_go_on_and_what_stops_is_told_of_where_it_stopped(final):
    evaluator = tune(final, rungs=[1, 2, 4], schedule="halving", reduction=2)
    rollouts = evaluator.evaluate_rollouts(drawn(6))
    assert sorted(epochs_of(rollouts)) == [1, 1, 1, 2, 2, 4]
    assert evaluator.epochs == 6 * 1 + 3 * 1 + 1 * 2
    by_itself = tune(final, rungs=[1]).evaluate_rollouts(drawn(6))
    best = sorted(by_itself, key=lambda rollout: -rollout.reward)[:3]
    assert {r.arch for r in rollouts if r.evaluation.fidelity["epochs"] > 1} == {r.arch for r in best}
    stopped = {r.arch: r.perf for r in rollouts if r.evaluation.fidelity["epochs"] == 1}
    assert all(stopped.get(r.arch, r.perf) == r.perf for r in by_itself)


def test_a_candidate_that_comes_again_costs_nothing_and_what_is_derived_is_trained_to_the_end(final):
    evaluator = tune(final, rungs=[1, 3], schedule="halving", reduction=2)
    first = evaluator.evaluate_rollouts(drawn(3))
    spent = evaluator.epochs
    worst = min(first, key=lambda rollout: rollout.evaluation.fidelity["epochs"])
    assert spent == 3 + 2
    again, derived = worst.fresh(), worst.fresh()
    evaluator.evaluate_rollouts([derived], Purpose.DERIVE)
    assert (derived.evaluation.fidelity["epochs"], evaluator.epochs) == (3, spent + 2)
    evaluator.evaluate_rollouts([again], Purpose.DERIVE)
    assert (again.perf, evaluator.epochs) == (derived.perf, spent + 2)


@pytest.mark.parametrize("keeps", [True, False], ids=["with its folder", "when its trainings are lost"])
def test_an_evaluator_that_goes_on_from_its_state_gives_the_same(final, tmp_path, keeps):
    options = {"rungs": [1, 2], "reduction": 2}
    uninterrupted, first, second = (
        tune(final, **options, **({"folder": str(tmp_path / name)} if keeps else {})) for name in "abb"
    )
    expected = [uninterrupted.evaluate_rollouts(part) for part in (drawn(6)[:3], drawn(6)[3:])]
    first.evaluate_rollouts(drawn(6)[:3])
    second.load_state(first.state())
    assert [r.perf for r in second.evaluate_rollouts(drawn(6)[3:])] == [r.perf for r in expected[1]]
    assert second.epochs == uninterrupted.epochs


def test_workers_give_what_one_process_gives(final):
    alone, beside = tune(final, rungs=[1, 2]), tune(final, rungs=[1, 2], workers=1)
    assert [r.perf for r in beside.evaluate_rollouts(drawn(3))] == [
        r.perf for r in alone.evaluate_rollouts(drawn(3))
    ]


def test_the_search_around_it_keeps_its_random_numbers(final):
    evaluator = tune(final, rungs=[1])
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(2).tolist(), random.random()
    torch.manual_seed(3)
    random.seed(3)
    evaluator.evaluate_rollouts(drawn(1))
    assert (torch.rand(2).tolist(), random.random()) == expected


def test_what_costs_too_much_is_never_trained(final):
    small, large = (space().rollout((operation,) * 3) for operation in (0, 2))  # skips, 3×3 convolutions
    training = tune(final).training
    params = [training.costs(str(rollout.genotype))["params"] for rollout in (small, large)]
    assert params[1] - params[0] == sum(3 * (9 * c * c + 2 * c) for c in (2, 4, 8))
    bound = Constraint(metric="params", kind="max", bound=params[0])
    evaluator = tune(final, rungs=[1], constraints=(bound,))
    evaluator.evaluate_rollouts([large, small])
    assert (large.status, small.status, evaluator.epochs) == ("infeasible", "ok", 1)


def test_a_training_that_fails_is_told_of_and_the_others_go_on(final, monkeypatch):
    evaluator = tune(final, rungs=[1])
    good, bad = drawn(2)
    train = api.train

    def failing(session: Any, options: Any) -> Any:
        if session.config.components["final_model"].options["genotypes"] == str(bad.genotype):
            raise torch.OutOfMemoryError("no memory")
        return train(session, options)

    monkeypatch.setattr(api, "train", failing)
    evaluator.evaluate_rollouts([bad, good])
    assert (good.status, bad.status) == ("ok", "failed")
    assert "no memory" in bad.evaluation.error


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"final_set": ["search_space_cfg.ops_choices=[skip_connect, none]"]}, "another search space"),
        ({"final": "no-such-preset"}, "no config file and no preset 'no-such-preset'"),
        ({"final_set": ["final_trainer_cfg.epoch=3"]}, "did you mean 'epochs'"),
        ({"rungs": [3, 1]}, "rungs must rise"),
        ({"reduction": 1}, "reduction must be at least 2"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is(final, changes, words):
    with pytest.raises(ConfigError, match=words):
        tune(changes.pop("final", final), **changes)


def test_a_training_that_holds_nothing_out_is_refused(final):
    evaluator = tune(final, rungs=[1], final_set=["final_trainer_cfg.valid_portion=0"])
    with pytest.raises(ConfigError, match="valid_portion"):
        evaluator.evaluate_rollouts(drawn(1))
