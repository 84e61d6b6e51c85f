"""Surrogate models of NAS-Bench-301 from the published folders: ``xgb_v1.0`` of accuracy, ``lgb_runtime_v1.0`` of time.

Ensembles of graph networks (``gnn_gin``) are not converted: they need torch and its geometric extensions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from awnas_benchmarks.convert.pickles import Foreign, read_pickle
from awnas_benchmarks.surrogates import lightgbm_model, xgboost_model
from awnas_benchmarks.surrogates.nb301 import NAME
from awnas_benchmarks.surrogates.trees import Ensemble, Trees
from awnas_core.errors import DataError

MODEL, CONFIG = "surrogate_model.model", "model_config.json"
BOOSTERS = {("xgboost.core", "Booster"): Foreign, ("lightgbm.basic", "Booster"): Foreign}


def default_name(source: Path) -> str:
    """Return how the models in a folder are called by default: ``nb301-accuracy`` or ``nb301-seconds``.

    Raises: DataError when it holds none.
    """
    return f"{NAME}-{_predicts(_kind(_models(source)[0].with_name(CONFIG)))}"


def convert(source: Path, target: Path) -> None:
    """Write the ensemble whose members are the folders below ``source`` that hold a model.

    Raises: DataError naming the member at fault.
    """
    paths = _models(source)
    kinds = {_kind(path.with_name(CONFIG)) for path in paths}
    kind = kinds.pop()
    if kinds or kind.partition("_")[0] not in _READERS:
        raise DataError(
            f"'{source}' holds models of the kind {kind}; those of xgb or of lgb, all alike, are read"
        )
    members = [_member(path, _READERS[kind.partition("_")[0]]) for path in paths]
    predicts = _predicts(kind)
    ensemble = Ensemble(
        [trees for trees, _ in members],
        [base for _, base in members],
        is_single=kind.startswith("xgb"),
        about={
            "benchmark": NAME,
            "predicts": predicts,
            "divide": 100.0 if predicts == "accuracy" else 1.0,
        },
    )
    ensemble.save(target)


def _models(source: Path) -> list[Path]:
    paths = sorted(source.rglob(MODEL))
    if not paths:
        raise DataError(f"'{source}' holds no {MODEL}; give a folder such as xgb_v1.0")
    return paths


def _predicts(kind: str) -> str:
    return "seconds" if kind.endswith("time") else "accuracy"


def _kind(config: Path) -> str:
    try:
        return str(json.loads(config.read_text(encoding="utf-8"))["model"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"'{config}' must say which model this is: {error!r}") from error


def _member(path: Path, read: Callable[[dict[str, Any]], tuple[Trees, float]]) -> tuple[Trees, float]:
    booster = read_pickle(path, BOOSTERS)
    if not isinstance(booster, Foreign):
        raise DataError(f"'{path}' holds no booster")
    try:
        return read(vars(booster))
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise DataError(f"'{path}': {error}") from error


def _xgboost(state: dict[str, Any]) -> tuple[Trees, float]:
    return xgboost_model.read_booster(bytes(state["handle"]))


def _lightgbm(state: dict[str, Any]) -> tuple[Trees, float]:
    return lightgbm_model.read_booster(state["handle"], int(state["best_iteration"])), 0.0


_READERS = {"xgb": _xgboost, "lgb": _lightgbm}
