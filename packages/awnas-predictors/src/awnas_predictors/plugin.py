"""What awnas-predictors adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, KindSpec, PresetSpec, hookimpl

awnas_api = 1

_COMPONENTS = "awnas_predictors.components"
_LEGACY = "awnas_predictors.legacy"


@hookimpl
def awnas_kinds() -> list[KindSpec]:
    """What predictor-based search asks."""
    return [
        KindSpec(
            name="predictor",
            base="awnas_predictors.predictor:Predictor",
            aliases=("arch_network",),
            summary="What learns from measured architectures what others would reach.",
        ),
    ]


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """What searches with a predictor, then the predictors."""
    return [
        ComponentSpec(
            kind="controller",
            name="predictor-based",
            target="awnas_predictors.controllers.predictor_based:PredictorBasedController",
            legacy=f"{_LEGACY}:predictor_based_options",
            summary="Measures what a predictor of all results holds most promising (BANANAS).",
        ),
        ComponentSpec(
            kind="evaluator",
            name="comparator",
            target="awnas_predictors.evaluators.comparator:ComparatorEvaluator",
            legacy=f"{_LEGACY}:comparator_options",
            summary="Predicts rewards, and learns from an evaluator that measures some.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="batch-update-comparator",
            target="awnas_predictors.evaluators.comparator:BatchUpdateComparatorEvaluator",
            legacy=f"{_LEGACY}:comparator_options",
            summary="Measures one batch of several, learns from it, predicts the others.",
        ),
        ComponentSpec(
            kind="predictor",
            name="gaussian-process",
            target=f"{_COMPONENTS}.gaussian_process:GaussianProcessPredictor",
            summary="A Gaussian process on operation, path and degree counts.",
        ),
        ComponentSpec(
            kind="predictor",
            name="relevance-process",
            target=f"{_COMPONENTS}.gaussian_process:RelevanceProcess",
            summary="A Gaussian process that finds out which features matter.",
        ),
        ComponentSpec(
            kind="predictor",
            name="process-forest",
            target=f"{_COMPONENTS}.process_forest:ProcessForest",
            summary="A Gaussian process that learns what matters, and a forest: the best ranking.",
        ),
        ComponentSpec(
            kind="predictor",
            name="random-forest",
            target=f"{_COMPONENTS}.trees:RandomForestPredictor",
            summary="A random forest on operation, path and degree counts.",
        ),
        ComponentSpec(
            kind="predictor",
            name="boosted-trees",
            target=f"{_COMPONENTS}.trees:BoostedTreesPredictor",
            summary="Gradient boosting on operation, path and degree counts.",
        ),
        ComponentSpec(
            kind="predictor",
            name="pointwise",
            target=f"{_COMPONENTS}.pointwise:PointwiseNetwork",
            aliases=("pointwise-comparator",),
            legacy=f"{_LEGACY}:pointwise_options",
            summary="A score for each embedding: GATES, TA-GATES, GCN, LSTM, plain features.",
        ),
        ComponentSpec(
            kind="predictor",
            name="ensemble",
            target=f"{_COMPONENTS}.ensemble:EnsemblePredictor",
            summary="Several predictors, unsure where they disagree.",
        ),
    ]


@hookimpl
def awnas_presets() -> list[PresetSpec]:
    """A search that predicts more than it measures; others are those of awnas-benchmarks."""
    return [
        PresetSpec(
            name="comparator-digits",
            path="awnas_predictors:presets/comparator-digits.yaml",
            summary="Evolution over what a forest expects of a supernet's cells, on digits.",
            tags=("test",),
        ),
    ]
