"""The distributions of awnas itself, and which component comes with which."""

from __future__ import annotations

from awnas_core.plugins.spec import fold

OFFICIAL: dict[str, dict[str, tuple[str, ...]]] = {
    "awnas-core": {"rollout": ("discrete", "differentiable", "compare"), "trainer": ("simple",)},
    "awnas-torch": {},
    "awnas-spaces": {
        "search_space": (
            "cnn",
            "rnn",
            "enas",
            "nb301",
            "ensemble",
            "general",
            "nasbench-101",
            "nasbench-101-1shot-1",
            "nasbench-101-1shot-2",
            "nasbench-101-1shot-3",
            "nasbench-201",
            "nasbench-macro",
        ),
        "rollout": (
            "enas",
            "nb301",
            "ensemble",
            "general",
            "nasbench-101",
            "nasbench-201",
            "nasbench-201-differentiable",
            "nasbench-macro",
        ),
    },
    "awnas-controllers": {
        "controller": (
            "rl",
            "random-sample",
            "pairs",
            "differentiable",
            "file-sampler",
            "rejection-sample",
            "local-search",
            "sa",
            "evo",
            "pareto-evo",
            "cars",
        ),
        "rejector": ("canonical-table",),
        "controller_network": ("embed-lstm", "anchor-lstm", "independent"),
        "rl_agent": ("pg", "ppo"),
    },
    "awnas-networks": {
        "weights_manager": (
            *("supernet", "diff-supernet", "closenet", "ensemble"),
            *("nasbench-201-supernet", "nasbench-201-diff-supernet"),
        ),
        "final_model": (
            *("cnn-final-model", "general-final-model"),
            *("nasbench-101-final-model", "nasbench-201-final-model", "nasbench-macro-final-model"),
        ),
    },
    "awnas-training": {
        "dataset": (
            *("digits", "cifar10", "cifar100", "svhn", "fashion-mnist", "sign-digits"),
            *("image-arrays", "image-folder", "imagenet", "imagenet-downsample", "tiny-imagenet"),
            *("few-shot", "miniimagenet"),
        ),
        "objective": ("classification", "classification-with-flops-reg", "flops", "container", "zero-shot"),
        "evaluator": (
            *("discrete-shared-weights", "differentiable-shared-weights", "mepa"),
            *("discrete-few-shot-shared-weights", "differentiable-few-shot-shared-weights"),
            *("tune", "zero-cost"),
        ),
        "trainer": ("meta",),
        "final_trainer": ("cnn-trainer",),
    },
    "awnas-benchmarks": {"evaluator": ("nasbench-101", "nasbench-201", "nasbench-macro", "nb301", "table")},
    "awnas-germ": {
        "search_space": ("germ",),
        "weights_manager": ("germ",),
        "final_model": ("germ-final-model",),
        "germ_network": (
            "mobilenet-v2",
            "shufflenet-v2",
            "mobiledet",
            "nasbench-201",
            "nds-resnet",
            "nds-resnext",
            "vision-transformer",
        ),
    },
    "awnas-hardware": {"objective": ("hardware",)},
    "awnas-predictors": {
        "controller": ("predictor-based",),
        "evaluator": ("comparator", "batch-update-comparator"),
        "predictor": (
            *("gaussian-process", "relevance-process", "process-forest", "random-forest", "boosted-trees"),
            *("pointwise", "ensemble"),
        ),
    },
    "awnas-text": {
        "dataset": ("shakespeare", "text-file", "ptb"),
        "weights_manager": ("rnn-supernet", "rnn-diff-supernet"),
        "objective": ("language",),
        "final_model": ("rnn-model",),
        "final_trainer": ("rnn-trainer",),
    },
    "awnas": {},
}
"""Distribution → kind → names. A test compares it with what the packages declare."""


def home_of(kind: str, name: str) -> str | None:
    """Return the official distribution that offers the component, None when none does."""
    for distribution, kinds in OFFICIAL.items():
        if fold(name) in kinds.get(kind, ()):
            return distribution
    return None
