"""Evaluation by a predictor that learns from a guide which measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from awnas_core.errors import CheckpointError, ConfigError, GenotypeError
from awnas_core.options import Child, PositiveInt
from awnas_core.pairs import takes_pairs
from awnas_core.roles.controller import Controller
from awnas_core.roles.evaluator import Evaluator
from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Evaluation, Purpose, Rollout
from awnas_predictors.predictor import Predictor


class ComparatorEvaluator(Evaluator):
    """Tells a controller what a predictor expects; the predictor learns from a guide evaluator.

    In each of its own steps the guide takes a step of its own and measures architectures that the controller would
    train weights on, or pairs of them; the predictor is fitted anew to all that was ever measured. Before the first of
    them, and for the final choice, the guide itself is asked. Of a pair both members are predicted and compared.

    Args:
        guide_evaluator: Measures architectures.
        predictor: Learns from its rewards.
        guide_batch_size: Architectures that are measured in one step.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        *,
        guide_evaluator: Evaluator = Child("evaluator"),
        predictor: Predictor = Child("predictor", "pointwise"),
        guide_batch_size: PositiveInt = 16,
    ) -> None:
        self.search_space = search_space
        self.rng = rng
        self.guide = guide_evaluator
        self.predictor = predictor
        self.guide_batch_size = guide_batch_size
        self._codes = np.empty((0, len(search_space.decisions)), dtype=np.int64)  # of what was measured
        self._rewards = np.empty(0)
        self._seed: int | None = None  # of the last fit; None before it

    @takes_pairs
    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Record what is expected of each, or what the guide measures.

        Raises: ConfigError when a gradient is wanted: a predictor has none.
        """
        if gradient is not None:
            raise ConfigError("a predictor has no gradients; take a controller of discrete architectures")
        if not rollouts or self._asks_guide(purpose):
            return self.guide.evaluate_rollouts(rollouts, purpose, steps=steps)
        prediction = self.predictor.predict(self.search_space.encode_codes(rollouts))
        rewards = zip(rollouts, prediction.mean.tolist(), prediction.deviation.tolist(), strict=True)
        for rollout, reward, deviation in rewards:
            perf = {"reward": reward, "deviation": deviation}
            fidelity = {"predicted_from": len(self._rewards)}
            rollout.record(Evaluation(perf=perf, fidelity=fidelity))
        return list(rollouts)

    def update_evaluator(self, controller: Controller) -> dict[str, float]:
        """Let the guide take a step and measure a batch, and learn from that."""
        stats = self.guide.update_evaluator(controller)
        rollouts = controller.sample(self.guide_batch_size, Purpose.TRAIN_WEIGHTS)
        self.guide.evaluate_rollouts(rollouts)
        self.learn(rollouts)
        return {**stats, "measured": float(len(self._rewards))}

    def learn(self, rollouts: Sequence[Rollout]) -> None:
        """Add architectures that went well to what was measured, and fit the predictor anew."""
        good = [rollout for rollout in rollouts if rollout.status == "ok" and rollout.reward is not None]
        if good:
            self._codes = np.concatenate([self._codes, self.search_space.encode_codes(good)])
            self._rewards = np.append(self._rewards, [rollout.perf["reward"] for rollout in good])
            self._seed = int(self.rng.integers(2**32))
            self._fit()

    def suggested_controller_steps(self) -> int | None:
        """Return what the guide suggests."""
        return self.guide.suggested_controller_steps()

    def suggested_evaluator_steps(self) -> int | None:
        """Return what the guide suggests, or 1."""
        return self.guide.suggested_evaluator_steps() or 1

    def queue_indices(self) -> dict[str, list[int]]:
        """Return those of the guide."""
        return self.guide.queue_indices()

    def state(self) -> dict[str, Any]:
        """Return what was measured, what the predictor was fitted with, and the state of the guide."""
        return {
            "codes": self._codes,
            "rewards": self._rewards,
            "seed": self._seed,
            "guide": self.guide.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises: CheckpointError when it is of another search space.
        """
        self.guide.load_state(state["guide"])
        codes, self._rewards, self._seed = state["codes"], state["rewards"], state["seed"]
        if self._seed is None:
            return
        try:
            self.search_space.decisions.check_codes(codes)
        except GenotypeError as error:
            raise CheckpointError(f"the state is of another search space: {error}") from error
        self._codes = codes
        self._fit()

    def _asks_guide(self, purpose: Purpose) -> bool:
        return self._seed is None or purpose is Purpose.DERIVE

    def _fit(self) -> None:
        self.predictor.fit(self._codes, self._rewards, np.random.default_rng(self._seed))


class BatchUpdateComparatorEvaluator(ComparatorEvaluator):
    """Measures some of the batches that a controller proposes, learns from these, and predicts the others.

    It measures nothing on its own: every so many batches one is measured by the guide, the first among them.

    Args:
        measure_every: Of so many batches one is measured.
        options: Of :class:`ComparatorEvaluator`.
    """

    def __init__(
        self,
        search_space: SearchSpace,
        rng: np.random.Generator,
        *,
        measure_every: PositiveInt = 4,
        **options: Any,
    ) -> None:
        super().__init__(search_space, rng, **options)
        self.measure_every = measure_every
        self._batches = 0

    def update_evaluator(self, controller: Controller) -> dict[str, float]:
        """Let the guide take a step."""
        return self.guide.update_evaluator(controller)

    def observe(self, rollouts: Sequence[Rollout]) -> None:
        """Learn from a batch that was measured."""
        if self._is_measured():
            self.learn(rollouts)
        self._batches += 1

    def state(self) -> dict[str, Any]:
        """Return the number of batches besides."""
        return super().state() | {"batches": self._batches}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        super().load_state(state)
        self._batches = int(state["batches"])

    def _is_measured(self) -> bool:
        return self._batches % self.measure_every == 0

    def _asks_guide(self, purpose: Purpose) -> bool:
        return super()._asks_guide(purpose) or self._is_measured()
