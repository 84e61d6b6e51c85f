"""The Gaussian process, the scores it predicts, and the mean of it and a forest."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from awnas_predictors.encoding import encode
from awnas_predictors.ensemble import ProcessForestPredictor
from awnas_predictors.graph_features import graph_features
from awnas_predictors.normal_scores import NormalScores
from awnas_predictors.relevance_process import JITTER, RelevanceProcessPredictor
from awnas_spaces.nasbench201 import NasBench201Space

GRAPHS = encode(NasBench201Space(), np.random.default_rng(1).integers(5, size=(120, 6)))
COUNTS = graph_features(GRAPHS)[:, :4].astype(float)  # skips, 1×1, 3×3, pools that count
TRUTH = COUNTS[:, 2] + 0.4 * COUNTS[:, 1] - 0.2 * COUNTS[:, 3]
NOISE = np.random.default_rng(2).normal(size=(120, 1)) * 0.05
TARGETS = np.exp(TRUTH + NOISE[:, 0])
TRAIN, TEST = slice(80), slice(80, None)


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Return the share of pairs in the same order."""
    pairs = [(i, j) for i, j in itertools.combinations(range(len(b)), 2) if b[i] != b[j]]
    return float(np.mean([(a[i] > a[j]) == (b[i] > b[j]) for i, j in pairs]))


def features(graphs):
    """Four counts that decide."""
    return graph_features(graphs)[:, :4]


def covariance(x: np.ndarray, y: np.ndarray, scales: np.ndarray, amounts: np.ndarray) -> float:
    """Return the covariance of two architectures as the formulas have it."""
    x, y = x * np.exp(scales), y * np.exp(scales)
    distance = np.sqrt(3) * np.linalg.norm(x - y)
    matern = (1 + distance) * np.exp(-distance)
    return float(np.exp(amounts[0]) * matern + np.exp(amounts[1]) * (x @ y) / len(x))


def matrix(x: np.ndarray, y: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
    return np.array([[covariance(a, b, *parameters) for b in y] for a in x])


def test_normal_scores_are_quantiles_of_ranks() -> None:
    scores = NormalScores(np.array([10.0, 90.0, 50.0, 50.0]))
    expected = norm.ppf([1 / 8, 4 / 8, 7 / 8])
    np.testing.assert_allclose(scores(np.array([10, 50, 90])), expected)
    assert scores(np.array([70]))[0] == pytest.approx(expected[1:].mean())
    assert scores(np.array([0, 100])).tolist() == [expected[0], expected[2]]


def test_means_and_deviations_are_those_of_the_conditioned_normal_distribution() -> None:
    process = RelevanceProcessPredictor(0, features=features)
    process.fit(GRAPHS[TRAIN], TARGETS[TRAIN])
    raw = np.log1p(features(GRAPHS))
    x = (raw - raw[TRAIN].mean(0)) / raw[TRAIN].std(0)
    known, asked = x[TRAIN], x[TEST]
    parameters = (process.kernel.scales.detach().numpy(), process.kernel.amounts.detach().numpy())
    noise = np.exp(parameters[1][2]) + JITTER
    inverse = np.linalg.inv(matrix(known, known, *parameters) + noise * np.eye(len(known)))
    cross = matrix(asked, known, *parameters)
    scores = NormalScores(TARGETS[TRAIN])(TARGETS[TRAIN])
    np.testing.assert_allclose(process.predict(GRAPHS[TEST]), cross @ inverse @ scores, atol=1e-4)
    variances = np.diag(matrix(asked, asked, *parameters) - cross @ inverse @ cross.T)
    np.testing.assert_allclose(process.deviations(GRAPHS[TEST]) ** 2, variances, atol=1e-4)


def likelihood(process: RelevanceProcessPredictor) -> float:
    """Return the logarithm of the marginal likelihood of the first 60 architectures."""
    x = process.known.numpy()
    parameters = (process.kernel.scales.detach().numpy(), process.kernel.amounts.detach().numpy())
    noise = np.exp(parameters[1][2]) + JITTER
    covariances = matrix(x, x, *parameters) + noise * np.eye(len(x))
    scores = NormalScores(TARGETS[:60])(TARGETS[:60])
    return float(multivariate_normal(np.zeros(len(x)), covariances).logpdf(scores))


def test_scales_are_where_the_likelihood_is_larger_and_features_of_noise_hardly_count() -> None:
    def with_noise(graphs):
        noise = np.random.default_rng(len(graphs)).random((len(graphs), 4))
        return np.concatenate([features(graphs), noise], 1)

    first, last = (RelevanceProcessPredictor(0, features=with_noise, steps=steps) for steps in (0, 60))
    for process in (first, last):
        process.fit(GRAPHS[:60], TARGETS[:60])
    assert likelihood(last) > likelihood(first) + 20
    scales = last.kernel.scales.detach()
    assert scales[2] > scales[4:].max() + 1


def test_what_a_process_says_of_an_architecture_does_not_depend_on_what_else_is_asked() -> None:
    for predictor in (RelevanceProcessPredictor(0), ProcessForestPredictor(0, trees=20)):
        predictor.fit(GRAPHS[TRAIN], TARGETS[TRAIN])
        together = predictor.predict(GRAPHS[TEST])
        np.testing.assert_allclose(predictor.predict(GRAPHS[90:91]), together[10:11], atol=1e-9)
        assert agreement(together, TRUTH[TEST]) > 0.9


def test_a_process_is_surer_of_what_it_has_seen() -> None:
    process = RelevanceProcessPredictor(0)
    process.fit(GRAPHS[TRAIN], TARGETS[TRAIN])
    assert process.deviations(GRAPHS[TRAIN]).mean() < process.deviations(GRAPHS[TEST]).mean()


def test_process_and_forest_are_averaged_as_normal_scores() -> None:
    both = ProcessForestPredictor(0, trees=20)
    both.fit(GRAPHS[TRAIN], TARGETS[TRAIN])
    by_forest = both.forest.predict(both.features(GRAPHS[TEST]))
    found = both.predict(GRAPHS[TEST])
    np.testing.assert_allclose(
        2 * found - both.process.predict(GRAPHS[TEST]), NormalScores(TARGETS[TRAIN])(by_forest), atol=1e-9
    )


def test_a_single_architecture_and_equal_targets_can_be_fitted() -> None:
    for rows in (slice(1), slice(10)):
        predictor = ProcessForestPredictor(0, trees=5)
        predictor.fit(GRAPHS[rows], np.ones(len(GRAPHS[rows])))
        assert np.isfinite(predictor.predict(GRAPHS)).all()
