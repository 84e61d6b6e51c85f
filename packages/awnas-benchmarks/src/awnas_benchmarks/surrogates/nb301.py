"""Evaluation by the surrogate models of NAS-Bench-301."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from awnas_benchmarks.surrogates.nb301_features import features
from awnas_benchmarks.surrogates.trees import Ensemble
from awnas_benchmarks.tables.catalogue import SUFFIX, own_folder
from awnas_core.errors import ConfigError
from awnas_core.options import PositiveInt
from awnas_core.roles.evaluator import Evaluator
from awnas_core.rollout import Evaluation, Purpose, Rollout
from awnas_spaces.nb301 import Nb301Space

NAME = "nb301"  # converted models are called after it and after what they predict
EPOCHS = 100
ACCURACY = f"cifar10/valid_accuracy@{EPOCHS}"


class Nb301Evaluator(Evaluator):
    """Predicts the accuracy of a cell of the DARTS space after 100 epochs, as an ensemble of boosted trees does.

    Proposals get the mean over the ensemble and noise of its standard deviation, the final choice the mean alone.

    Args:
        path: Name or path of the converted models of accuracy.
        runtime: Name or path of those of training time, which add up to ``seconds``; None for none.
        with_noise: Whether proposals are noisy.
        controller_steps: Controller steps of an epoch that it suggests.

    Source: Zela et al., "Surrogate NAS Benchmarks: Going Beyond the Limited Search Spaces of Tabular NAS Benchmarks",
    ICLR 2022.
    """

    def __init__(
        self,
        search_space: Nb301Space,
        rng: np.random.Generator,
        *,
        path: str = f"{NAME}-accuracy",
        runtime: str | None = None,
        with_noise: bool = True,
        controller_steps: PositiveInt = 100,
    ) -> None:
        self.search_space = search_space
        self.rng = rng
        self.with_noise = with_noise
        self.controller_steps = controller_steps
        self.evaluations, self.seconds = 0, 0.0
        self._accuracy = _loaded(path, "accuracy")
        self._runtime = None if runtime is None else _loaded(runtime, "seconds")

    def evaluate_rollouts(
        self,
        rollouts: Sequence[Rollout],
        purpose: Purpose = Purpose.PROPOSE,
        *,
        gradient: Literal["first", "second"] | None = None,
        steps: int | None = None,
    ) -> list[Rollout]:
        """Record an evaluation on each; ``steps`` mean nothing here.

        Raises: ConfigError when a gradient is wanted: trees have none.
        """
        if gradient is not None:
            raise ConfigError(
                "a surrogate of trees has no gradients; take a controller of discrete architectures"
            )
        rows = np.array([features(self.search_space, rollout.arch) for rollout in rollouts])
        predicted = self._accuracy.predict(rows) / self._accuracy.about["divide"]
        accuracies = predicted.mean(1)
        is_paid = purpose is not Purpose.DERIVE
        if self.with_noise and is_paid:
            accuracies = accuracies + predicted.std(1) * self.rng.standard_normal(len(rollouts))
        seconds = (
            [None] * len(rollouts) if self._runtime is None else self._runtime.predict(rows).mean(1).tolist()
        )
        for rollout, accuracy, time in zip(rollouts, accuracies.tolist(), seconds, strict=True):
            fidelity = {"surrogate": "nb301", "epochs": EPOCHS} | ({} if time is None else {"seconds": time})
            rollout.record(Evaluation(perf={"reward": accuracy, ACCURACY: accuracy}, fidelity=fidelity))
            if is_paid:
                self.evaluations += 1
                self.seconds += time or 0.0
        return list(rollouts)

    def suggested_controller_steps(self) -> int:
        """Return the number given."""
        return self.controller_steps

    def state(self) -> dict[str, Any]:
        """Return what was spent."""
        return {"evaluations": self.evaluations, "seconds": self.seconds}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on spending."""
        self.evaluations, self.seconds = int(state["evaluations"]), float(state["seconds"])


def _loaded(name: str, predicts: str) -> Ensemble:
    """Return a converted ensemble, by name in the folder of own tables or by path.

    Raises: ConfigError when it is missing or predicts something else.
    """
    path = own_folder() / f"{name}{SUFFIX}"
    path = path if path.is_file() else Path(name)
    if not path.is_file():
        raise ConfigError(
            f"no surrogate model '{name}'; make one from the files of NAS-Bench-301 with: awnas bench convert nb301"
        )
    ensemble = Ensemble.load(path)
    if ensemble.about.get("predicts") != predicts:
        raise ConfigError(f"'{name}' predicts {ensemble.about.get('predicts')}, not {predicts}")
    return ensemble
