"""Few-shot evaluation: what adapts, what is put back, and where the start moves."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional

from awnas_core import ConfigError, Constraint, Device, Purpose
from awnas_core.testing import EvaluatorContract, build
from awnas_training.few_shot.evaluator import FewShotSharedWeightsEvaluator

LR = 0.05


def dataset(**options):
    sizes = {"n_way": 3, "k_shot": 2, "k_query": 4, "test_classes": 4, "train_tasks": 6, "test_tasks": 5}
    return build("dataset", "few-shot", sizes | options)


def make(supernet, **options):
    usual = {"workers_per_queue": 0, "base_steps": 2, "derive_base_steps": 3}
    return FewShotSharedWeightsEvaluator(
        dataset(),
        supernet,
        build("objective", "classification"),
        Device(),
        np.random.default_rng(0),
        **usual | {"eval_base_optimizer": {"type": "SGD", "lr": LR}} | options,
    )


def adapted(network, support, steps, *, clip=None):
    """Return a copy of a candidate's supernet, trained by hand on a support set with the statistics of the batch."""
    network = copy.deepcopy(network).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(network(support[0]), support[1]).backward()
        optimizer.step()
    return network


@pytest.fixture
def discrete(cell_space):
    return lambda *arch: cell_space.rollout(arch or (1, 2, 3))


class TestDiscreteFewShot(EvaluatorContract):
    component = "discrete-few-shot-shared-weights"
    cfg = {"workers_per_queue": 0, "base_steps": 2, "derive_base_steps": 2}

    @pytest.fixture(autouse=True)
    def parts(self, supernet, cell_space):
        self._supernet, self._space = supernet, cell_space

    def space(self):
        return self._space

    def collaborators(self):
        return {
            "search_space": self._space,
            "dataset": dataset(),
            "weights_manager": self._supernet(),
            "objective": build("objective", "classification"),
        }


@pytest.mark.parametrize("purpose", [Purpose.PROPOSE, Purpose.DERIVE])
def test_the_measure_is_that_of_the_query_set_after_steps_on_the_support_set(supernet, discrete, purpose):
    evaluator, manager = make(supernet()), supernet()
    if purpose is Purpose.DERIVE:
        tasks, steps = list(evaluator.derive_tasks()), 3
    else:
        tasks, steps = [make(supernet()).next_task()], 2
    (rollout,) = evaluator.evaluate_rollouts([discrete()], purpose)
    losses, hits = [], []
    for support, query in tasks:
        network = adapted(manager.assemble_candidate(discrete()), support, steps)
        logits = network(query[0])
        losses.append(functional.cross_entropy(logits, query[1]).item())
        hits.append((logits.argmax(1) == query[1]).double().mean().item())
    assert rollout.perf["loss"] == pytest.approx(np.mean(losses), rel=1e-6)
    assert rollout.perf["acc"] == rollout.perf["reward"] == pytest.approx(np.mean(hits))


def test_measuring_leaves_weights_and_running_statistics_as_they_were(supernet, discrete, relaxed):
    manager = supernet(dropout=0.3)
    before = copy.deepcopy(manager.state_dict())
    evaluator = make(manager)
    evaluator.evaluate_rollouts([discrete(), discrete(3, 1, 2)], Purpose.DERIVE)
    evaluator.evaluate_rollouts(relaxed(2), gradient="first")
    assert all(torch.equal(value, before[name]) for name, value in manager.state_dict().items())
    assert all(parameter.grad is None for parameter in manager.parameters())


def test_no_task_leaks_into_the_next(supernet, discrete):
    """The same tasks give the same loss in any number."""
    of_all = make(supernet()).evaluate_rollouts([discrete()], Purpose.DERIVE)[0].perf["loss"]
    first_two = make(supernet()).evaluate_rollouts([discrete()], Purpose.DERIVE, steps=2)[0].perf["loss"]
    first = make(supernet()).evaluate_rollouts([discrete()], Purpose.DERIVE, steps=1)[0].perf["loss"]
    evaluator = make(supernet())
    alone = []
    for support, query in evaluator.derive_tasks():
        network = adapted(supernet().assemble_candidate(discrete()), support, 3)
        alone.append(functional.cross_entropy(network(query[0]), query[1]).item())
    assert first == pytest.approx(alone[0])
    assert first_two == pytest.approx(np.mean(alone[:2]))
    assert of_all == pytest.approx(np.mean(alone))


def test_momentum_within_a_task_starts_anew_with_each(supernet, discrete):
    options = {"eval_base_optimizer": {"type": "SGD", "lr": LR, "momentum": 0.9}}
    evaluator = make(supernet(), **options)
    evaluator.evaluate_rollouts([discrete()], Purpose.DERIVE)  # leaves no momentum behind
    again = evaluator.evaluate_rollouts([discrete()], Purpose.DERIVE)[0].perf["loss"]
    assert (
        again == make(supernet(), **options).evaluate_rollouts([discrete()], Purpose.DERIVE)[0].perf["loss"]
    )


@pytest.mark.parametrize("method", ["fo_maml", "reptile"])
def test_the_start_moves_as_the_method_says(supernet, discrete, method):
    class Always:
        def sample(self, n, purpose):
            return [discrete() for _ in range(n)]

    manager = supernet()
    evaluator = make(manager, meta_update_method=method, eval_meta_optimizer={"type": "SGD", "lr": 0.5})
    support, query = make(supernet()).next_task()
    stats = evaluator.update_evaluator(Always())

    before = supernet().assemble_candidate(discrete())
    after = adapted(before, support, 2)
    loss = functional.cross_entropy(after(query[0]), query[1])
    slopes = torch.autograd.grad(loss, list(after.parameters()), allow_unused=True)
    moved = manager.assemble_candidate(discrete())
    pairs = zip(before.parameters(), after.parameters(), moved.parameters(), slopes, strict=True)
    for start, end, new, slope in pairs:
        way = (
            torch.zeros_like(start) if slope is None else slope if method == "fo_maml" else (start - end) / LR
        )
        torch.testing.assert_close(new, start - 0.5 * way)
    assert stats["loss"] == pytest.approx(loss.item())
    assert stats["reward"] == stats["acc"]


def test_gradients_of_proposals_are_those_of_the_query_loss_where_the_weights_have_adapted(supernet, relaxed):
    evaluator = make(supernet())
    (rollout,) = evaluator.evaluate_rollouts(relaxed(1), gradient="first")
    support, query = make(supernet()).next_task()
    network = adapted(supernet().assemble_candidate(relaxed(1)[0]), support, 2)
    leaves = {"cell": relaxed(1)[0].relaxed["cell"].clone().requires_grad_()}
    loss = functional.cross_entropy(network(query[0], relaxed=leaves), query[1])
    torch.testing.assert_close(rollout.gradient["cell"], torch.autograd.grad(loss, leaves["cell"])[0])


def test_adapting_leaves_the_gradient_of_the_support_loss_and_its_metrics(supernet, relaxed):
    evaluator = make(supernet())
    support, _ = evaluator.next_task()
    (rollout,) = relaxed(1)
    with evaluator.on_task():
        evaluator.adapt([rollout], support, gradient=True)
    network = supernet().assemble_candidate(relaxed(1)[0]).train()
    leaves = {"cell": relaxed(1)[0].relaxed["cell"].clone().requires_grad_()}
    loss = functional.cross_entropy(network(support[0], relaxed=leaves), support[1])
    torch.testing.assert_close(rollout.gradient["cell"], torch.autograd.grad(loss, leaves["cell"])[0])
    assert rollout.perf["loss"] == pytest.approx(loss.item())


def test_steps_on_a_task_are_clipped_as_the_weights_manager_says(supernet, discrete):
    def moved_by(limit):
        manager = supernet()
        manager.max_grad_norm = limit
        evaluator = make(manager)
        support, _ = evaluator.next_task()
        before = {name: value.clone() for name, value in manager.named_parameters()}
        with evaluator.on_task():
            evaluator.adapt([discrete()], support)
            ways = [value - before[name] for name, value in manager.named_parameters()]
            return torch.cat([way.flatten() for way in ways]).norm().item()

    assert moved_by(1e-3) == pytest.approx(LR * 1e-3, rel=1e-3)
    assert moved_by(None) > LR * 1e-2


def test_an_infeasible_architecture_is_never_trained(supernet, discrete, monkeypatch):
    class Costly:
        def __getattr__(self, name):
            return getattr(build("objective", "classification"), name)

        def metrics(self):
            from awnas_core import Metric

            return (Metric("acc"), Metric("size", "min", scope="architecture"))

        def measure(self, rollout):
            return {"size": 9.0}

    evaluator = make(supernet())
    limited = FewShotSharedWeightsEvaluator(
        dataset(),
        supernet(),
        Costly(),
        Device(),
        np.random.default_rng(0),
        constraints=(Constraint(metric="size", bound=5),),
        workers_per_queue=0,
    )
    monkeypatch.setattr(limited, "on_task", None)
    (rollout,) = limited.evaluate_rollouts([discrete()])
    assert rollout.status == "infeasible"
    assert evaluator.evaluate_rollouts([discrete()])[0].status == "ok"


def test_what_cannot_be_is_refused(supernet, relaxed):
    with pytest.raises(ConfigError, match="no second-order gradient"):
        make(supernet()).evaluate_rollouts(relaxed(1), gradient="second")


def test_options_of_the_older_layer_are_translated():
    from awnas_training.few_shot.legacy import few_shot

    new, notes = few_shot(
        {"batch_size": 1, "data_portion": [0.4, 0.3, 0.3], "eval_base_optimizer": {"type": "SGD"}}
    )
    assert new == {"data_portion": [0.4, 0.3], "eval_base_optimizer": {"type": "SGD"}}
    assert [note.partition(":")[0] for note in notes] == ["batch_size", "data_portion"]
