"""Gaussian processes against their formulas, written with inverses and determinants."""

from __future__ import annotations

import math

import numpy as np
import pytest

from awnas_predictors.gaussian_process import GaussianProcess

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(25, 2)) / math.sqrt(2)
OTHERS = RNG.normal(size=(40, 2)) / math.sqrt(2)
TARGETS = np.sin(4 * POINTS[:, 0]) + POINTS[:, 1]


def kernel(a: np.ndarray, b: np.ndarray, length: float) -> np.ndarray:
    distance = np.linalg.norm(a[:, None] - b[None], axis=2) * math.sqrt(5) / length
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance))


@pytest.mark.parametrize(("length", "noise"), [(0.3, 0.01), (2.0, 0.1)])
def test_the_posterior_is_that_of_the_textbook(length: float, noise: float) -> None:
    process = GaussianProcess((length,), (noise,))
    process.fit(POINTS, TARGETS)
    inverse = np.linalg.inv(kernel(POINTS, POINTS, length) + noise * np.eye(len(POINTS)))
    shared = kernel(OTHERS, POINTS, length)
    amplitude = (TARGETS @ inverse @ TARGETS + 1) / (len(TARGETS) + 1)
    mean, deviation = process.predict(OTHERS)
    np.testing.assert_allclose(mean, shared @ inverse @ TARGETS, atol=1e-8)
    variance = amplitude * (1 - np.einsum("ij,jk,ik->i", shared, inverse, shared))
    np.testing.assert_allclose(deviation, np.sqrt(variance), atol=1e-6)


def test_the_scales_are_the_likeliest_of_the_grid() -> None:
    lengths, noises = (0.05, 0.5, 5.0), (0.001, 0.1)
    process = GaussianProcess(lengths, noises)
    process.fit(POINTS, TARGETS)

    def evidence(length: float, noise: float) -> float:
        covariance = kernel(POINTS, POINTS, length) + noise * np.eye(len(POINTS))
        amplitude = (TARGETS @ np.linalg.inv(covariance) @ TARGETS + 1) / (len(TARGETS) + 1)
        return float(-0.5 * (len(TARGETS) + 1) * np.log(amplitude) - 0.5 * np.log(np.linalg.det(covariance)))

    length, _ = max(
        ((length, noise) for length in lengths for noise in noises), key=lambda scales: evidence(*scales)
    )
    assert process.best.length == length == 0.5


def test_it_is_sure_of_what_was_measured_and_unsure_far_away() -> None:
    process = GaussianProcess()
    process.fit(POINTS, TARGETS)
    mean, near = process.predict(POINTS)
    assert np.abs(mean - TARGETS).max() < 0.1
    _, far = process.predict(POINTS + 100)
    assert near.max() < 0.2 * far.min()
