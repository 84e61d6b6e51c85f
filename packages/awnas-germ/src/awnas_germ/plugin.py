"""What awnas-germ adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, KindSpec, PresetSpec, hookimpl

awnas_api = 1

NETWORKS = {
    "mobilenet-v2": ("mobilenet_v2:MobileNetV2", "Inverted residuals: kernels, expansions, widths, depths."),
    "shufflenet-v2": ("shufflenet_v2:ShuffleNetV2", "Shuffle units: kernels and inner widths."),
    "mobiledet": ("mobiledet:MobileDet", "Inverted, fused or compressed blocks, place by place."),
    "nasbench-201": ("nasbench_201:NasBench201", "The cell of NAS-Bench-201 as choices."),
    "nds-resnet": ("residual:NdsResNet", "Depth and width of three stages of basic blocks."),
    "nds-resnext": ("residual:NdsResNeXt", "Depth, width, bottleneck and groups of three stages."),
    "vision-transformer": ("vision_transformer:VisionTransformer", "Depth, heads, perceptrons, embedding."),
}
ALIASES = {"mobilenet-v2": ("mbv2",), "shufflenet-v2": ("shufflev2",), "nasbench-201": ("nb201",)}


@hookimpl
def awnas_kinds() -> list[KindSpec]:
    """Networks with choices: any torch module."""
    return [
        KindSpec(
            name="germ_network",
            aliases=("germ_supernet",),
            summary="A torch module with Choices in its constructor: f(num_classes, input_shape, …).",
        )
    ]


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """The space that a network is, its shared weights, its final model, and networks ready to search."""
    networks = [
        ComponentSpec(
            kind="germ_network",
            name=name,
            target=f"awnas_germ.networks.{target}",
            aliases=ALIASES.get(name, ()),
            summary=summary,
        )
        for name, (target, summary) in NETWORKS.items()
    ]
    return [
        ComponentSpec(
            kind="search_space",
            name="germ",
            target="awnas_germ.space:GermSpace",
            rollouts=("discrete", "differentiable"),
            summary="Every way to make the choices in a torch module.",
        ),
        ComponentSpec(
            kind="weights_manager",
            name="germ",
            target="awnas_germ.supernet:GermSuperNet",
            rollouts=("discrete", "differentiable"),
            summary="Slices of the weights of one network with choices.",
        ),
        ComponentSpec(
            kind="final_model",
            name="germ-final-model",
            target="awnas_germ.final_model:GermFinalModel",
            summary="One architecture of a network with choices, from scratch.",
        ),
        *networks,
    ]


@hookimpl
def awnas_presets() -> list[PresetSpec]:
    """Searches that need nothing but the installed packages."""
    searches = [
        PresetSpec(
            name=f"germ-{name}",
            path=f"awnas_germ:presets/germ-{name}.yaml",
            summary=f"Weight sharing over a small {name} on the 8×8 digits.",
            tags=("test",),
        )
        for name in NETWORKS
    ]
    darts = PresetSpec(
        name="germ-darts",
        path="awnas_germ:presets/germ-darts.yaml",
        summary="DARTS over a module with choices, on the 8×8 digits.",
        tags=("test",),
    )
    final = PresetSpec(
        name="germ-final",
        kind="final",
        path="awnas_germ:presets/germ-final.yaml",
        summary="Trains what germ-vision-transformer found.",
        tags=("test",),
    )
    return [*searches, darts, final]
