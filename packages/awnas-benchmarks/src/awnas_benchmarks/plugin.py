"""What awnas-benchmarks adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, PresetSpec, hookimpl

awnas_api = 1

_TABLE = "awnas_benchmarks.evaluator:TableEvaluator"


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Evaluators that train nothing."""
    return [
        ComponentSpec(
            kind="evaluator",
            name="nasbench-201",
            target=_TABLE,
            rollouts=("discrete", "differentiable"),
            summary="Looks cells of NAS-Bench-201 up in a table.",
        ),
    ]


@hookimpl
def awnas_presets() -> list[PresetSpec]:
    """Searches that take seconds."""
    return [
        PresetSpec(
            name="nb201-random",
            path="awnas_benchmarks:presets/nb201-random.yaml",
            summary="Random search on NAS-Bench-201, 100 cells.",
            tags=("test",),
        ),
    ]
