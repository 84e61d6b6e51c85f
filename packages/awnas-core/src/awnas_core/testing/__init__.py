"""What plugin authors test with: contracts to inherit, and toy components with known answers.

A contract is a class of tests for one role. Inherit it in a test file, say how the component is made, and pytest runs
every promise that awnas relies on::

    from awnas_core.testing import ControllerContract

    class TestMySearch(ControllerContract):
        component = MySearch            # or its name in the registry
        cfg = {"population": 10}        # options, where the defaults will not do
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

_EXPORTS = {
    "ComponentContract": "component",
    "ControllerContract": "controller",
    "DatasetContract": "dataset",
    "EvaluatorContract": "evaluator",
    "ObjectiveContract": "objective",
    "SearchSpaceContract": "search_space",
    "WeightsManagerContract": "weights_manager",
    "build": "making",
    "same": "compare",
}

__all__ = sorted(_EXPORTS)  # noqa: PLE0605 - every name is resolved by __getattr__

if "pytest" in sys.modules:  # so that a failing promise shows its values
    sys.modules["pytest"].register_assert_rewrite(*{f"{__name__}.{module}" for module in _EXPORTS.values()})


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'awnas_core.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
