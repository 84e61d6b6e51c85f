"""The core of awnas: roles, rollouts, plugins, configuration, runs and the command line.

Names are imported when first used, so that a plugin's table of contents stays light.
"""

from __future__ import annotations

import importlib
from typing import Any

_EXPORTS = {
    "awnas_core.components": ("Component",),
    "awnas_core.decisions": ("Condition", "Decision", "Decisions"),
    "awnas_core.device": ("Device",),
    "awnas_core.errors": (
        "AwnasError",
        "CheckpointError",
        "ConfigError",
        "DataError",
        "GenotypeError",
        "PluginError",
        "RegistryError",
        "RunError",
        "SpaceExhaustedError",
    ),
    "awnas_core.layers": ("Cost", "LayerSpec", "total_cost"),
    "awnas_core.metrics": ("Accumulator", "Constraint", "Goal", "Mean", "Metric"),
    "awnas_core.options": (
        "Child",
        "Children",
        "Fraction",
        "NonNegativeFloat",
        "NonNegativeInt",
        "PositiveFloat",
        "PositiveInt",
    ),
    "awnas_core.plugins.hooks": ("API_VERSION", "hookimpl"),
    "awnas_core.plugins.local": ("component",),
    "awnas_core.plugins.spec": ("CommandSpec", "ComponentSpec", "KindSpec", "PresetSpec"),
    "awnas_core.roles.controller": ("Controller",),
    "awnas_core.roles.dataset": ("Dataset",),
    "awnas_core.roles.evaluator": ("Evaluator",),
    "awnas_core.roles.final": ("FinalModel", "FinalTrainer"),
    "awnas_core.roles.objective": ("Batch", "Objective"),
    "awnas_core.roles.search_space": ("SearchSpace",),
    "awnas_core.roles.trainer": ("Trainer",),
    "awnas_core.roles.weights_manager": ("WeightsManager",),
    "awnas_core.relaxation": ("Mixture",),
    "awnas_core.rollout": ("Evaluation", "Purpose", "RelaxedRollout", "Rollout"),
    "awnas_core.world": ("World",),
}
_HOME = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605 - every name is resolved by __getattr__


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'awnas_core' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOME]
