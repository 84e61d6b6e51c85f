"""Objectives: what they cost, how several are one, and where a budget is felt."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from awnas_core import Batch, ConfigError, Constraint, Goal, Objective, RelaxedRollout, Rollout, total_cost
from awnas_core.components import walk
from awnas_core.roles.weights_manager import WeightsManager
from awnas_core.testing import ObjectiveContract, build
from awnas_core.testing.toys import ToySpace
from awnas_torch.counting import count_layers
from awnas_training.evaluators.measuring import Measurer


class Counted(WeightsManager):
    """A network of two convolutions and a classifier, the wider the larger the codes."""

    def assemble_candidate(self, rollout):
        first, second = (4 + 2 * code for code in rollout.arch)
        return nn.Sequential(
            nn.Conv2d(1, first, 3, stride=2),
            nn.Conv2d(first, second, 1),
            nn.Flatten(),
            nn.Linear(9 * second, 10),
        )

    def layers(self, rollout):
        return count_layers(lambda: self.assemble_candidate(rollout), (1, 8, 8))


@functools.cache
def parts() -> dict[str, Any]:
    """A space, and the networks of its architectures."""
    return {"search_space": ToySpace(num_decisions=2), "weights_manager": Counted()}


def batches() -> list[Batch]:
    generator = torch.Generator().manual_seed(0)
    return [
        Batch(
            inputs=torch.rand(size, 2, generator=generator),
            outputs=torch.randn(size, 3, generator=generator),
            targets=torch.randint(0, 3, (size,), generator=generator),
            size=size,
        )
        for size in (5, 2)
    ]


class _OnImages(ObjectiveContract):
    def collaborators(self):
        return parts()

    def batches(self):
        return batches()


class TestClassification(_OnImages):
    component = "classification"
    cfg = {"label_smooth": 0.1}


class TestFlops(_OnImages):
    component = "flops"


class TestClassificationWithFlopsReg(_OnImages):
    component = "classification-with-flops-reg"


class TestContainer(_OnImages):
    component = "container"
    cfg = {"sub_objectives": [{"objective_type": "classification"}, {"objective_type": "flops"}]}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return parts()


@pytest.fixture(scope="module")
def rollout(made) -> Rollout:
    return made["search_space"].random_sample(np.random.default_rng(0))


def container(made, **cfg: Any) -> Any:
    return build(
        "objective", "container", cfg | {"sub_objectives": [*TestContainer.cfg["sub_objectives"]]}, made
    )


def test_costs_are_those_of_the_network(made, rollout):
    perf = build("objective", "flops", {}, made).measure(rollout)
    candidate = made["weights_manager"].assemble_candidate(rollout)
    assert perf["params"] == sum(parameter.numel() for parameter in candidate.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        candidate.eval()(torch.zeros(1, 1, 8, 8))
    assert perf["flops"] == counter.get_total_flops() == 2 * perf["macs"]


def test_every_cost_is_better_when_smaller(made, rollout):
    flops = build("objective", "flops", {}, made)
    assert all(metric.direction == "min" and metric.scope == "architecture" for metric in flops.metrics())
    cheap = {**flops.measure(rollout), "flops": 1.0}
    assert flops.reward(cheap) > flops.reward(flops.measure(rollout))


def test_a_relaxed_architecture_costs_what_its_most_likely_one_does(made, rollout):
    class Relaxed(RelaxedRollout):
        def discretize(self):
            return rollout

        arch = rollout.arch

    flops = build("objective", "flops", {}, made)
    assert flops.measure(Relaxed(made["search_space"], {})) == flops.measure(rollout)


def test_without_a_network_the_space_must_know_the_layers(made, rollout):
    flops = build("objective", "flops", {}, {"search_space": made["search_space"]})
    with pytest.raises(ConfigError, match="weights_manager_type"):
        flops.measure(rollout)


@pytest.mark.parametrize(
    ("budget", "a", "b", "exponent"),
    [(0.5, 0.3, 2.0, 2.0), (2.0, 0.3, 2.0, 0.3), (2.0, 0.0, 2.0, 0.0), (0.5, 0.3, 0.0, 0.0)],
    ids=["beyond the budget", "within it", "within it and free", "beyond it and free"],
)
def test_the_penalty_multiplies_the_loss_of_the_controller_alone(made, rollout, budget, a, b, exponent):
    macs = total_cost(made["weights_manager"].layers(rollout)).macs
    cfg = {"macs_budget": budget * macs, "flops_penalty_cfg": {"a": a, "b": b}, "label_smooth": 0.1}
    objective = build("objective", "classification-with-flops-reg", cfg, made)
    batch = batches()[0]
    plain = functional.cross_entropy(batch.outputs, batch.targets, label_smoothing=0.1).item()
    given = (batch.inputs, batch.outputs, batch.targets)
    loss = {
        p: objective.get_loss(*given, rollout=rollout, purpose=p).item() for p in ("propose", "train-weights")
    }
    assert loss["train-weights"] == pytest.approx(plain)
    assert loss["propose"] == pytest.approx(plain * (1 / budget) ** exponent)
    assert objective.get_loss(*given).item() == pytest.approx(plain)


class Named(Objective):
    """Reports metrics of given names; its loss is a number or None."""

    def __init__(self, loss: float | None, **directions: Any) -> None:
        self.loss, self.directions, self.epochs = loss, directions, []

    def metrics(self):
        from awnas_core import Metric

        return tuple(Metric(name, way, scope="architecture") for name, way in self.directions.items())

    def get_loss(self, inputs, outputs, targets, **context):
        return None if self.loss is None else torch.tensor(self.loss)

    def measure(self, rollout):
        return dict.fromkeys(self.directions, float(len(self.directions)))

    def on_epoch_start(self, epoch):
        super().on_epoch_start(epoch)
        self.epochs.append(epoch)


def joined(*objectives: Objective, **options: Any) -> Any:
    from awnas_training.objectives.container import ContainerObjective

    return ContainerObjective(sub_objectives=objectives, **options)


def test_the_loss_is_the_weighted_sum_of_those_there_are():
    three = (Named(2.0, a="max"), Named(None, b="min"), Named(3.0, c="max"))
    assert joined(*three).get_loss(None, None, None).item() == 5
    assert joined(*three, losses_coef=(0.5, 7.0, 2.0)).get_loss(None, None, None).item() == 7
    assert joined(*three, losses_coef=(0.0, 1.0, 0.0)).get_loss(None, None, None) is None


def test_the_reward_is_the_weighted_sum_of_the_rewards():
    both = joined(Named(None, a="max"), Named(None, b="min"), rewards_coef=(2.0, 0.5))
    assert both.reward({"a": 3.0, "b": 4.0}) == 2 * 3 - 0.5 * 4
    assert joined(Named(None, a="max"), Named(None, b="min"), rewards_coef=(0.0, 1.0)).goals() == (
        Goal(metric="b", direction="min"),
    )


def test_a_metric_of_two_parts_comes_from_the_first_and_counts_twice():
    both = joined(Named(None, a="max"), Named(None, b="min", a="max"))
    assert [metric.name for metric in both.metrics()] == ["a", "b"]
    assert both.measure(None) == {"a": 1.0, "b": 2.0}
    twice = joined(Named(None, a="max"), Named(None, a="max"), rewards_coef=(1.0, 3.0))
    assert twice.goals() == (Goal(metric="a", coefficient=4.0),)
    with pytest.raises(ConfigError, match="different directions"):
        joined(Named(None, a="max"), Named(None, a="min")).goals()


@pytest.mark.parametrize("name", ["losses_coef", "rewards_coef"])
def test_there_is_one_coefficient_for_each_part(name):
    with pytest.raises(ConfigError, match=f"{name} must have one number for each of the 2"):
        joined(Named(1.0, a="max"), Named(1.0, b="max"), **{name: (1.0,)})


def test_epochs_reach_every_part_once():
    one = Named(None, a="max")
    for component in walk(joined(joined(one))):
        component.on_epoch_start(1)
    assert one.epochs == [1]


def test_goals_of_a_config_make_the_reward_with_a_direction_each(made, rollout):
    goals = (Goal(metric="acc", coefficient=2.0), Goal(metric="params", direction="min", coefficient=1e-3))
    perf = {"acc": 0.5, "params": 100.0, "flops": 1e9, "loss": 3.0}
    assert container(made).reward(perf, goals) == pytest.approx(2 * 0.5 - 0.1)


def test_an_architecture_beyond_a_constraint_is_never_measured_on_data(made, rollout):
    from awnas_core.world import World

    constraint = Constraint(metric="params", bound=1)
    measurer = Measurer(container(made), (), (constraint,), World())
    costs = measurer.screen(rollout := rollout.fresh())
    assert rollout.status == "infeasible"
    assert "bound is max 1" in rollout.evaluation.error
    assert dict(rollout.perf) == dict(costs)


@pytest.mark.parametrize("wish", [Goal(metric="param"), Constraint(metric="param", bound=1)])
def test_a_wish_for_what_is_not_reported_is_refused(made, wish):
    from awnas_core.world import World

    goals, constraints = ((wish,), ()) if isinstance(wish, Goal) else ((), (wish,))
    with pytest.raises(ConfigError, match="does not report 'param'; did you mean 'params'"):
        Measurer(container(made), goals, constraints, World())


def test_options_of_the_older_layer_are_translated():
    from awnas_training.objectives.legacy import classification, container as translate

    new, notes = classification(
        {"label_smooth": None, "flops_budget": 4e8, "reg_lambda": 1, "return_param": True}
    )
    assert new == {"label_smooth": 0.0, "macs_budget": 4e8}
    assert len(notes) == 4
    cfg = {
        "sub_objectives": [{"objective_type": "classification"}, {"objective_type": "FLOPs"}],
        "rewards_coef": [1, -1e-9],
    }
    new, notes = translate(cfg)
    assert new["rewards_coef"] == [1, 0.5e-9]
    assert "-1e-09 on flops" in notes[0]
    assert math.isclose(cfg["rewards_coef"][1], -1e-9)  # the caller's config stays
