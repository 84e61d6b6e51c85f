"""Search with a predictor: measure what it holds most promising, and let it learn from that."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from awnas_controllers.comparing import SingleGoal
from awnas_controllers.results import Result, packed, unpacked
from awnas_core.errors import ConfigError
from awnas_core.metrics import Constraint
from awnas_core.options import Child, NonNegativeFloat, NonNegativeInt, PositiveInt
from awnas_core.roles.controller import Controller
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Arch, Evaluation, Rollout
from awnas_predictors.controllers.acquisition import ACQUISITIONS, AcquisitionName
from awnas_predictors.predictor import Predictor

TRIES = 20
"""Times that random architectures are drawn again before known ones are proposed once more."""
INNER = {"population_size": 20, "parent_pool_size": 5, "elimination_strategy": "perf"}


class PredictorBasedController(SingleGoal):
    """Proposes the architectures that are worth most by a predictor of what was measured so far.

    The first proposals are random. Then the predictor is fitted to all results, and an inner controller searches the
    space by what the acquisition function says of the predictor's answers; it is told of the best architectures so far
    and of random ones before it begins. Of all that were looked at, those with the largest values are proposed; none
    is proposed twice while there are others.

    Args:
        predictor: Learns from results.
        acquisition: What makes an architecture worth measuring: its expected value (``mean``), that and some deviations
            (``ucb``), the expected improvement over the best (``ei``), or a draw from what it may be worth
            (``thompson``).
        exploration: Deviations that ``ucb`` adds.
        init_samples: Results that come in before the predictor is asked.
        refit_every: Results after which the predictor is fitted anew.
        elite: Best architectures so far that an inner search begins from.
        random_candidates: Random architectures that it begins from besides.
        inner_controller: Searches by acquisition values; a new one for each proposal.
        inner_steps: Steps of an inner search.
        inner_samples: Architectures in one of them.

    Source: White et al., "BANANAS", AAAI 2021, Algorithm 1; Ning et al., "A Generic Graph-based Neural Architecture
    Encoding Scheme for Predictor-based NAS", ECCV 2020, Algorithm 1.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        constraints: tuple[Constraint, ...] = (),
        *,
        predictor: Predictor = Child("predictor", "gaussian-process"),
        acquisition: AcquisitionName = "ei",
        exploration: NonNegativeFloat = 1.0,
        init_samples: PositiveInt = 10,
        refit_every: PositiveInt = 1,
        elite: NonNegativeInt = 10,
        random_candidates: NonNegativeInt = 200,
        inner_controller: Callable[..., Controller] = Child("controller", "evo", INNER, deferred=True),
        inner_steps: NonNegativeInt = 4,
        inner_samples: PositiveInt = 100,
    ) -> None:
        super().__init__(search_space, rng, constraints=constraints)
        if acquisition != "mean" and not predictor.knows_deviation:
            raise ConfigError(
                f"acquisition '{acquisition}' needs a predictor that knows how sure it is, which "
                f"{type(predictor).__name__} does not; make it the member of an ensemble, or take acquisition: mean"
            )
        self.predictor = predictor
        self.acquisition = ACQUISITIONS[acquisition]
        self.exploration = exploration
        self.init_samples = init_samples
        self.refit_every = refit_every
        self.elite = elite
        self.random_candidates = random_candidates
        self.inner_controller = inner_controller
        self.inner_steps = inner_steps
        self.inner_samples = inner_samples
        self.results: list[Result] = []
        self._known: dict[Arch, None] = {}  # proposed, or reported by anyone
        self._fit = (0, 0)  # results that the predictor learnt from, and the seed it learnt with
        self._is_fitted = False

    def propose(self, n: int) -> list[Rollout]:
        """Return the ``n`` most promising architectures; random ones while there are few results."""
        chosen: list[Arch] = []
        if len(self.results) >= self.init_samples:
            self._refit()
            values = self._searched()
            fresh = (arch for arch in values if arch not in self._known)
            chosen = heapq.nlargest(n, fresh, key=values.__getitem__)
        self._known.update(dict.fromkeys(chosen))
        return [*map(self.search_space.rollout, chosen), *self._random(n - len(chosen))]

    def learn(self, results: list[Result]) -> None:
        """Remember results; the predictor learns when it is asked next."""
        super().learn(results)
        self._known.update(dict.fromkeys(result.arch for result in results))
        self.results += [result for result in results if not result.violation]

    def statistics(self) -> dict[str, float]:
        """Return how many results the predictor has learnt from."""
        return {"fitted_to": float(self._fit[0])}

    def state(self) -> dict[str, Any]:
        """Return all results, what is known, and what the predictor was fitted with: that makes it again."""
        return super().state() | {
            "results": packed(self.results),
            "known": np.array(list(self._known), dtype=np.int64),
            "fit": list(self._fit),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of another search space.
        """
        super().load_state(state)
        self.results = unpacked(state["results"], self.search_space, 1)
        self._known = dict.fromkeys(map(tuple, state["known"].tolist()))
        count, seed = state["fit"]
        self._fit, self._is_fitted = (int(count), int(seed)), False

    def _refit(self) -> None:
        """Fit the predictor when enough results came in, or when a resumed search lacks it."""
        count, _ = self._fit
        if not count or len(self.results) - count >= self.refit_every:
            self._fit, self._is_fitted = (len(self.results), int(self.rng.integers(2**32))), False
        if not self._is_fitted:
            count, seed = self._fit
            targets = np.array([result.gains[0] for result in self.results[:count]])
            self.predictor.fit(self._codes(self.results[:count]), targets, np.random.default_rng(seed))
            self._is_fitted = True

    def _searched(self) -> dict[Arch, float]:
        """Return the acquisition value of every architecture that the inner search looked at."""
        best = float(self.predictor.predict(self._codes(self.results)).mean.max())
        values: dict[Arch, float] = {}

        def worth(rollouts: list[Rollout]) -> list[Rollout]:
            new = list(dict.fromkeys(rollout.arch for rollout in rollouts if rollout.arch not in values))
            if new:
                prediction = self.predictor.predict(np.array(new, dtype=np.int64))
                found = self.acquisition(prediction, best, self.rng, self.exploration)
                values.update(zip(new, found.tolist(), strict=True))
            return [rollout.record(Evaluation(perf={"reward": values[rollout.arch]})) for rollout in rollouts]

        inner = self.inner_controller(rng=self.rng, goals=(), constraints=())
        elite = [self.search_space.rollout(result.arch) for result in self.hall.best(self.elite)]
        start = [*elite, *self.search_space.random_samples(self.random_candidates, self.rng)]
        if start:
            inner.step(worth(start))
        for _ in range(self.inner_steps):
            inner.step(worth(inner.sample(self.inner_samples)))
        return values

    def _random(self, n: int) -> list[Rollout]:
        """Return random architectures, new ones as long as some are found."""
        found: list[Rollout] = []
        for attempt in range(TRIES if n else 0):
            for rollout in self.search_space.random_samples(n - len(found), self.rng):
                if rollout.arch not in self._known or attempt == TRIES - 1:
                    self._known[rollout.arch] = None
                    found.append(rollout)
            if len(found) == n:
                break
        return found

    def _codes(self, results: list[Result]) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array([result.arch for result in results], dtype=np.int64)
