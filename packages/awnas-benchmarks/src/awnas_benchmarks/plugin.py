"""What awnas-benchmarks adds to awnas."""

from __future__ import annotations

from awnas_core import CommandSpec, ComponentSpec, PresetSpec, hookimpl

awnas_api = 1

_ALGORITHMS = {
    "random": "Random search",
    "evo": "Regularized evolution",
    "sa": "Simulated annealing",
    "local-search": "Local search",
    "rl": "REINFORCE",
    "predictor": "Bayesian optimization",
    "bananas": "BANANAS",
    "gates": "Search with GATES",
}
_TRIALS = {
    "random": (("evaluator_type=table",),),
    "predictor": (
        ("controller_cfg.predictor_type=relevance-process", "controller_cfg.predictor_cfg={}"),
        ("controller_cfg.predictor_type=process-forest", "controller_cfg.predictor_cfg={trees: 20}"),
        ("controller_cfg.predictor_type=random-forest", "controller_cfg.predictor_cfg={}"),
        (
            "controller_cfg.predictor_type=boosted-trees",
            "controller_cfg.predictor_cfg={}",
            "controller_cfg.acquisition=mean",
        ),
    ),
}
_TABLE = "awnas_benchmarks.evaluator:TableEvaluator"


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Evaluators that train nothing."""
    return [
        ComponentSpec(
            kind="evaluator",
            name="nasbench-101",
            target=_TABLE,
            rollouts=("nasbench-101", "discrete", "differentiable"),
            legacy="awnas_benchmarks.legacy:nasbench101_options",
            summary="Looks cells of NAS-Bench-101 up in a table, once converted.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="nasbench-201",
            target=_TABLE,
            rollouts=("nasbench-201", "discrete", "differentiable"),
            legacy="awnas_benchmarks.legacy:nasbench201_options",
            summary="Looks cells of NAS-Bench-201 up in a table that ships.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="nasbench-macro",
            target=_TABLE,
            rollouts=("nasbench-macro", "discrete"),
            summary="Looks chains of NAS-Bench-Macro up in a table that ships.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="nb301",
            target="awnas_benchmarks.surrogates.nb301:Nb301Evaluator",
            rollouts=("nb301", "discrete", "differentiable"),
            aliases=("nasbench-301",),
            summary="Predicts cells of NAS-Bench-301 by its surrogates, once converted.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="table",
            target=_TABLE,
            summary="Looks architectures of any benchmark's space up in a table.",
        ),
    ]


@hookimpl
def awnas_commands() -> list[CommandSpec]:
    """What is done with tables."""
    return [
        CommandSpec(
            name="bench",
            target="awnas_benchmarks.command:app",
            summary="List, describe, ask and convert tables of benchmarks; compare searches.",
        ),
    ]


@hookimpl
def awnas_presets() -> list[PresetSpec]:
    """Searches that take seconds: every algorithm on the two benchmarks whose tables ship, and others to convert."""
    return [
        PresetSpec(
            name="nb101-evo",
            path="awnas_benchmarks:presets/nb101-evo.yaml",
            summary="Regularized evolution on NAS-Bench-101; convert its table first.",
            tags=("test",),
            trials=tuple((f"search_space_type=nasbench-101-1shot-{number}",) for number in (1, 2, 3)),
        ),
        PresetSpec(
            name="nb301-evo",
            path="awnas_benchmarks:presets/nb301-evo.yaml",
            summary="Regularized evolution on NAS-Bench-301; convert its models first.",
            tags=("test",),
        ),
        PresetSpec(
            name="nb201-comparator",
            path="awnas_benchmarks:presets/nb201-comparator.yaml",
            summary="Evolution over what a predictor expects of NAS-Bench-201.",
            tags=("test",),
        ),
        *(
            PresetSpec(
                name=f"{prefix}-{algorithm}",
                path=f"awnas_benchmarks:presets/{prefix}-{algorithm}.yaml",
                summary=f"{what} on {benchmark}, from its table.",
                tags=("test",),
                trials=_TRIALS.get(algorithm, ()),
            )
            for prefix, benchmark in (("nb201", "NAS-Bench-201"), ("nb-macro", "NAS-Bench-Macro"))
            for algorithm, what in _ALGORITHMS.items()
        ),
    ]
