"""What awnas-spaces adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, hookimpl

awnas_api = 1

CELL_COMPONENTS = (
    ("weights_manager", "supernet"),
    ("weights_manager", "closenet"),
    ("evaluator", "discrete-shared-weights"),
    ("evaluator", "discrete-few-shot-shared-weights"),
    ("evaluator", "mepa"),
)
"""What takes the architectures of every cell space just as it takes those of ``cnn``."""


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Cell spaces and their rollouts."""
    return [
        ComponentSpec(
            kind="search_space",
            name="cnn",
            target="awnas_spaces.cnn:CnnSpace",
            rollouts=("discrete", "differentiable", "compare"),
            summary="Cells of a convolutional network, as in ENAS and DARTS.",
        ),
        ComponentSpec(
            kind="search_space",
            name="rnn",
            target="awnas_spaces.rnn:RnnSpace",
            rollouts=("discrete", "differentiable", "compare"),
            legacy="awnas_spaces.legacy:rnn_options",
            summary="Recurrent cells of a language model, as in ENAS and DARTS.",
        ),
        ComponentSpec(
            kind="search_space",
            name="nasbench-101",
            target="awnas_spaces.nasbench101:NasBench101Space",
            rollouts=("nasbench-101", "discrete"),
            legacy="awnas_spaces.legacy:nasbench101_options",
            summary="Cells of NAS-Bench-101: graphs of seven vertices and nine edges.",
        ),
        *(
            ComponentSpec(
                kind="search_space",
                name=f"nasbench-101-1shot-{number}",
                target=f"awnas_spaces.nasbench101_oneshot:NasBench101OneShot{number}",
                rollouts=("nasbench-101", "discrete", "differentiable"),
                legacy="awnas_spaces.legacy:oneshot_options",
                summary=f"Sub-space {number} of NAS-Bench-101 that one supernet holds.",
            )
            for number in (1, 2, 3)
        ),
        ComponentSpec(
            kind="search_space",
            name="nasbench-201",
            target="awnas_spaces.nasbench201:NasBench201Space",
            rollouts=("nasbench-201", "nasbench-201-differentiable", "discrete", "differentiable"),
            aliases=("nasbench-201-flops-constrained",),
            legacy="awnas_spaces.legacy:nasbench201_options",
            summary="Cells of NAS-Bench-201: an operation on each edge of four nodes.",
        ),
        ComponentSpec(
            kind="search_space",
            name="nasbench-macro",
            target="awnas_spaces.nasbench_macro:NasBenchMacroSpace",
            rollouts=("nasbench-macro", "discrete"),
            summary="Chains of NAS-Bench-Macro: eight blocks out of three.",
        ),
        ComponentSpec(
            kind="search_space",
            name="enas",
            target="awnas_spaces.enas:EnasSpace",
            rollouts=("enas", "discrete", "differentiable", "compare"),
            summary="Cells of five nodes with loose ends: the ENAS paper's size.",
        ),
        ComponentSpec(
            kind="search_space",
            name="nb301",
            target="awnas_spaces.nb301:Nb301Space",
            rollouts=("nb301", "differentiable", "compare"),
            aliases=("nasbench-301",),
            summary="Cells of DARTS and NAS-Bench-301: no double edges, no none.",
        ),
        ComponentSpec(
            kind="search_space",
            name="ensemble",
            target="awnas_spaces.ensemble:EnsembleSpace",
            rollouts=("ensemble",),
            summary="Several architectures of another space, measured as one.",
        ),
        ComponentSpec(
            kind="search_space",
            name="general",
            target="awnas_spaces.general:GeneralSpace",
            rollouts=("general",),
            summary="Any sequence of primitives; given, not sampled.",
        ),
        ComponentSpec(
            kind="rollout",
            name="enas",
            target="awnas_core.rollout:Rollout",
            supports=CELL_COMPONENTS,
            summary="One architecture of the ENAS paper's space.",
        ),
        ComponentSpec(
            kind="rollout",
            name="nb301",
            target="awnas_core.rollout:Rollout",
            aliases=("nasbench-301",),
            supports=CELL_COMPONENTS,
            summary="One architecture of the space of NAS-Bench-301.",
        ),
        ComponentSpec(
            kind="rollout",
            name="nasbench-101",
            target="awnas_core.rollout:Rollout",
            supports=(("controller", "rl"),),
            summary="One cell of NAS-Bench-101.",
        ),
        ComponentSpec(
            kind="rollout",
            name="nasbench-201",
            target="awnas_core.rollout:Rollout",
            supports=(("controller", "rl"), ("evaluator", "discrete-shared-weights"), ("evaluator", "mepa")),
            summary="One cell of NAS-Bench-201.",
        ),
        ComponentSpec(
            kind="rollout",
            name="nasbench-201-differentiable",
            target="awnas_core.rollout:RelaxedRollout",
            supports=(
                ("controller", "differentiable"),
                ("evaluator", "differentiable-shared-weights"),
                ("evaluator", "mepa"),
            ),
            summary="A mixture of the operations of NAS-Bench-201 on every edge.",
        ),
        ComponentSpec(
            kind="rollout",
            name="nasbench-macro",
            target="awnas_core.rollout:Rollout",
            supports=(("controller", "rl"),),
            summary="One chain of NAS-Bench-Macro.",
        ),
        ComponentSpec(
            kind="rollout",
            name="ensemble",
            target="awnas_spaces.ensemble:EnsembleRollout",
            supports=(("evaluator", "discrete-shared-weights"), ("evaluator", "mepa")),
            summary="Architectures that answer together.",
        ),
        ComponentSpec(
            kind="rollout",
            name="general",
            target="awnas_core.rollout:Rollout",
            summary="A sequence of primitives.",
        ),
    ]
