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
    "sep_conv_3x3_exp3": "Two separable 3×3 convolutions, three times the channels in between.",
    "sep_conv_3x3_exp6": "Two separable 3×3 convolutions, six times the channels in between.",
    "sep_conv_5x5_exp3": "Two separable 5×5 convolutions, three times the channels in between.",
    "sep_conv_5x5_exp6": "Two separable 5×5 convolutions, six times the channels in between.",
    "bn_conv_relu_1x1": "Batch normalisation, 1×1 convolution, ReLU.",
    "bn_relu": "Batch normalisation, ReLU: the end of networks that normalise first.",
    "conv_3x3_no_bias": "A plain 3×3 convolution: the stem of networks that normalise first.",
}
STEMS = {
    "imagenet_stem0": "Two 3×3 convolutions of stride 2: the stem for large images.",
    "imagenet_stem0_7x7": "A 7×7 convolution of stride 2: the stem of ResNet.",
    "imagenet_stem1": "Three 3×3 convolutions of stride 2.",
    "tnas": "Two 3×3 convolutions with pools: the stem of T-NAS.",
}
ACTIVATIONS = {
    "relu": "max(x, 0).",
    "relu6": "min(max(x, 0), 6).",
    "h_swish": "x · relu6(x + 3) / 6.",
    "h_sigmoid": "relu6(x + 3) / 6.",
    "sigmoid": "1 / (1 + exp(-x)).",
    "tanh": "Hyperbolic tangent.",
}
RESIDUAL = {
    "resnet_block": "ResNet's basic block.",
    "resnet_block_1x1": "ResNet's basic block with 1×1 kernels.",
    "resnet_block_5x5": "ResNet's basic block with 5×5 kernels.",
    "resnet_block_hardtanh": "ResNet's basic block with hard tanh.",
    "resnet_block_sigmoid": "ResNet's basic block with sigmoids.",
    "resnet_block_pool_downsample": "ResNet's basic block, its shortcut without weights.",
    "resnet_block_split": "ResNet's basic block, two convolutions side by side for each.",
    "resnet_block_split_hardtanh": "The same with hard tanh.",
    "resnet_block_split_sigmoid": "The same with sigmoids.",
    "resnet_bottleneck_block": "ResNet's bottleneck block.",
    "wideresnet_block_3x3": "The block of wide ResNets.",
    "res_reduce_block": "A factorised reduction with a shortcut.",
    "nb201_residual_block": "The reduction of NAS-Bench-201.",
}
MOBILE = {
    "mobilenet_block_1": "MobileNetV2's block for small images, expansion 1.",
    "mobilenet_block_3": "MobileNetV2's block for small images, expansion 3.",
    "mobilenet_block_6": "MobileNetV2's block for small images, expansion 6.",
    "mobilenet_block_3_5x5": "MobileNetV2's block for small images, expansion 3, 5×5 kernels.",
    "mobilenet_block_6_5x5": "MobileNetV2's block for small images, expansion 6, 5×5 kernels.",
    "mobilenet_block_1_relu6": "MobileNetV2's block for small images, expansion 1, ReLU6.",
    "mobilenet_block_6_relu6": "MobileNetV2's block for small images, expansion 6, ReLU6.",
    "mobilenet_v2_block": "MobileNetV2's inverted residual.",
    "mobilenet_v3_block": "MobileNetV3's inverted residual, with squeeze and excitation.",
    "fused_conv_block": "An inverted residual whose first two convolutions are one.",
    "se_module": "Squeeze and excitation.",
}
CLASSIC = {
    "vgg_block": "VGG's 3×3 convolution, with batch normalisation.",
    "dense_block": "DenseNet's layer, which adds channels.",
    "dense_reduce_block": "DenseNet's transition.",
    "inspect_block": "One of three convolutions, drawn whenever it runs.",
}
PRIMITIVES = {
    "plain": PLAIN,
    "convolutions": CONVOLUTIONS,
    "stems": STEMS,
    "activations": ACTIVATIONS,
    "residual": RESIDUAL,
    "mobile": MOBILE,
    "classic": CLASSIC,
}
"""Module → the primitives that are defined there, and what each of them does."""

ALIASES = {
    "relu_conv_bn_1x1": ("nor_conv_1x1",),
    "relu_conv_bn_3x3": ("nor_conv_3x3",),
    "nb201_residual_block": ("NB201ResidualBlock",),
}


@hookimpl
def awnas_kinds() -> list[KindSpec]:
    """Primitives, so that plugins can add theirs."""
    return [KindSpec(name="primitive", summary="An operation on a connection: f(C, C_out, stride, affine).")]


@hookimpl
def awnas_components() -> list[ComponentSpec]:
    """Supernet, final model and primitives."""
    primitives = [
        ComponentSpec(
            kind="primitive",
            name=name,
            target=f"awnas_networks.primitives.{module}:{name}",
            aliases=ALIASES.get(name, ()),
            summary=summary,
        )
        for module, names in PRIMITIVES.items()
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
            name="nasbench-201-supernet",
            target="awnas_networks.benchmarks.nasbench201_supernet:NasBench201SuperNet",
            rollouts=("nasbench-201",),
            aliases=("nasbench-201",),
            data_types=("image",),
            legacy="awnas_networks.legacy:nasbench201",
            summary="Shared weights for all cells of NAS-Bench-201.",
        ),
        ComponentSpec(
            kind="weights_manager",
            name="nasbench-201-diff-supernet",
            target="awnas_networks.benchmarks.nasbench201_supernet:NasBench201DiffSuperNet",
            rollouts=("nasbench-201-differentiable", "nasbench-201"),
            data_types=("image",),
            legacy="awnas_networks.legacy:nasbench201",
            summary="Shared weights for mixtures of operations in NAS-Bench-201.",
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
            name="nasbench-101-final-model",
            target="awnas_networks.benchmarks.nasbench101:NasBench101FinalModel",
            data_types=("image",),
            summary="The network of one cell of NAS-Bench-101.",
        ),
        ComponentSpec(
            kind="final_model",
            name="nasbench-201-final-model",
            target="awnas_networks.benchmarks.nasbench201:NasBench201FinalModel",
            data_types=("image",),
            summary="The network of one cell of NAS-Bench-201 or NATS-Bench.",
        ),
        ComponentSpec(
            kind="final_model",
            name="nasbench-macro-final-model",
            target="awnas_networks.benchmarks.nasbench_macro:NasBenchMacroFinalModel",
            data_types=("image",),
            summary="The network of one chain of NAS-Bench-Macro.",
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
