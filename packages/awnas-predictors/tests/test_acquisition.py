"""Acquisition functions against what they are the mean or the law of."""

from __future__ import annotations

import numpy as np
import pytest

from awnas_predictors.controllers.acquisition import ACQUISITIONS, AcquisitionName
from awnas_predictors.predictor import Floats, Prediction

PREDICTION = Prediction(np.array([0.5, 0.5, 0.7, 0.9]), np.array([0.1, 0.3, 0.1, 0.0]))
BEST = 0.8


def acquired(name: AcquisitionName, prediction: Prediction = PREDICTION, exploration: float = 2.0) -> Floats:
    return ACQUISITIONS[name](prediction, BEST, np.random.default_rng(0), exploration)


def test_the_mean_is_the_mean() -> None:
    assert acquired("mean").tolist() == [0.5, 0.5, 0.7, 0.9]


def test_the_upper_bound_adds_so_many_deviations() -> None:
    np.testing.assert_allclose(acquired("ucb"), [0.7, 1.1, 0.9, 0.9])
    np.testing.assert_allclose(acquired("ucb", exploration=0.0), acquired("mean"))


def test_the_expected_improvement_is_the_mean_of_improvements_over_many_draws() -> None:
    draws = np.random.default_rng(1).normal(PREDICTION.mean, PREDICTION.deviation, (1_000_000, 4))
    expected = np.maximum(draws - BEST, 0).mean(0)
    np.testing.assert_allclose(acquired("ei"), expected, atol=3e-4)
    assert acquired("ei")[1] > 10 * acquired("ei")[0]


def test_a_thompson_sample_follows_each_architectures_own_law() -> None:
    count = 20_000
    many = Prediction(np.repeat(PREDICTION.mean, count), np.repeat(PREDICTION.deviation, count))
    draws = acquired("thompson", many).reshape(4, count)
    np.testing.assert_allclose(draws.mean(1), PREDICTION.mean, atol=0.01)
    np.testing.assert_allclose(draws.std(1), PREDICTION.deviation, atol=0.01)
    assert abs(np.corrcoef(draws[0], draws[1])[0, 1]) < 0.03


@pytest.mark.parametrize("name", ["ucb", "ei", "thompson"])
def test_all_but_the_mean_come_down_to_it_when_nothing_is_unsure(name: AcquisitionName) -> None:
    sure = Prediction(np.linspace(0, 1.6, 9), np.zeros(9))
    above = sure.mean > BEST
    found = acquired(name, sure)
    assert (np.argsort(found[above]) == np.arange(above.sum())).all()
