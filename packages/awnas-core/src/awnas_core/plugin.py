"""What awnas-core itself adds to awnas: the kinds, the rollout and the search loop."""

from __future__ import annotations

from awnas_core import ComponentSpec, KindSpec, hookimpl

awnas_api = 1


@hookimpl
def awnas_kinds() -> list[KindSpec]:
    """The roles of a search, and of training what it found."""
    roles = "awnas_core.roles"
    return [
        KindSpec(
            name="search_space",
            base=f"{roles}.search_space:SearchSpace",
            summary="Which architectures exist.",
        ),
        KindSpec(
            name="rollout", base="awnas_core.rollout:Rollout", summary="How one architecture is encoded."
        ),
        KindSpec(
            name="dataset",
            base=f"{roles}.dataset:Dataset",
            provides=("num_classes", "num_tokens", "input_shape"),
            summary="The data.",
        ),
        KindSpec(name="objective", base=f"{roles}.objective:Objective", summary="What is good."),
        KindSpec(
            name="weights_manager",
            base=f"{roles}.weights_manager:WeightsManager",
            summary="Which weights an architecture gets.",
        ),
        KindSpec(name="controller", base=f"{roles}.controller:Controller", summary="What to look at next."),
        KindSpec(
            name="evaluator", base=f"{roles}.evaluator:Evaluator", summary="How good an architecture is."
        ),
        KindSpec(name="trainer", base=f"{roles}.trainer:Trainer", summary="The order of a search."),
        KindSpec(name="final_model", base=f"{roles}.final:FinalModel", summary="A network of one genotype."),
        KindSpec(name="final_trainer", base=f"{roles}.final:FinalTrainer", summary="Trains a final model."),
        KindSpec(
            name="optimizer",
            base="torch.optim:Optimizer",
            library="torch.optim",
            summary="Moves parameters by their gradients; all of torch by name.",
        ),
        KindSpec(
            name="lr_scheduler",
            base="torch.optim.lr_scheduler:LRScheduler",
            library="torch.optim.lr_scheduler",
            summary="Learning rate by step; all of torch by name.",
        ),
    ]


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """What needs no algorithm and no torch."""
    return [
        ComponentSpec(
            kind="rollout",
            name="discrete",
            target="awnas_core.rollout:Rollout",
            summary="One choice for every decision.",
        ),
        ComponentSpec(
            kind="rollout",
            name="differentiable",
            target="awnas_core.rollout:RelaxedRollout",
            summary="Weights over the choices of every decision, for gradients.",
        ),
        ComponentSpec(
            kind="rollout",
            name="compare",
            target="awnas_core.pairs:CompareRollout",
            supports=(
                ("weights_manager", "supernet"),
                ("weights_manager", "closenet"),
                ("evaluator", "discrete-shared-weights"),
                ("evaluator", "mepa"),
            ),
            summary="Two architectures, to be told which is better.",
        ),
        ComponentSpec(
            kind="trainer",
            name="simple",
            target="awnas_core.search.loop:SimpleTrainer",
            legacy="awnas_core.search.legacy:simple",
            summary="Alternates evaluator and controller steps, epoch by epoch.",
        ),
    ]
