"""Fitting a cost model and saying how far it is off on networks it has not seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from awnas_core.errors import ConfigError
from awnas_hardware.accuracy import Accuracy
from awnas_hardware.model_file import DeviceModel
from awnas_hardware.models.additive import SumModel
from awnas_hardware.models.base import CostModel, Matrix, Sample
from awnas_hardware.models.catalogue import MODELS, model_class
from awnas_hardware.vocabulary import Vocabulary

FOLDS = 5
UNITS = {"latency_ms": "ms", "energy_mj": "mJ"}


def fit_model(
    kind: str,
    vocabulary: Vocabulary,
    sample: Sample,
    *,
    metric: str = "latency_ms",
    device: dict[str, Any] | None = None,
    **training: Any,
) -> tuple[DeviceModel, dict[str, Accuracy]]:
    """Return a model fitted on all of a sample, and how good it and others are on networks left out.

    Args:
        kind: Kind of the model; ``"auto"`` takes the one with the least root mean square of relative errors.
        vocabulary: The primitives of the sample.
        sample: The networks.
        metric: What is predicted.
        device: What is known of the device.
        training: What else the file says about the measurements.
    """
    judged = held_out(_possible(sample) if kind == "auto" else [model_class(kind)], sample)
    chosen = min((name for name in judged if name in MODELS), key=lambda name: judged[name].rrmse)
    if kind != "auto":
        chosen = kind
    model = DeviceModel(
        model=model_class(chosen).fit(sample),
        vocabulary=vocabulary,
        metric=metric,
        unit=UNITS.get(metric, ""),
        device=device or {},
        training={"networks": len(sample.costs), **training},
        errors={name: accuracy.to_record() for name, accuracy in judged.items()},
    )
    return model, judged


def _possible(sample: Sample) -> list[type[CostModel]]:
    has_parts = not np.isnan(sample.parts).any()
    return [model for model in MODELS.values() if has_parts or not model.needs_parts]


def held_out(kinds: Iterable[type[CostModel]], sample: Sample, seed: int = 0) -> dict[str, Accuracy]:
    """Return how good kinds of model are on networks that were left out while they were fitted, in five folds.

    A constant and, where primitives were measured by themselves, their naive sum stand beside them.

    Raises: ConfigError when there are too few networks to leave any out.
    """
    n = len(sample.costs)
    if n < 2 * FOLDS:
        raise ConfigError(f"a model is judged on at least {2 * FOLDS} networks, got {n}; measure more")
    folds = np.array_split(np.random.default_rng(seed).permutation(n), FOLDS)
    models: dict[str, Any] = {model.kind: model.fit for model in kinds}
    models["constant"] = _Constant
    if not np.isnan(sample.parts).any():
        models.setdefault(SumModel.kind, SumModel.fit)
    return {name: Accuracy.of(_predictions(fit, sample, folds), sample.costs) for name, fit in models.items()}


def _predictions(fit: Any, sample: Sample, folds: list[Any]) -> Matrix:
    predicted = np.empty(len(sample.costs))
    for fold in folds:
        others = np.setdiff1d(np.arange(len(predicted)), fold)
        predicted[fold] = fit(sample.take(others)).predict(sample.counts[fold])
    return predicted


class _Constant:
    """Says the same of every network."""

    def __init__(self, sample: Sample) -> None:
        self.level = float(sample.costs.mean())

    def predict(self, counts: Matrix) -> Matrix:
        return np.full(len(counts), self.level)
