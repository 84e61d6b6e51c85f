"""A Gaussian process that finds out which features of architectures matter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from awnas_predictors.graphs import CellGraphs
from awnas_predictors.normal_scores import NormalScores
from awnas_predictors.path_features import all_features

Floats = npt.NDArray[np.floating]
JITTER = 1e-5
SMALLEST_DEVIATION = 1e-6  # of a feature; those that never change stay 0


class RelevanceProcessPredictor:
    """A Gaussian process of normal scores: what is measured, brought to a normal distribution by its ranks.

    The kernel is ``a · Matérn(3/2) + b · linear`` over features ``log(1 + x)``, each with a length scale of its own.
    Scales, ``a``, ``b`` and the noise are where the marginal likelihood of some architectures is largest; all of them
    are conditioned on.

    Args:
        seed: Of the choice of architectures for the likelihood.
        features: Numbers of each architecture, not below 0, shape ``(B, F)``.
        likelihood_of: Architectures that the likelihood is computed on, at most.
        steps: Of Adam, up the likelihood.
        learning_rate: Of Adam, for the logarithms of all scales.

    Source: Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2 and 5
    (automatic relevance determination).
    """

    def __init__(
        self,
        seed: int,
        *,
        features: Callable[[CellGraphs], Floats] = all_features,
        likelihood_of: int = 400,
        steps: int = 60,
        learning_rate: float = 0.15,
    ) -> None:
        self.seed, self.features = seed, features
        self.likelihood_of, self.steps, self.learning_rate = likelihood_of, steps, learning_rate

    def fit(self, graphs: CellGraphs, targets: Floats) -> None:
        """Fit to architectures and what was measured of each, shape ``(B,)``; larger is better."""
        raw = np.log1p(self.features(graphs))
        deviation = raw.std(0)
        self.mean, self.deviation = raw.mean(0), np.where(deviation > SMALLEST_DEVIATION, deviation, np.inf)
        self.known, values = self._scaled(graphs), torch.from_numpy(NormalScores(targets)(targets))
        chosen = np.random.default_rng(self.seed).permutation(len(values))[: self.likelihood_of]
        self.kernel = Kernel(self.known.shape[1])
        self.kernel.climb(self.known[chosen], values[chosen], self.steps, self.learning_rate)
        with torch.no_grad():
            self.factor = torch.linalg.cholesky(self.kernel.noisy(self.known))
            self.weights = torch.cholesky_solve(values.unsqueeze(1), self.factor)

    def _scaled(self, graphs: CellGraphs) -> Tensor:
        return torch.from_numpy((np.log1p(self.features(graphs)) - self.mean) / self.deviation).double()

    @torch.no_grad()
    def predict(self, graphs: CellGraphs, batch_size: int = 1024) -> Floats:
        """Return the normal score that each architecture should reach, shape ``(B,)``."""
        batches = self._scaled(graphs).split(batch_size)
        means: Floats = (
            torch.cat([self.kernel(batch, self.known) @ self.weights for batch in batches]).squeeze(1).numpy()
        )
        return means

    @torch.no_grad()
    def deviations(self, graphs: CellGraphs, batch_size: int = 1024) -> Floats:
        """Return how uncertain each predicted score is, without the noise of a measurement, shape ``(B,)``."""
        found = []
        for batch in self._scaled(graphs).split(batch_size):
            seen = torch.linalg.solve_triangular(self.factor, self.kernel(self.known, batch), upper=False)
            found.append(self.kernel.variances(batch) - seen.square().sum(0))
        deviations: Floats = torch.cat(found).clamp(min=0).sqrt().numpy()
        return deviations


class Kernel:
    """The covariance of two architectures, and the noise of one measurement; logarithms of scales are parameters."""

    def __init__(self, features: int) -> None:
        self.typical = -0.5 * float(np.log(features))  # makes the distance of two architectures about 1
        self.scales = torch.full((features,), self.typical - 0.5, dtype=torch.float64, requires_grad=True)
        self.amounts = torch.tensor([0.0, -2.0, -3.0], dtype=torch.float64, requires_grad=True)
        """Of Matérn, linear, noise."""

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        """Return covariances of all pairs, ``(N, F), (M, F) → (N, M)``."""
        smooth, linear, _ = self.amounts.exp()
        one, other = one * self.scales.exp(), other * self.scales.exp()
        product = one @ other.T
        squared = one.square().sum(1)[:, None] + other.square().sum(1) - 2 * product
        distance = (3 * squared.clamp(min=0) + 1e-12).sqrt()  # the root has no slope at 0
        return smooth * (1 + distance) * (-distance).exp() + linear * product / one.shape[1]

    def variances(self, x: Tensor) -> Tensor:
        """Return the covariance of each with itself, ``(N, F) → (N,)``."""
        smooth, linear, _ = self.amounts.exp()
        return smooth + linear * (x * self.scales.exp()).square().sum(1) / x.shape[1]

    def noisy(self, x: Tensor) -> Tensor:
        """Return covariances of measurements, ``(N, F) → (N, N)``."""
        return self(x, x) + (self.amounts[2].exp() + JITTER) * torch.eye(len(x), dtype=x.dtype)

    def climb(self, x: Tensor, values: Tensor, steps: int, learning_rate: float) -> None:
        """Go up the marginal likelihood of values, ``(N,)``; a wide normal prior keeps scales from running away."""
        optimizer = torch.optim.Adam([self.scales, self.amounts], learning_rate)
        for _ in range(steps):
            optimizer.zero_grad()
            factor = torch.linalg.cholesky(self.noisy(x))
            fit = values @ torch.cholesky_solve(values.unsqueeze(1), factor).squeeze(1) / 2
            prior = (self.scales - self.typical).square().sum() / 20
            (fit + factor.diagonal().log().sum() + prior).backward()
            optimizer.step()
