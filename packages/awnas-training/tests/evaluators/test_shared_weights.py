"""Training the shared weights and measuring with them, with and without surrogate steps."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from awnas_core import Purpose
from awnas_core.testing import EvaluatorContract
from awnas_training.evaluators.surrogate import Surrogate


class Proposals:
    """A controller that proposes what it is told to."""

    def __init__(self, rollouts):
        self.rollouts = rollouts

    def sample(self, n, purpose=Purpose.PROPOSE):
        assert purpose is Purpose.TRAIN_WEIGHTS
        return [rollout.fresh() for rollout in self.rollouts[:n]]


def loss_of(net, rollout, batch):
    return F.cross_entropy(net.assemble_candidate(rollout)(batch[0]), batch[1])


def gradients_of(net, rollout, batch):
    names, weights = zip(*net.named_parameters(), strict=True)
    found = torch.autograd.grad(loss_of(net, rollout, batch), weights, allow_unused=True)
    return dict(zip(names, found, strict=True))


def trained_copy(net, rollout, batches, lr):
    """Return the network after plain steps of SGD, written out."""
    net = copy.deepcopy(net).train()
    for batch in batches:
        gradients = gradients_of(net, rollout, batch)
        with torch.no_grad():
            for name, weight in net.named_parameters():
                if gradients[name] is not None:
                    weight.sub_(lr * gradients[name])
    return net


def weights_of(net):
    return {name: weight.detach().clone() for name, weight in net.named_parameters()}


def assert_same(net, weights, **tolerance):
    for name, weight in net.named_parameters():
        torch.testing.assert_close(weight.detach(), weights[name], **tolerance)


EXACT = {"rtol": 0, "atol": 0}


def test_a_gradient_is_averaged_over_the_architectures_that_have_it(evaluator, supernet, relaxed):
    net, rollouts = supernet(), relaxed(3, hard=True)
    made = evaluator(net, eval_samples=3)
    batch = made.queues["weights"].peek()
    parts = [gradients_of(net, rollout, batch) for rollout in rollouts]
    expected = weights_of(net)
    counts = set()
    for name in expected:
        present = [part[name] for part in parts if part[name] is not None]
        counts.add(len(present))
        if present:
            expected[name] -= 0.1 * sum(present) / len(present)
    assert {1, 3} <= counts, "the case should have weights of one architecture and of all"
    made.update_evaluator(Proposals(rollouts))
    assert_same(net, expected)
    assert all(weight.grad is None for weight in net.parameters())


def test_discrete_architectures_measure_as_their_one_hot_mixtures(evaluator, cell_space, relaxed):
    (hard,) = relaxed(hard=True)
    discrete = cell_space.rollout(hard.arch)
    made = evaluator()
    made.evaluate_rollouts([discrete, hard], Purpose.DERIVE)
    assert discrete.perf == pytest.approx(dict(hard.perf))


@pytest.mark.parametrize("gradient", [None, "first", "second"])
def test_surrogate_steps_come_before_a_proposal_is_measured(gradient, evaluator, supernet, relaxed):
    net = supernet()
    surrogate = Surrogate(controller_steps=2, optimizer={"type": "SGD", "lr": 0.3}, own_queue=True)
    made = evaluator(net, surrogate=surrogate, data_portion=(0.05, 0.05, 0.05))
    queue = copy.deepcopy(made.queues["surrogate"])
    lesson = [queue.next(), queue.next()]
    batch, upcoming = made.queues["controller"].peek(), made.queues["weights"].peek()
    before = weights_of(net)
    (rollout,) = made.evaluate_rollouts(relaxed(), gradient=gradient)
    assert_same(net, before, **EXACT)
    adapted = trained_copy(net, rollout, lesson, 0.3)
    if gradient is None:
        assert rollout.perf["loss"] == pytest.approx(loss_of(adapted, rollout, batch).item())
        return
    plain = evaluator(adapted)
    plain.queues["controller"]._peeked, plain.queues["weights"]._peeked = batch, upcoming
    (expected,) = plain.evaluate_rollouts(relaxed(), gradient=gradient)
    torch.testing.assert_close(rollout.gradient["cell"], expected.gradient["cell"])


def test_the_weights_learn_from_the_gradient_behind_their_surrogate_steps(evaluator, supernet, relaxed):
    net, rollouts = supernet(), relaxed(2)
    surrogate = Surrogate(weights_steps=1, optimizer={"type": "SGD", "lr": 0.3, "momentum": 0.9})
    made = evaluator(net, surrogate=surrogate, eval_samples=2)
    queue = copy.deepcopy(made.queues["weights"])
    lessons, batch = [[queue.next()], [queue.next()]], queue.next()
    expected = weights_of(net)
    parts = [
        gradients_of(trained_copy(net, rollout, lesson, 0.3), rollout, batch)
        for rollout, lesson in zip(rollouts, lessons, strict=True)
    ]
    for name in expected:
        present = [part[name] for part in parts if part[name] is not None]
        expected[name] -= 0.1 * sum(present) / max(len(present), 1)
    made.update_evaluator(Proposals(rollouts))
    assert_same(net, expected)


def test_the_final_choice_takes_the_most_steps_unless_told_otherwise(evaluator, relaxed):
    for options, steps in (({}, 3), ({"derive_steps": 1}, 1), ({"derive_steps": 0}, 0)):
        made = evaluator(surrogate=Surrogate(controller_steps=(1, 3), **options))
        made.evaluate_rollouts(relaxed(2), Purpose.DERIVE, steps=1)
        assert made.queues["weights"].state() == {"pass": 0, "batch": 2 * steps}


def test_the_number_of_steps_is_drawn_from_a_list(evaluator, relaxed):
    made = evaluator(surrogate=Surrogate(controller_steps=(0, 2)))
    taken = []
    for _ in range(12):
        before = made.queues["weights"].state()["batch"]
        made.evaluate_rollouts(relaxed())
        taken.append((made.queues["weights"].state()["batch"] - before) % len(made.queues["weights"]))
    assert set(taken) == {0, 2}


def test_architectures_may_share_the_data_of_their_surrogate_steps(evaluator, relaxed):
    made = evaluator(surrogate=Surrogate(controller_steps=2, same_data=True))
    twin, other = relaxed()[0], relaxed()[0]
    made.evaluate_rollouts([twin, other])
    assert dict(twin.perf) == dict(other.perf)
    assert made.queues["weights"].state()["batch"] == 2
    made = evaluator(surrogate=Surrogate(controller_steps=2))
    twin, other = relaxed()[0], relaxed()[0]
    made.evaluate_rollouts([twin, other])
    assert twin.perf["loss"] != other.perf["loss"]
    assert made.queues["weights"].state()["batch"] == 4


def test_an_error_during_surrogate_steps_leaves_the_weights_as_they_were(evaluator, supernet, relaxed):
    net = supernet()
    made = evaluator(net, surrogate=Surrogate(controller_steps=2))
    before, calls = weights_of(net), []

    def fail_later(module, inputs, output):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("on purpose")

    net.head.register_forward_hook(fail_later)
    with pytest.raises(RuntimeError, match="on purpose"):
        made.evaluate_rollouts(relaxed())
    assert_same(net, before, **EXACT)
    assert all(weight.grad is None for weight in net.parameters())


def test_scheduled_surrogate_steps_start_in_their_epoch(evaluator, relaxed):
    made = evaluator()
    plain = made.evaluate_rollouts(relaxed())[0].perf["loss"]
    assert plain == evaluator().evaluate_rollouts(relaxed())[0].perf["loss"]
    made.controller_surrogate_steps = 2
    made.evaluate_rollouts(relaxed())
    assert made.queues["weights"].state()["batch"] == 2


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_the_surrogate_rate_follows_its_schedule(evaluator, supernet, relaxed):
    settings = Surrogate(
        controller_steps=1,
        optimizer={"type": "SGD", "lr": 0.3},
        scheduler={"type": "StepLR", "step_size": 1, "gamma": 0.5},
    )
    net = supernet()
    made = evaluator(net, surrogate=settings)
    made.on_epoch_end(1)
    lesson, batch = [made.queues["weights"].peek()], made.queues["controller"].peek()
    (rollout,) = made.evaluate_rollouts(relaxed())
    adapted = trained_copy(net, rollout, lesson, 0.15)
    assert rollout.perf["loss"] == pytest.approx(loss_of(adapted, rollout, batch).item())


class RelaxedContract(EvaluatorContract):
    @pytest.fixture(autouse=True)
    def _parts(self, evaluator, cell_space, relaxed):
        self._evaluator, self._space, self._relaxed = evaluator, cell_space, relaxed

    options = {}

    def make(self, rng):
        return self._evaluator(seed=int(rng.integers(2**31)), **self.options)

    def space(self):
        return self._space

    def rollouts(self, n):
        return self._relaxed(n)

    def use(self, component):
        component.update_evaluator(Proposals(self._relaxed(1)))
        (rollout,) = component.evaluate_rollouts(self._relaxed(1), gradient="second")
        return dict(rollout.perf), np.asarray(rollout.gradient["cell"])


class TestRelaxedArchitectures(RelaxedContract):
    pass


class TestSurrogateSteps(RelaxedContract):
    options = {
        "data_portion": (0.05, 0.05, 0.05),
        "surrogate": Surrogate(
            controller_steps=(1, 2),
            weights_steps=1,
            optimizer={"type": "Adam", "lr": 0.01},
            scheduler={"type": "StepLR", "step_size": 1},
            own_queue=True,
        ),
    }


@pytest.mark.parametrize("resumed", [False, True])
def test_at_a_switch_momentum_is_forgotten_and_the_schedule_begins_anew(
    evaluator, supernet, relaxed, resumed
):
    options = {
        "eval_optimizer": {"type": "SGD", "lr": 0.4, "momentum": 0.9},
        "eval_scheduler": {"type": "StepLR", "step_size": 2, "gamma": 0.5},
        "switch_epochs": (4, 5),
        "lr_factor": 2.0,
    }
    net, rollouts = supernet(), relaxed()
    made, rates = evaluator(net, **options), []
    for epoch in range(1, 8):
        if resumed and epoch in (4, 6):
            state = copy.deepcopy(made.state())
            made = evaluator(net, **options)
            made.load_state(state)
        made.on_epoch_start(epoch)
        optimizer = made._weights_optimizer.optimizer
        rates.append(optimizer.param_groups[0]["lr"])
        assert bool(optimizer.state) == (epoch not in (1, 4, 5))
        made.update_evaluator(Proposals(rollouts))
        made.on_epoch_end(epoch)
    assert rates == pytest.approx([0.4, 0.4, 0.2, 0.2, 0.2, 0.2, 0.1])
