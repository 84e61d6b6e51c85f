"""Meta-gradients: their means, and what makes FO-MAML and Reptile differ."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from awnas_core.world import World
from awnas_training.few_shot.meta_optimizer import MetaOptimizer, meta_gradients


def parameters() -> list[nn.Parameter]:
    return [nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.tensor([3.0]))]


def test_the_start_moves_by_the_mean_over_the_tasks_that_touched_it():
    first, second = parameters()
    optimizer = MetaOptimizer([first, second], {"type": "SGD", "lr": 0.1}, None, World())
    optimizer.add({first: torch.tensor([1.0, 0.0])})
    optimizer.add({first: torch.tensor([3.0, 2.0]), second: torch.tensor([10.0])})
    optimizer.step()
    torch.testing.assert_close(first.data, torch.tensor([1.0 - 0.2, 2.0 - 0.1]))
    torch.testing.assert_close(second.data, torch.tensor([3.0 - 1.0]))
    assert first.grad is None
    optimizer.step()  # nothing was added since
    torch.testing.assert_close(second.data, torch.tensor([2.0]))


def test_its_schedule_moves_on_after_every_epoch():
    (first, _) = parameters()
    schedule = {"type": "StepLR", "step_size": 1, "gamma": 0.5}
    optimizer = MetaOptimizer([first], {"type": "SGD", "lr": 1.0}, schedule, World())
    moved = []
    for _ in range(3):
        before = first.data.clone()
        optimizer.add({first: torch.ones(2)})
        optimizer.step()
        moved.append(float((before - first.data)[0]))
        optimizer.end_epoch()
    assert moved == [1.0, 0.5, 0.25]
    again = MetaOptimizer([first], {"type": "SGD", "lr": 1.0}, schedule, World())
    again.load_state(optimizer.state())
    before = first.data.clone()
    again.add({first: torch.ones(2)})
    again.step()
    assert float((before - first.data)[0]) == 0.125


def test_first_order_maml_takes_the_gradient_of_the_query_loss():
    first, second = parameters()
    query = {first: torch.tensor([5.0, 6.0])}
    start = {first: first.data - 1, second: second.data}
    assert meta_gradients("fo_maml", start, query, 0.1) == query


def test_reptile_of_one_task_goes_to_where_the_task_led():
    first, second = parameters()
    start = {first: first.data.clone(), second: second.data.clone()}
    first.data = first.data + torch.tensor([0.5, -0.25])
    gradients = meta_gradients("reptile", start, {first: torch.tensor([9.0, 9.0])}, 0.1)
    assert set(gradients) == {first}
    adapted = first.data.clone()
    first.data = start[first].clone()
    optimizer = MetaOptimizer([first], {"type": "SGD", "lr": 0.1}, None, World())
    optimizer.add(gradients)
    optimizer.step()
    torch.testing.assert_close(first.data, adapted)


@pytest.mark.parametrize("method", ["fo_maml", "reptile"])
def test_the_start_learns_where_tasks_are_learnt_quickly(method):
    """Tasks are parabolas with their minimum near 4: from there the fewest steps lead into each of them."""
    generator = torch.Generator().manual_seed(0)
    theta = nn.Parameter(torch.zeros(1))
    optimizer = MetaOptimizer([theta], {"type": "SGD", "lr": 0.1}, None, World())
    for _ in range(300):
        minimum = 4 + 0.5 * torch.randn(1, generator=generator)
        start = {theta: theta.data.clone()}
        for _ in range(3):
            theta.data = theta.data - 0.1 * 2 * (theta.data - minimum)
        query = {theta: 2 * (theta.data - minimum)}
        gradients = meta_gradients(method, start, query, 0.1)
        theta.data = start[theta]
        optimizer.add(gradients)
        optimizer.step()
    assert abs(theta.item() - 4) < 0.5
