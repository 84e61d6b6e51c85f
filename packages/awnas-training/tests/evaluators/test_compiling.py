"""Compiled candidates: the same results, from one graph that serves all mixtures."""

import functools

import pytest
import torch

from awnas_core import Purpose


@pytest.fixture
def graphs(monkeypatch):
    """Collect what would be compiled, and run it as it is."""
    found = []

    def keep(graph, inputs):
        found.append(graph)
        return graph.forward

    torch.compiler.reset()
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=keep, fullgraph=True))
    return found


class Proposals:
    def __init__(self, rollouts):
        self.rollouts = iter(rollouts)

    def sample(self, n, purpose=Purpose.PROPOSE):
        return [next(self.rollouts) for _ in range(n)]


def search(evaluator, rollouts, gradient):
    """Return weights, rewards and gradients of decisions after a few steps of both kinds."""
    train, propose = rollouts[::2], rollouts[1::2]
    controller = Proposals(train)
    for rollout in propose:
        evaluator.update_evaluator(controller)
        evaluator.evaluate_rollouts([rollout], gradient=gradient)
    weights = {name: w.detach().clone() for name, w in evaluator.weights_manager.named_parameters()}
    return weights, [rollout.perf for rollout in propose], [rollout.gradient for rollout in propose]


@pytest.mark.parametrize("gradient", ["first", "second"])
def test_a_compiled_search_is_the_same_search(gradient, evaluator, supernet, relaxed, graphs):
    compiled = search(evaluator(supernet(), torch_compile=True), relaxed(8), gradient)
    assert graphs
    plain = search(evaluator(supernet()), relaxed(8), gradient)
    torch.testing.assert_close(compiled, plain)


def test_all_mixtures_share_what_was_compiled_for_the_first(evaluator, supernet, relaxed, graphs):
    subject, rollouts = evaluator(supernet(), torch_compile=True), relaxed(8)
    search(subject, rollouts[:2], "first")
    first = len(graphs)
    search(subject, rollouts[2:], "first")
    assert len(graphs) == first > 0


def test_architectures_with_graphs_of_their_own_are_left_as_they_are(
    evaluator, supernet, relaxed, cell_space, graphs
):
    subject = evaluator(supernet(), torch_compile=True)
    subject.evaluate_rollouts([*relaxed(2, hard=True), cell_space.rollout((1, 2, 3))])
    assert not graphs
