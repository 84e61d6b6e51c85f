"""The policy ``independent`` of the controller ``rl``: any space, conditions and rules included."""

from __future__ import annotations

import math

import numpy as np
import pytest

from awnas_core import ConfigError, Evaluation, GenotypeError
from awnas_core.decisions import Condition, Decision, Decisions
from awnas_core.roles.search_space import SearchSpace
from awnas_core.testing import ControllerContract
from awnas_core.testing.making import build
from awnas_core.testing.toys import ToySpace

CFG = {"controller_network_type": "independent"}


class RuledSpace(SearchSpace):
    """A kind, a size that only the kind 'b' has, and a number; not all three at their largest."""

    def __init__(self) -> None:
        self._decisions = Decisions(
            [
                Decision("kind", ("a", "b")),
                Decision("size", (1, 2, 3), when=Condition("kind", ("b",))),
                Decision("number", (0, 1, 2, 3)),
            ],
            valid=lambda codes: (codes != [1, 2, 3]).any(1),
        )

    @property
    def decisions(self) -> Decisions:
        return self._decisions

    def genotype(self, arch):
        return f"ruled({', '.join(map(str, arch))})"

    def parse(self, text):
        if not text.startswith("ruled(") or not text.endswith(")"):
            raise GenotypeError(f"expected ruled(…), got {text!r}")
        return self.check_arch([int(part) for part in text[6:-1].split(",")])


class TestIndependent(ControllerContract):
    component = "rl"
    cfg = CFG


class TestIndependentWithRules(ControllerContract):
    component = "rl"
    cfg = {**CFG, "rl_agent_type": "ppo"}

    def space(self):
        return RuledSpace()


def made(space, seed=0, **cfg):
    return build("controller", "rl", {**CFG, **cfg}, {"search_space": space}, np.random.default_rng(seed))


def test_probabilities_of_all_architectures_and_the_one_against_the_rules_sum_to_one():
    space, controller = RuledSpace(), made(RuledSpace())
    everything = [rollout.arch for rollout in space.enumerate()]
    assert len(everything) == 4 + 11
    rollouts = [space.rollout(arch) for arch in [*everything, (1, 2, 3)]]
    assert sum(math.exp(value) for value in controller.log_probs(rollouts)) == pytest.approx(1, abs=1e-6)


def test_architectures_are_drawn_as_often_as_the_policy_says():
    space, controller = RuledSpace(), made(RuledSpace())
    for logits, value in zip(controller.policies[0].logits.data, (0.7, -0.4, 0.2), strict=True):
        logits[0] += value
    drawn = [rollout.arch for rollout in controller.sample(6_000)]
    archs = [rollout.arch for rollout in space.enumerate()]
    expected = np.exp(controller.log_probs([space.rollout(arch) for arch in archs]))
    expected /= expected.sum()  # what breaks the rule is drawn anew
    counts = np.array([drawn.count(arch) for arch in archs])
    assert counts.sum() == 6_000
    chi2 = ((counts - 6_000 * expected) ** 2 / (6_000 * expected)).sum()
    assert chi2 < 36  # 14 degrees of freedom, p = 0.001


def test_the_rewarded_architecture_takes_over():
    space = ToySpace(num_decisions=5)
    controller = made(space, rl_agent_cfg={"alpha": 0.9, "entropy_coeff": 0.0})
    controller.configure_optimizer({"type": "Adam", "lr": 0.1})
    for _ in range(100):
        rollouts = controller.sample(4)
        for rollout in rollouts:
            rollout.record(Evaluation(perf={"reward": space.accuracy(rollout.arch)}))
        controller.step(rollouts)
    assert np.mean([space.accuracy(rollout.arch) for rollout in controller.sample(200)]) > 0.9


def test_the_first_step_is_that_of_reinforce():
    """At a baseline of 0, a reward of 1 moves the logits of every decision by one-hot(choice) − p."""
    space = ToySpace(num_decisions=2, num_choices=3)
    controller = made(space, rl_agent_cfg={"alpha": 0.0, "entropy_coeff": 0.0})
    controller.configure_optimizer({"type": "SGD", "lr": 1.0})
    logits = controller.policies[0].logits
    controller.step([controller.sample(1)[0].record(Evaluation(perf={"reward": 0.0}))])  # the baseline
    before = logits.detach().clone()
    (rollout,) = controller.sample(1)
    controller.step([rollout.record(Evaluation(perf={"reward": 1.0}))])
    direction = np.eye(3)[list(rollout.arch)] - before.softmax(1).numpy()
    assert (logits.detach() - before).numpy() == pytest.approx(direction, abs=1e-5)


def test_cell_groups_are_not_for_independent_decisions():
    with pytest.raises(ConfigError, match="knows no cell groups"):
        made(ToySpace(), independent_cell_group=True)


def test_a_recurrent_policy_of_a_space_without_cells_names_the_other():
    with pytest.raises(ConfigError, match="controller_network_type: independent"):
        build("controller", "rl", {}, {"search_space": ToySpace()}, np.random.default_rng(0))
