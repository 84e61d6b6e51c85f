"""What awnas-training adds to awnas."""

from __future__ import annotations

from awnas_core import CommandSpec, ComponentSpec, PresetSpec, hookimpl
from awnas_training import trials

awnas_api = 1

_FEW_SHOT = "awnas_training.few_shot"
IMAGES = {
    "digits": ("digits:Digits", "8×8 handwritten digits from scikit-learn; no download."),
    "cifar10": ("stored:Cifar10", "CIFAR-10: 32×32 colour images, 10 classes."),
    "cifar100": ("stored:Cifar100", "CIFAR-100: 32×32 colour images, 100 classes."),
    "svhn": ("stored:Svhn", "Street view house numbers, 32×32."),
    "fashion-mnist": ("stored:FashionMnist", "Grey images of clothing, 28×28."),
    "sign-digits": ("arrays:SignDigits", "Hands that show a digit, 32×32, held out by student."),
    "image-arrays": ("arrays:ImageArrays", "Images of your own in an .npz file of arrays."),
    "image-folder": ("image_folder:ImageFolder", "Images of your own, a folder for each class."),
    "imagenet": ("imagenet:ImageNet", "ImageNet, or some of its classes."),
    "imagenet-downsample": ("downsampled:ImageNetDownsample", "ImageNet in thumbnails; ImageNet16-120."),
    "tiny-imagenet": ("imagenet:TinyImageNet", "200 classes of ImageNet at 64×64."),
}
SEARCHES = {
    "enas": ("ENAS on the 8×8 digits, in minutes.", trials.ENAS_DIGITS),
    "darts": ("DARTS, first order, on the digits.", trials.DARTS_DIGITS),
    "darts2": ("DARTS, second order, on the digits.", trials.GRADIENT_DIGITS),
    "snas": ("SNAS, Gumbel-softmax, on the digits.", trials.SNAS_DIGITS),
    "gdas": ("GDAS, one operation at a time, on the digits.", trials.GRADIENT_DIGITS),
    "pc-darts": ("PC-DARTS, partial channels and edge weights, on the digits.", trials.GRADIENT_DIGITS),
    "evo": ("Regularized evolution over a trained supernet, on the digits.", trials.EVO_DIGITS),
    "sa": ("Simulated annealing over a trained supernet, on the digits.", trials.SA_DIGITS),
    "local-search": ("Local search over a trained supernet, on the digits.", trials.LOCAL_SEARCH_DIGITS),
    "ensemble": (
        "Evolution over pairs of cells that answer together, on the digits.",
        trials.ENSEMBLE_DIGITS,
    ),
    "pareto-evo": (
        "Accuracy against FLOPs over a trained supernet, on the digits.",
        trials.PARETO_EVO_DIGITS,
    ),
    "tnas": ("Weights and architecture that learn three new digits from five examples.", trials.TNAS_DIGITS),
    "asha": (
        "Evolution over networks that are really trained, the promising ones longer.",
        trials.ASHA_DIGITS,
    ),
    "closenet": ("CLOSE: weights that are shared less and less, on the digits.", trials.CLOSENET_DIGITS),
    "nb201-darts": ("DARTS in the space of NAS-Bench-201, on the digits.", trials.NB201_DIGITS),
    "nb201-gdas": ("GDAS in the space of NAS-Bench-201, on the digits.", trials.NB201_DIGITS),
    "nb201-enas": ("ENAS in the space of NAS-Bench-201, on the digits.", trials.NB201_DIGITS),
    "nb201-zero-shot": ("A vote of zero-cost proxies, nothing is trained.", trials.NB201_ZERO_SHOT_DIGITS),
    "cars": ("A population that evolves together with its supernet, on the digits.", trials.CARS_DIGITS),
}
"""Searches on the digits: ``<name>-digits`` → summary, and the runs that tests make of it."""


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Data sets, objectives, evaluators and final trainers."""
    datasets = [
        ComponentSpec(
            kind="dataset",
            name=name,
            target=f"awnas_training.datasets.{target}",
            data_types=("image",),
            summary=summary,
        )
        for name, (target, summary) in IMAGES.items()
    ]
    return [
        *datasets,
        ComponentSpec(
            kind="objective",
            name="classification",
            target="awnas_training.objectives.classification:ClassificationObjective",
            data_types=("image", "episodes"),
            legacy="awnas_training.objectives.legacy:classification",
            summary="Cross-entropy to train on, accuracy to search by.",
        ),
        ComponentSpec(
            kind="objective",
            name="classification-with-flops-reg",
            target="awnas_training.objectives.flops_regularised:ClassificationWithFlopsReg",
            data_types=("image",),
            legacy="awnas_training.objectives.legacy:classification",
            summary="Classification; the controller's loss knows a budget of multiply-adds.",
        ),
        ComponentSpec(
            kind="objective",
            name="flops",
            target="awnas_training.objectives.flops:FlopsObjective",
            summary="FLOPs, multiply-adds and parameters, all to be kept small.",
        ),
        ComponentSpec(
            kind="objective",
            name="zero-shot",
            target="awnas_training.objectives.zero_shot:ZeroShotObjective",
            data_types=("image",),
            legacy="awnas_training.objectives.legacy:zero_shot",
            summary="Zero-cost proxies of networks that nobody trains: synflow, nwot, a vote, ….",
        ),
        ComponentSpec(
            kind="objective",
            name="container",
            target="awnas_training.objectives.container:ContainerObjective",
            legacy="awnas_training.objectives.legacy:container",
            summary="Several objectives as one: all metrics, weighted losses and rewards.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="discrete-shared-weights",
            target="awnas_training.evaluators.shared_weights:SharedWeightsEvaluator",
            rollouts=("discrete",),
            data_types=("image", "sequence"),
            legacy="awnas_training.evaluators.legacy:shared_weights",
            summary="Measures with the shared weights of a supernet, and trains them (ENAS).",
        ),
        ComponentSpec(
            kind="evaluator",
            name="differentiable-shared-weights",
            target="awnas_training.evaluators.shared_weights:SharedWeightsEvaluator",
            rollouts=("differentiable",),
            data_types=("image", "sequence"),
            legacy="awnas_training.evaluators.legacy:shared_weights",
            summary="The same for relaxed architectures, with gradients (DARTS).",
        ),
        ComponentSpec(
            kind="evaluator",
            name="mepa",
            target="awnas_training.evaluators.shared_weights:SharedWeightsEvaluator",
            rollouts=("discrete", "differentiable"),
            data_types=("image", "sequence"),
            legacy="awnas_training.evaluators.legacy:mepa",
            summary="The older name of both, with its surrogate steps.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="tune",
            target="awnas_training.tuning.evaluator:TuneEvaluator",
            aliases=("bf-tune",),
            legacy="awnas_training.tuning.legacy:tune",
            summary="Trains each architecture by itself; successive halving or ASHA.",
        ),
        ComponentSpec(
            kind="evaluator",
            name="zero-cost",
            target="awnas_training.evaluators.zero_cost:ZeroCostEvaluator",
            summary="Measures what needs no training: zero-cost proxies, parameters, FLOPs.",
        ),
        ComponentSpec(
            kind="dataset",
            name="few-shot",
            target=f"{_FEW_SHOT}.episodes:FewShot",
            data_types=("episodes",),
            summary="Tasks of N classes with K examples each, drawn from any data set.",
        ),
        ComponentSpec(
            kind="dataset",
            name="miniimagenet",
            target=f"{_FEW_SHOT}.mini_imagenet:MiniImageNet",
            data_types=("episodes",),
            aliases=("mini-imagenet",),
            summary="mini-ImageNet: tasks of photographs.",
        ),
        *(
            ComponentSpec(
                kind="evaluator",
                name=f"{rollout}-few-shot-shared-weights",
                target=f"{_FEW_SHOT}.evaluator:FewShotSharedWeightsEvaluator",
                rollouts=(rollout,),
                data_types=("episodes",),
                legacy=f"{_FEW_SHOT}.legacy:few_shot",
                summary=summary,
            )
            for rollout, summary in (
                ("discrete", "Measures how well shared weights adapt to tasks, and trains them to."),
                ("differentiable", "The same for relaxed architectures, with gradients (T-NAS)."),
            )
        ),
        ComponentSpec(
            kind="trainer",
            name="meta",
            target=f"{_FEW_SHOT}.meta_trainer:MetaTrainer",
            rollouts=("discrete", "differentiable"),
            data_types=("episodes",),
            legacy="awnas_core.search.legacy:simple",
            summary="Weights and architectures learn to adapt to tasks: FO-MAML, Reptile.",
        ),
        ComponentSpec(
            kind="final_trainer",
            name="cnn-trainer",
            target="awnas_training.final.cnn_trainer:CnnTrainer",
            data_types=("image",),
            legacy="awnas_training.legacy:cnn_trainer",
            summary="Trains an image network from scratch.",
        ),
    ]


@hookimpl
def awnas_presets() -> list[PresetSpec]:
    """Searches and trainings that need nothing but the installed packages."""
    searches = [
        PresetSpec(
            name=f"{name}-digits",
            path=f"awnas_training:presets/{name}-digits.yaml",
            summary=summary,
            trials=runs,
        )
        for name, (summary, runs) in SEARCHES.items()
    ]
    return [
        *searches,
        PresetSpec(
            name="sign-digits",
            path="awnas_training:presets/sign-digits.yaml",
            summary="CLOSE and evolution on 32×32 photographs of hands, small networks only.",
        ),
        PresetSpec(
            name="sign-digits-final",
            kind="final",
            path="awnas_training:presets/sign-digits-final.yaml",
            summary="Trains what sign-digits found.",
        ),
        PresetSpec(
            name="general-digits-final",
            kind="final",
            path="awnas_training:presets/general-digits-final.yaml",
            summary="Trains a plain sequence of primitives on the digits.",
            trials=trials.GENERAL_DIGITS_FINAL,
        ),
        PresetSpec(
            name="enas-digits-final",
            kind="final",
            path="awnas_training:presets/enas-digits-final.yaml",
            summary="Trains what a search on the digits found.",
            trials=trials.ENAS_DIGITS_FINAL,
        ),
    ]


@hookimpl
def awnas_commands() -> list[CommandSpec]:
    """Files of data sets."""
    return [
        CommandSpec(
            name="data",
            target="awnas_training.data.command:app",
            summary="Fetch, unpack and check the files of a data set.",
        )
    ]
