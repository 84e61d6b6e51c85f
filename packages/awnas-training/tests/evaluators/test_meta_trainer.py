"""The trainer ``meta``: weights and architecture parameters adapt to tasks, and their start learns."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from awnas_core import ConfigError, Controller, Device, Purpose, RelaxedRollout
from awnas_core.run.random_streams import RandomStreams
from awnas_core.run.run import Run
from awnas_core.search.loop import SimpleTrainer
from awnas_core.testing import build
from awnas_training.few_shot.evaluator import FewShotSharedWeightsEvaluator
from awnas_training.few_shot.meta_trainer import MetaTrainer

BASE, ALPHA, META = 0.05, 2.0, 0.5


class SoftmaxController(Controller):
    """Follows the gradient of a softmax over its parameters, by plain SGD."""

    wants_gradient = "first"

    def __init__(self, space):
        self.space = space
        self.alphas = nn.Parameter(0.1 * torch.arange(12, dtype=torch.float64).reshape(3, 4).sin())
        self.lr, self.steps = 0.0, 0

    def learnable(self):
        return [self.alphas]

    def configure_optimizer(self, optimizer, scheduler=None, *, perf_name="reward"):
        self.lr = optimizer["lr"]

    def sample(self, n, purpose=Purpose.PROPOSE):
        weights = self.alphas.detach().softmax(-1)
        if purpose is Purpose.DERIVE:
            return [self.space.rollout(tuple(weights.argmax(-1).tolist()))] * n
        return [RelaxedRollout(self.space, {"cell": weights}) for _ in range(n)]

    def step(self, rollouts):
        self.steps += 1
        self.alphas.grad = None
        for rollout in rollouts:
            self.alphas.softmax(-1).backward(rollout.gradient["cell"] / len(rollouts))
        with torch.no_grad():
            self.alphas -= self.lr * self.alphas.grad
        return {}

    def state(self):
        return {"alphas": self.alphas.detach().clone()}

    def load_state(self, state):
        self.alphas.data.copy_(state["alphas"])


class RewardController(Controller):
    """Proposes one architecture and notes the rewards it is told."""

    def __init__(self, space):
        self.space, self.rewards = space, []

    def sample(self, n, purpose=Purpose.PROPOSE):
        return [self.space.rollout((1, 2, 3)) for _ in range(n)]

    def step(self, rollouts):
        self.rewards += [rollout.reward for rollout in rollouts]
        return {}


def make_evaluator(manager):
    sizes = {"n_way": 3, "k_shot": 2, "k_query": 4, "test_classes": 4, "train_tasks": 4, "test_tasks": 2}
    return FewShotSharedWeightsEvaluator(
        build("dataset", "few-shot", sizes),
        manager,
        build("objective", "classification"),
        Device(),
        np.random.default_rng(0),
        workers_per_queue=0,
        eval_base_optimizer={"type": "SGD", "lr": BASE},
        eval_meta_optimizer={"type": "SGD", "lr": META},
    )


def make_trainer(controller, evaluator, **options):
    usual = {
        "epochs": 1,
        "test_every": None,
        "controller_base_optimizer": {"type": "SGD", "lr": ALPHA},
        "controller_meta_optimizer": {"type": "SGD", "lr": META},
        "train_base_steps": 2,
        "test_base_steps": 2,
        "meta_batch_size": 2,
    }
    return MetaTrainer(controller, evaluator, **usual | options)


def run_of(trainer):
    return Run({"trainer": trainer, "evaluator": trainer.evaluator}, RandomStreams(0))


def by_hand(manager, alphas, tasks, *, steps, method, together):
    """Return weights and alphas after one move of the start: T-NAS, Algorithm 1, by plain autograd."""
    space_rollout = RelaxedRollout(None, {"cell": alphas.detach().softmax(-1)})
    sums: list = []
    for support, query in tasks:
        network = copy.deepcopy(manager).assemble_candidate(space_rollout).train()
        own = alphas.detach().clone().requires_grad_()
        weights = list(network.parameters())
        start = [weight.detach().clone() for weight in [*weights, own]]

        def slopes(examples, network=network, weights=weights, own=own):
            loss = functional.cross_entropy(
                network(examples[0], relaxed={"cell": own.softmax(-1)}), examples[1]
            )
            return [
                torch.zeros_like(of) if slope is None else slope
                for of, slope in zip(
                    [*weights, own],
                    torch.autograd.grad(loss, [*weights, own], allow_unused=True),
                    strict=True,
                )
            ]

        for _ in range(steps):
            *of_weights, of_alphas = slopes(support)
            with torch.no_grad():
                for weight, slope in zip(weights, of_weights, strict=True):
                    weight -= BASE * slope  # noqa: PLW2901
                if together:
                    own -= ALPHA * of_alphas
        end = [*weights, own]
        rates = [BASE] * len(weights) + [ALPHA]
        taught = (
            slopes(query)
            if method == "fo_maml"
            else [(a - b.detach()) / rate for a, b, rate in zip(start, end, rates, strict=True)]
        )
        sums = taught if not sums else [total + one for total, one in zip(sums, taught, strict=True)]
    return [a - META * total / len(tasks) for a, total in zip(start, sums, strict=True)]


@pytest.mark.parametrize("style", ["together", "evaluator"])
@pytest.mark.parametrize("method", ["fo_maml", "reptile"])
def test_a_move_of_the_start_is_that_of_the_algorithm(supernet, cell_space, method, style):
    manager, controller = supernet(), SoftmaxController(cell_space)
    other = make_evaluator(supernet())
    tasks = [other.next_task() for _ in range(2)]
    expected = by_hand(
        manager, controller.alphas, tasks, steps=2, method=method, together=style == "together"
    )
    trainer = make_trainer(
        controller,
        make_evaluator(manager),
        meta_update_method=method,
        train_base_style=style,
        evaluator_steps=2,
    )
    with run_of(trainer) as run:
        trainer.train(run)
    for parameter, value in zip([*manager.parameters(), controller.alphas], expected, strict=True):
        torch.testing.assert_close(parameter.detach(), value.detach())


def test_a_test_puts_everything_back_and_reports_the_query_sets(supernet, cell_space):
    manager, controller = supernet(), SoftmaxController(cell_space)
    trainer = make_trainer(controller, make_evaluator(manager), evaluator_steps=0, test_every=1)
    before = copy.deepcopy((manager.state_dict(), controller.state()))
    reports = {}

    class Watched(Run):
        def report(self, epoch, values, phase=""):
            reports[phase] = dict(values)

    with Watched({"trainer": trainer}, RandomStreams(0)) as run:
        trainer.train(run)
    after = (manager.state_dict(), controller.state())
    for now, then in zip(after, before, strict=True):
        assert all(torch.equal(value, then[name]) for name, value in now.items())
    assert {"acc", "loss", "reward"} <= set(reports["meta_test"])
    assert reports["meta_test"]["loss"] > 0
    assert trainer.best["genotype"]


def test_both_learn_to_learn_tasks(supernet, cell_space):
    manager, controller = supernet(), SoftmaxController(cell_space)
    trainer = make_trainer(
        controller,
        make_evaluator(manager),
        epochs=8,
        evaluator_steps=16,
        controller_meta_optimizer={"type": "Adam", "lr": 0.02},
        train_base_steps=4,
    )
    losses = []

    class Watched(Run):
        def report(self, epoch, values, phase=""):
            losses.append(values["loss"])

    with Watched({"trainer": trainer, "evaluator": trainer.evaluator}, RandomStreams(0)) as run:
        trainer.train(run)
    assert losses[-1] < 0.7 * losses[0]


def test_a_controller_without_gradients_learns_from_the_rewards_on_query_sets(supernet, cell_space):
    manager, controller = supernet(), RewardController(cell_space)
    trainer = make_trainer(controller, make_evaluator(manager), evaluator_steps=4, train_base_steps=2)
    before = copy.deepcopy(manager.state_dict())
    with run_of(trainer) as run:
        trainer.train(run)
    assert len(controller.rewards) == 4
    assert any(not torch.equal(value, before[name]) for name, value in manager.state_dict().items())


def test_a_resumed_run_goes_on_alike(supernet, cell_space):
    def trained(epochs, state=None):
        manager, controller = supernet(), SoftmaxController(cell_space)
        trainer = make_trainer(
            controller,
            make_evaluator(manager),
            epochs=epochs,
            evaluator_steps=2,
            controller_meta_optimizer={"type": "Adam", "lr": 0.01},
            controller_meta_scheduler={"type": "StepLR", "step_size": 1, "gamma": 0.5},
        )
        parts = {
            "trainer": trainer,
            "controller": controller,
            "evaluator": trainer.evaluator,
            "weights": manager,
        }
        with Run(parts, RandomStreams(0)) as run:
            if state is not None:
                run.epoch = 1
                for name, part in parts.items():
                    part.load_state(state[name])
            trainer.train(run)
        return {name: copy.deepcopy(part.state()) for name, part in parts.items()}

    whole, half = trained(2), trained(1)
    rest = trained(2, half)
    torch.testing.assert_close(rest["controller"]["alphas"], whole["controller"]["alphas"])
    for name, value in whole["weights"]["weights"].items():
        torch.testing.assert_close(rest["weights"]["weights"][name], value)


def test_other_evaluators_and_orders_are_refused(supernet, cell_space, evaluator):
    with pytest.raises(ConfigError, match="needs an evaluator of tasks"):
        make_trainer(SoftmaxController(cell_space), evaluator())
    second = SoftmaxController(cell_space)
    second.wants_gradient = "second"
    with pytest.raises(ConfigError, match="no second-order gradient"):
        make_trainer(second, make_evaluator(supernet()))
    assert issubclass(MetaTrainer, SimpleTrainer)
