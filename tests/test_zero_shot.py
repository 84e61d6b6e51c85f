"""Searching by zero-cost proxies: what the objective reports, and the evaluator that trains nothing."""

import numpy as np
import pytest
import torch
from torch import nn

from awnas_core import Constraint, Goal
from awnas_core.errors import ConfigError
from awnas_core.testing import EvaluatorContract, build
from awnas_training.objectives.legacy import zero_shot

SPACE = build("search_space", "nasbench-201")


class Lender:
    """Lends networks of one hidden layer, as wide as the sum of an architecture's codes; counts how often."""

    def __init__(self):
        self.lent = []
        torch.manual_seed(0)
        self.wide = {width: self.network(width) for width in range(1, 30)}

    def network(self, width):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, width, bias=False), nn.ReLU(), nn.Linear(width, 10))

    def assemble_candidate(self, rollout):
        self.lent.append(rollout.arch)
        return self.wide[1 + sum(rollout.arch)]


def objective(lender=None, **options):
    parts = {
        "search_space": SPACE,
        "dataset": build("dataset", "digits"),
        "weights_manager": lender or Lender(),
    }
    return build("objective", "zero-shot", {"batch_size": 8, "references": 6, **options}, parts)


def evaluator(of, **parts):
    return build("evaluator", "zero-cost", {}, {"objective": of, **parts})


def rollouts(n=5, seed=4):
    return SPACE.random_samples(n, np.random.default_rng(seed))


def params(rollout):
    width = 1 + sum(rollout.arch)
    return 64 * width + width * 10 + 10


class TestZeroCost(EvaluatorContract):
    component = "zero-cost"

    def space(self):
        return SPACE

    def collaborators(self):
        return {"objective": objective()}


def test_the_first_proxy_is_the_reward_and_all_are_reported():
    found = evaluator(objective(proxies=["params", "synflow"])).evaluate_rollouts(rollouts())
    for rollout in found:
        assert rollout.perf["params"] == rollout.reward == params(rollout)
        assert rollout.perf["synflow"] > 0


def test_a_vote_is_the_share_of_random_architectures_that_most_proxies_put_below():
    lender = Lender()
    made = objective(lender, proxies=["params", "flops", "l2_norm"], combine="vote")
    first, *more = rollouts()
    found = [made.measure(first)]
    widths = [sum(arch) for arch in lender.lent[1:]]  # those of the random architectures
    assert len(widths) == 6
    found += [made.measure(rollout) for rollout in more]
    for rollout, perf in zip((first, *more), found, strict=True):
        # parameters and FLOPs agree, and outvote the third; where they draw, the third alone decides
        width = sum(rollout.arch)
        draws = sum(width == other for other in widths)
        expected = np.mean([(width > other) + 0.5 * (width == other) for other in widths])
        assert perf["vote"] == pytest.approx(expected, abs=0.5 * draws / 6 + 1e-9)
    assert [metric.name for metric in made.metrics()] == ["vote", "params", "flops", "l2_norm"]
    assert made.goals()[0].metric == "vote"


def test_an_architecture_is_scored_once_and_alike_however_far_the_weights_were_trained():
    lender, names = Lender(), ["synflow", "l2_norm", "jacob_cov", "zen"]
    (rollout,) = rollouts(1)
    made = objective(lender, proxies=names)
    before = made.measure(rollout)
    for network in lender.wide.values():
        for parameter in network.parameters():
            parameter.data.fill_(3.0)
    assert made.measure(rollout.fresh()) == before
    assert lender.lent == [rollout.arch]
    others = objective(lender, proxies=names)
    for other in rollouts(3, seed=9):  # whatever was scored in between
        others.measure(other)
    assert others.measure(rollout) == before


def test_a_goal_may_be_on_any_proxy_and_a_constraint_refuses_what_is_too_large():
    goals = (Goal(metric="params", direction="min"),)
    bound = sorted(params(rollout) for rollout in rollouts())[2]
    constraints = (Constraint(metric="params", bound=bound),)
    parts = {"goals": goals, "constraints": constraints}
    found = evaluator(objective(proxies=["synflow", "params"]), **parts).evaluate_rollouts(rollouts())
    for rollout in found:
        fits = params(rollout) <= bound
        assert rollout.status == ("ok" if fits else "infeasible")
        assert rollout.reward == (-params(rollout) if fits else None)


def test_what_needs_data_or_gradients_is_refused():
    with pytest.raises(ConfigError, match="acc, loss can only be measured on data"):
        evaluator(build("objective", "classification"))
    with pytest.raises(ConfigError, match="gradient"):
        evaluator(objective()).evaluate_rollouts(rollouts(), gradient="first")


def test_a_proxy_that_there_is_not_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'synflow'"):
        objective(proxies=["synflo"])
    with pytest.raises(ConfigError, match="at least one"):
        objective(proxies=[])


def test_older_options_are_translated():
    options, notes = zero_shot({"perf_names": ["relu_logdet"], "aggregate_as_list": False})
    assert options == {"proxies": ["relu_logdet"]}
    assert len(notes) == 2
