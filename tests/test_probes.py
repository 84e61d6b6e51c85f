"""The interfaces carry more than ENAS: one small probe for each thing that families to come will need."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from awnas_core import (
    Constraint,
    Controller,
    Decision,
    Decisions,
    Evaluation,
    Evaluator,
    Goal,
    Mean,
    Mixture,
    Purpose,
    RelaxedRollout,
    SearchSpace,
)
from awnas_core.rollout import broken_constraints
from awnas_core.run.random_streams import RandomStreams
from awnas_core.run.run import Run
from awnas_core.search.loop import SimpleTrainer
from awnas_core.search.pareto import rank_rollouts

EDGES, OPS = 2, 3


class EdgeSpace(SearchSpace):
    """Two edges, three operations each."""

    @property
    def decisions(self):
        return Decisions(tuple(Decision(f"edge{i}", ("zero", "scale", "square")) for i in range(EDGES)))

    def genotype(self, arch):
        return "-".join(str(op) for op in arch)

    def parse(self, text):
        return self.check_arch([int(op) for op in text.split("-")])

    @property
    def mixtures(self):
        return (Mixture("mix", ("zero", "scale", "square"), tuple(range(EDGES))),)

    def discretize(self, relaxed):
        return tuple(relaxed["mix"].argmax(-1).tolist())


def forward(x, weights, mix):
    """Two edges in a row; each mixes w·0·x, w·x and w·x²."""
    for edge in range(EDGES):
        ops = torch.stack([0 * x, x, x**2])
        x = (mix[edge] * weights[edge])[:, None] * ops
        x = x.sum(0)
    return x


def loss_of(weights, mix, data):
    inputs, targets = data
    return ((forward(inputs, weights, mix) - targets) ** 2).mean()


class AlphaController(Controller):
    """Softmax over alphas; knows nothing of the network."""

    wants_gradient = "second"

    def __init__(self, search_space, alphas):
        self.space, self.alphas = search_space, alphas

    def sample(self, n, purpose=Purpose.PROPOSE):
        self._mix = self.alphas.softmax(-1)
        return [RelaxedRollout(self.space, {"mix": self._mix.detach()}) for _ in range(n)]

    def step(self, rollouts):
        torch.autograd.backward(self._mix, sum(r.gradient["mix"] for r in rollouts))
        return {"loss": float(np.mean([-r.reward for r in rollouts]))}


class UnrolledEvaluator(Evaluator):
    """Fills in dL_valid(w − ξ·dL_train/dw)/d(mix) on detached leaves."""

    def __init__(self, weights, lr, train_data, valid_data):
        self.weights, self.lr, self.train_data, self.valid_data = weights, lr, train_data, valid_data

    def evaluate_rollouts(self, rollouts, purpose=Purpose.PROPOSE, *, gradient=None, steps=None):
        for rollout in rollouts:
            mix = rollout.relaxed["mix"].clone().requires_grad_()
            weights = self.weights.detach().requires_grad_()
            if gradient == "second":
                (slope,) = torch.autograd.grad(
                    loss_of(weights, mix, self.train_data), weights, create_graph=True
                )
                weights = weights - self.lr * slope
            loss = loss_of(weights, mix, self.valid_data)
            rollout.gradient = {"mix": torch.autograd.grad(loss, mix)[0]}
            rollout.record(Evaluation(perf={"loss": loss.item(), "reward": -loss.item()}))
        return list(rollouts)


@pytest.mark.parametrize("order", ["first", "second"])
def test_a_gradient_through_detached_decisions_equals_autograd_through_everything(order):
    torch.manual_seed(0)
    make = lambda *shape: torch.randn(*shape, dtype=torch.float64)  # noqa: E731
    alphas, weights = make(EDGES, OPS).requires_grad_(), make(EDGES, OPS).requires_grad_()
    train_data, valid_data, lr = (make(8), make(8)), (make(8), make(8)), 0.1
    controller = AlphaController(EdgeSpace(), alphas)
    evaluator = UnrolledEvaluator(weights, lr, train_data, valid_data)
    controller.step(evaluator.evaluate_rollouts(controller.sample(1), gradient=order))

    mix = alphas.softmax(-1)
    unrolled = weights
    if order == "second":
        (slope,) = torch.autograd.grad(loss_of(weights, mix, train_data), weights, create_graph=True)
        unrolled = weights - lr * slope
    (direct,) = torch.autograd.grad(loss_of(unrolled, mix, valid_data), alphas)
    torch.testing.assert_close(alphas.grad, direct, rtol=1e-10, atol=1e-12)
    assert weights.grad is None  # the weights' optimizer never sees an architecture step


class TableEvaluator(Evaluator):
    """Answers from a table: no data set, no weights manager."""

    def __init__(self, table, constraints=(), fails=()):
        self.table, self.constraints, self.fails = table, constraints, fails

    def evaluate_rollouts(self, rollouts, purpose=Purpose.PROPOSE, *, gradient=None, steps=None):
        for rollout in rollouts:
            cost = {"macs": float(sum(rollout.arch))}
            if rollout.arch in self.fails:
                rollout.record(Evaluation(status="failed", error="it broke"))
            elif broken := broken_constraints(self.constraints, cost):
                rollout.record(Evaluation(perf=cost, status="infeasible", error="; ".join(broken)))
            else:
                acc = self.table[rollout.arch]
                rollout.record(Evaluation(perf={**cost, "acc": acc, "reward": acc}))
        return list(rollouts)


class HillClimber(Controller):
    def __init__(self, search_space, rng):
        self.space, self.rng, self.best, self.told = search_space, rng, None, []

    def sample(self, n, purpose=Purpose.PROPOSE):
        if purpose is Purpose.DERIVE and self.best is not None:
            return [self.best.fresh() for _ in range(n)]
        return self.space.random_samples(n, self.rng)

    def step(self, rollouts):
        self.told += [rollout.status for rollout in rollouts]
        ranked = [r for r in [*rollouts, self.best] if r is not None and r.status == "ok"]
        self.best = max(ranked, key=lambda r: r.reward, default=self.best)
        return {}


def table(space):
    return {rollout.arch: 0.1 * sum(rollout.arch) + 0.01 * rollout.arch[0] for rollout in space.enumerate()}


def search(evaluator, **options):
    streams = RandomStreams(3)
    controller = HillClimber(EdgeSpace(), streams.get("controller"))
    defaults = {"epochs": 5, "controller_steps": 10, "derive_samples": 1, "test_every": None}
    trainer = SimpleTrainer(controller, evaluator, **(defaults | options))
    with Run({"controller": controller, "evaluator": evaluator, "trainer": trainer}, streams) as run:
        trainer.train(run)
    return controller, trainer.derive()


def test_a_tabular_evaluator_needs_neither_data_nor_weights():
    space = EdgeSpace()
    _, derived = search(TableEvaluator(table(space)))
    assert derived[0].arch == max(table(space), key=table(space).get)


def test_a_broken_constraint_and_a_failure_reach_the_controller_and_stop_nothing():
    space = EdgeSpace()
    bound = Constraint(metric="macs", bound=2)
    controller, derived = search(TableEvaluator(table(space), [bound], fails={(1, 1)}))
    assert set(controller.told) == {"ok", "failed", "infeasible"}
    allowed = {arch: acc for arch, acc in table(space).items() if sum(arch) <= 2 and arch != (1, 1)}
    assert derived[0].arch == max(allowed, key=allowed.get)


def test_results_may_be_told_in_any_order_and_one_by_one():
    space = EdgeSpace()
    rng = np.random.default_rng(0)
    rollouts = TableEvaluator(table(space), fails={(0, 0)}).evaluate_rollouts(list(space.enumerate()))
    bests = []
    for _ in range(5):
        controller = HillClimber(space, rng)
        for index in rng.permutation(len(rollouts)):
            controller.step([rollouts[index]])
        bests.append(controller.best.arch)
    assert set(bests) == {(2, 2)}


def test_two_goals_under_a_constraint_rank_feasible_architectures_first():
    space = EdgeSpace()
    rollouts = TableEvaluator(table(space)).evaluate_rollouts(list(space.enumerate()))
    goals = (Goal(metric="acc", direction="max"), Goal(metric="macs", direction="min"))
    bound = Constraint(metric="macs", bound=3)
    ranks = rank_rollouts(rollouts, goals, [bound])

    def beats(a, b):
        better = a.perf["acc"] >= b.perf["acc"] and a.perf["macs"] <= b.perf["macs"]
        return better and (a.perf["acc"] > b.perf["acc"] or a.perf["macs"] < b.perf["macs"])

    feasible = [r for r in rollouts if r.perf["macs"] <= 3]
    front = {r.arch for r in feasible if not any(beats(other, r) for other in feasible)}
    assert {r.arch for r, rank in zip(rollouts, ranks, strict=True) if rank == 0} == front
    worst_feasible = max(rank for r, rank in zip(rollouts, ranks, strict=True) if r.perf["macs"] <= 3)
    assert all(rank > worst_feasible for r, rank in zip(rollouts, ranks, strict=True) if r.perf["macs"] > 3)


def test_a_metric_merged_from_two_processes_is_the_metric_over_all_their_data():
    batches = [(torch.tensor(3.0), 4), (torch.tensor(1.0), 2), (torch.tensor(5.0), 5)]
    whole, first, second = Mean(), Mean(), Mean()
    for batch in batches:
        whole.update(batch)
    first.update(batches[0])
    for batch in batches[1:]:
        second.update(batch)
    first.merge(second.state())
    assert first.compute() == whole.compute() == pytest.approx(9 / 11)
    assert math.isnan(Mean().compute())
