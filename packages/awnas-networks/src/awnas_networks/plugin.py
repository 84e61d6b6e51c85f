"""What awnas-networks adds to awnas."""

from __future__ import annotations

from awnas_core import ComponentSpec, KindSpec, hookimpl

awnas_api = 1

PLAIN = {
    "none": "No connection.",
    "skip_connect": "The input itself; with a stride, a factorised reduction.",
    "identity": "The input itself, whatever the stride.",
    "avg_pool_3x3": "Mean over 3×3 pixels.",
    "avg_pool_2x2": "Mean over 2×2 pixels, unpadded.",
    "max_pool_3x3": "Maximum over 3×3 pixels.",
}
CONVOLUTIONS = {
    "sep_conv_3x3": "Two separable 3×3 convolutions.",
    "sep_conv_5x5": "Two separable 5×5 convolutions.",
    "sep_conv_7x7": "Two separable 7×7 convolutions.",
    "dil_conv_3x3": "A separable 3×3 convolution of dilation 2.",
    "dil_conv_5x5": "A separable 5×5 convolution of dilation 2.",
    "relu_conv_bn_1x1": "ReLU, 1×1 convolution, batch normalisation.",
    "relu_conv_bn_3x3": "ReLU, 3×3 convolution, batch normalisation.",
    "relu_conv_bn_5x5": "ReLU, 5×5 convolution, batch normalisation.",
    "conv_bn_relu_1x1": "1×1 convolution, batch normalisation, ReLU.",
    "conv_bn_relu_3x3": "3×3 convolution, batch normalisation, ReLU.",
    "conv_bn_relu_5x5": "5×5 convolution, batch normalisation, ReLU.",
    "conv_bn_3x3": "3×3 convolution, batch normalisation: the stem for small images.",
    "conv_1x1": "A plain 1×1 convolution with bias.",
    "conv_3x3": "A plain 3×3 convolution with bias.",
    "conv_7x1_1x7": "A 1×7 and a 7×1 convolution.",
    "imagenet_stem0": "Two 3×3 convolutions of stride 2: the stem for large images.",
}
ALIASES = {"relu_conv_bn_1x1": ("nor_conv_1x1",), "relu_conv_bn_3x3": ("nor_conv_3x3",)}


@hookimpl
def awnas_kinds() -> list[KindSpec]:
    """Primitives, so that plugins can add theirs."""
    return [KindSpec(name="primitive", summary="An operation on a connection: f(C, C_out, stride, affine).")]


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Supernet, final model and primitives."""
    modules = {"plain": PLAIN, "convolutions": CONVOLUTIONS}
    primitives = [
        ComponentSpec(
            kind="primitive",
            name=name,
            target=f"awnas_networks.primitives.{module}:{name}",
            aliases=ALIASES.get(name, ()),
            summary=summary,
        )
        for module, names in modules.items()
        for name, summary in names.items()
    ]
    return [
        ComponentSpec(
            kind="weights_manager",
            name="supernet",
            target="awnas_networks.supernet:SuperNet",
            rollouts=("discrete",),
            data_types=("image", "episodes"),
            legacy="awnas_networks.legacy:supernet",
            summary="Shared weights for every operation on every connection of a cell.",
        ),
        ComponentSpec(
            kind="weights_manager",
            name="diff-supernet",
            target="awnas_networks.diff_supernet:DiffSuperNet",
            rollouts=("differentiable", "discrete"),
            data_types=("image", "episodes"),
            legacy="awnas_networks.legacy:supernet",
            summary="Shared weights for mixtures of operations: DARTS, SNAS, GDAS, PC-DARTS.",
        ),
        ComponentSpec(
            kind="weights_manager",
            name="closenet",
            target="awnas_networks.close.closenet:CloseNet",
            rollouts=("discrete",),
            data_types=("image", "episodes"),
            legacy="awnas_networks.legacy:closenet",
            summary="Shared weights that are shared less and less while they are trained: CLOSE.",
        ),
        ComponentSpec(
            kind="weights_manager",
            name="ensemble",
            target="awnas_networks.ensemble:EnsembleWeightsManager",
            rollouts=("ensemble",),
            data_types=("image",),
            summary="Shared weights for architectures that answer together.",
        ),
        ComponentSpec(
            kind="final_model",
            name="general-final-model",
            target="awnas_networks.sequence:GeneralFinalModel",
            data_types=("image",),
            summary="A plain sequence of primitives and a classifier.",
        ),
        ComponentSpec(
            kind="final_model",
            name="cnn-final-model",
            target="awnas_networks.final_model:CnnFinalModel",
            data_types=("image",),
            legacy="awnas_networks.legacy:final_model",
            summary="The stack of cells of one genotype, with drop path and auxiliary head.",
        ),
        *primitives,
    ]
