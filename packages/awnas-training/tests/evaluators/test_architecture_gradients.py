"""Gradients of relaxed decisions, beside automatic differentiation of everything written out."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional as F

from awnas_core import ConfigError, Purpose
from awnas_core.rollout import RelaxedRollout
from awnas_training.objectives.classification import ClassificationObjective

SECOND_ORDER = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.03},
    {"lr": 0.1, "momentum": 0.8, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.03},
]


def leaves_of(rollout):
    return {key: value.clone().requires_grad_() for key, value in rollout.relaxed.items()}


def snapshot(module):
    return {key: (value.data_ptr(), value.clone()) for key, value in module.state_dict().items()}


def assert_untouched(module, before):
    for key, value in module.state_dict().items():
        pointer, former = before[key]
        assert value.data_ptr() == pointer
        assert torch.equal(value, former), key
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert all(part.training for part in module.modules())


@pytest.mark.parametrize("edges", [False, True])
def test_the_first_order_equals_automatic_differentiation(edges, evaluator, supernet, relaxed):
    net = supernet()
    made = evaluator(net)
    inputs, targets = made.queues["controller"].peek()
    before = snapshot(net)
    (rollout,) = made.evaluate_rollouts(relaxed(edges=edges), gradient="first")
    assert_untouched(net, before)
    leaves = leaves_of(rollout)
    loss = F.cross_entropy(net.assemble_candidate(rollout)(inputs, relaxed=leaves), targets)
    loss.backward()
    assert set(rollout.gradient) == set(leaves)
    for key, leaf in leaves.items():
        torch.testing.assert_close(rollout.gradient[key], leaf.grad, rtol=1e-12, atol=1e-15)
    assert rollout.perf["loss"] == pytest.approx(loss.item(), rel=1e-6)


def unrolled_by_brute_force(net, optimizer, rollout, train, validation):
    """Differentiate the validation loss after one step of SGD through that step."""
    group = optimizer.param_groups[0]
    candidate = net.assemble_candidate(rollout)
    weights = dict(candidate.named_parameters())
    leaves = leaves_of(rollout)

    def loss(parameters, batch):
        outputs = functional_call(candidate, parameters, (batch[0],), {"relaxed": leaves})
        return F.cross_entropy(outputs, batch[1])

    slopes = torch.autograd.grad(loss(weights, train), list(weights.values()), create_graph=True)
    after = {}
    for (name, weight), gradient in zip(weights.items(), slopes, strict=True):
        slope = gradient + group["weight_decay"] * weight
        step = slope
        velocity = optimizer.state.get(weight, {}).get("momentum_buffer")
        if velocity is not None:
            step = group["momentum"] * velocity + (1 - group["dampening"]) * slope
        if group["nesterov"]:
            step = slope + group["momentum"] * step
        after[name] = weight - group["lr"] * step
    gradients = torch.autograd.grad(loss(after, validation), list(leaves.values()))
    return dict(zip(leaves, gradients, strict=True))


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("sgd", SECOND_ORDER)
def test_the_second_order_equals_a_brute_force_unrolled_gradient(sgd, warm, evaluator, supernet, relaxed):
    net = supernet()
    made = evaluator(net, eval_optimizer={"type": "SGD", **sgd})
    if warm:  # momentum has something to go on with
        for _ in range(2):
            made.update_evaluator(Fixed(relaxed(edges=True)[0]))
    train, validation = made.queues["weights"].peek(), made.queues["controller"].peek()
    optimizer = made._weights_optimizer.optimizer
    momentum = copy.deepcopy(optimizer.state_dict())
    before = snapshot(net)
    (rollout,) = made.evaluate_rollouts(relaxed(edges=True), gradient="second")
    assert_untouched(net, before)
    expected = unrolled_by_brute_force(net, optimizer, rollout, train, validation)
    first = made_of_first_order(net, rollout, validation)
    for key, gradient in expected.items():
        error = (rollout.gradient[key] - gradient).norm() / gradient.norm()
        assert error < 1e-3
        assert (first[key] - gradient).norm() / gradient.norm() > 0.02  # the term of second order matters
    torch.testing.assert_close(optimizer.state_dict(), momentum, rtol=0, atol=0)


def made_of_first_order(net, rollout, batch):
    leaves = leaves_of(rollout)
    F.cross_entropy(net.assemble_candidate(rollout)(batch[0], relaxed=leaves), batch[1]).backward()
    net.zero_grad()
    return {key: leaf.grad for key, leaf in leaves.items()}


class Fixed:
    """A controller that proposes one architecture only."""

    def __init__(self, rollout):
        self.rollout = rollout

    def sample(self, n, purpose=Purpose.PROPOSE):
        return [self.rollout.fresh() for _ in range(n)]


def test_the_batch_of_the_virtual_step_is_the_one_the_weights_are_trained_on_next(evaluator, relaxed):
    made = evaluator()
    upcoming = made.queues["weights"].peek()
    position = made.queues["weights"].state()
    made.evaluate_rollouts(relaxed(2), gradient="second")
    assert made.queues["weights"].state() == position
    assert made.queues["weights"].next() is upcoming


@pytest.mark.parametrize("order", ["first", "second"])
def test_an_error_leaves_weights_statistics_and_modes_as_they_were(order, evaluator, supernet, relaxed):
    net = supernet()
    net.train()
    for failing_call in range(1, 5 if order == "second" else 2):
        made = evaluator(net, objective=Failing(failing_call))
        before = snapshot(net)
        with pytest.raises(RuntimeError, match="on purpose"):
            made.evaluate_rollouts(relaxed(), gradient=order)
        assert_untouched(net, before)


class Failing(ClassificationObjective):
    def __init__(self, at):
        super().__init__()
        self.left = at

    def get_loss(self, *args, **kwargs):
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("on purpose")
        return super().get_loss(*args, **kwargs)


def test_the_losses_whose_difference_is_taken_drop_the_same(evaluator, supernet, relaxed):
    net = supernet(dropout=0.5)
    masks = []
    net.dropout.register_forward_hook(lambda module, inputs, output: masks.append(output == 0))
    evaluator(net).evaluate_rollouts(relaxed(), gradient="second")
    train, validation, ahead, behind = masks
    assert train.any()
    assert torch.equal(train, ahead)
    assert torch.equal(train, behind)
    assert not torch.equal(train, validation)


def test_only_sgd_can_be_looked_ahead(evaluator, relaxed):
    made = evaluator(eval_optimizer={"type": "Adam", "lr": 0.1})
    with pytest.raises(ConfigError, match=r"Adam; set eval_optimizer to SGD, or gradient_order"):
        made.evaluate_rollouts(relaxed(), gradient="second")


def test_a_regularisation_of_relaxed_decisions_is_part_of_the_gradient(evaluator, relaxed):
    class Costly(ClassificationObjective):
        def get_loss(self, *args, rollout, purpose, **kwargs):
            loss = super().get_loss(*args)
            return loss + 2.0 * rollout.relaxed["cell"].sum() if purpose == Purpose.PROPOSE else loss

    plain, costly = (
        evaluator(objective=objective).evaluate_rollouts(relaxed(), gradient="first")[0].gradient["cell"]
        for objective in (None, Costly())
    )
    torch.testing.assert_close(costly, plain + 2.0)


def test_over_several_batches_the_gradient_is_that_of_the_mean_loss(evaluator, supernet, relaxed):
    net = supernet()
    made = evaluator(net, evaluate_with_whole_queue=True)
    (rollout,) = made.evaluate_rollouts(relaxed(), gradient="first")
    leaves = leaves_of(rollout)
    batches = list(made.queues["controller"].pass_over())
    candidate = net.assemble_candidate(rollout)
    losses = [F.cross_entropy(candidate(x, relaxed=leaves), y, reduction="sum") for x, y in batches]
    (sum(losses) / sum(len(y) for _, y in batches)).backward()
    torch.testing.assert_close(rollout.gradient["cell"], leaves["cell"].grad)


def test_rollouts_of_one_call_are_differentiated_on_the_same_batch(evaluator, relaxed):
    together = evaluator().evaluate_rollouts(relaxed(2), gradient="first")
    alone = [evaluator().evaluate_rollouts([rollout], gradient="first")[0] for rollout in relaxed(2)]
    for one, other in zip(together, alone, strict=True):
        assert torch.equal(one.gradient["cell"], other.gradient["cell"])


def test_an_architecture_without_finite_loss_fails(evaluator, relaxed):
    (template,) = relaxed()
    broken = RelaxedRollout(template.space, {"cell": template.relaxed["cell"] * float("nan")})
    evaluator().evaluate_rollouts([broken], gradient="first")
    assert broken.status == "failed"
