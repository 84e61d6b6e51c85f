"""The toys as a plugin, for tests that go through the registry: ``awnas --plugin <this file> …``."""

from __future__ import annotations

from awnas_core.plugins.hooks import hookimpl
from awnas_core.plugins.spec import ComponentSpec

awnas_api = 1


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """One ``toy`` of every kind that a search needs."""
    toys = "awnas_core.testing.toys"
    return [
        ComponentSpec(
            kind="search_space",
            name="toy",
            target=f"{toys}:ToySpace",
            rollouts=("discrete", "differentiable"),
            summary="A few independent decisions with a known optimum.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="toy",
            target=f"{toys}:ToyEvaluator",
            rollouts=("discrete", "differentiable"),
            summary="Looks the worth of a toy architecture up.",
        ),
        ComponentSpec(
            kind="controller",
            name="toy",
            target=f"{toys}:ToyController",
            summary="Proposes at random and remembers the best.",
        ),
    ]
