"""Transfer: a device like others is known from a few measurements, and the right ones are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from awnas_hardware.transfer import Transfer


@pytest.fixture
def world():
    """Twelve devices that mix three hidden ways of costing, and one more of their kind."""
    rng = np.random.default_rng(0)
    parts = rng.integers(0, 2, (400, 10)).astype(float)
    hidden = np.stack([np.exp(parts @ rng.normal(0, 0.6, 10)) for _ in range(3)], 1)
    others = hidden @ rng.uniform(0, 1, (3, 12))
    return parts, others, hidden @ rng.uniform(0, 1, 3)


def rank(predicted, costs):
    return spearmanr(predicted, costs).statistic


def test_other_devices_tell_more_than_the_parts_alone(world):
    parts, others, costs = world
    rng = np.random.default_rng(1)
    transfer = Transfer.of(others, parts, parts)
    alone = Transfer.of(
        rng.permutation(others), parts, parts
    )  # devices that say nothing about these architectures
    draws = [rng.choice(400, 10, replace=False) for _ in range(10)]
    ranks = [np.mean([rank(t.predict(r, costs[r]), costs) for r in draws]) for t in (transfer, alone)]
    assert ranks[0] > 0.95
    assert ranks[0] > ranks[1] + 0.1


def test_measuring_what_is_least_certain_beats_the_average_choice(world):
    parts, others, costs = world
    rng = np.random.default_rng(1)
    transfer = Transfer.of(others, parts, parts)
    chosen = transfer.choose(6)
    assert len(set(chosen.tolist())) == 6
    draws = [rng.choice(400, 6, replace=False) for _ in range(20)]
    average = np.mean([rank(transfer.predict(r, costs[r]), costs) for r in draws])
    assert rank(transfer.predict(chosen, costs[chosen]), costs) > average


def test_the_choice_does_not_depend_on_what_is_measured_later(world):
    parts, others, _ = world
    transfer = Transfer.of(others, parts, parts)
    assert transfer.choose(8)[:5].tolist() == transfer.choose(5).tolist()


def test_predictions_are_in_the_unit_of_the_measurements(world):
    parts, others, costs = world
    transfer = Transfer.of(others, parts, parts)
    rows = transfer.choose(20)
    predicted = transfer.predict(rows, costs[rows])
    assert transfer.predict(rows, 1000 * costs[rows]) == pytest.approx(1000 * predicted)
