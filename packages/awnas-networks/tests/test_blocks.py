"""Stems, activations and hand-designed blocks: the weights that their formulas have, and what they compute."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from awnas_core.errors import ConfigError
from awnas_networks.plugin import PRIMITIVES
from awnas_networks.primitives.mobile import make_divisible
from awnas_networks.primitives.table import PrimitiveTable

TABLE = PrimitiveTable()
C, OUT = 6, 10
BN = 2


def build(name, channels=C, channels_out=OUT, stride=1, affine=True, **options):
    torch.manual_seed(0)
    return TABLE.build(name, channels, channels_out, stride, affine, **options)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def conv(before, after, k, groups=1, *, norm=True, bias=False):
    """Weights of a convolution, its normalisation and its bias."""
    return k * k * before // groups * after + (BN * after if norm else 0) + (after if bias else 0)


def resnet(k, branches=1, shortcut=conv(C, OUT, 1)):
    return branches * (conv(C, OUT, k) + conv(OUT, OUT, k)) + shortcut


def inverted(expansion, k, *, expands=True, se=0, shortcut=0):
    """Weights of an inverted residual from 16 to 24 channels, ``se`` inside its excitation."""
    inner = expansion * 16
    excitation = (
        conv(inner, se, 1, norm=False, bias=True) + conv(se, inner, 1, norm=False, bias=True) if se else 0
    )
    first = conv(16, inner, 1) if expands else 0
    return first + conv(inner, inner, k, inner) + excitation + conv(inner, 24, 1) + shortcut


def separable(k, e):
    first = k * k * C + C * e * C + BN * e * C
    return first + k * k * (e * C) * e + e * C * OUT + BN * OUT


WEIGHTS = {
    "sep_conv_3x3_exp3": separable(3, 3),
    "sep_conv_3x3_exp6": separable(3, 6),
    "sep_conv_5x5_exp3": separable(5, 3),
    "sep_conv_5x5_exp6": separable(5, 6),
    "bn_conv_relu_1x1": BN * C + C * OUT,
    "conv_3x3_no_bias": 9 * C * OUT,
    "imagenet_stem0": conv(C, OUT // 2, 3) + conv(OUT // 2, OUT, 3),
    "imagenet_stem0_7x7": conv(C, OUT, 7),
    "imagenet_stem1": conv(C, OUT // 2, 3) + conv(OUT // 2, OUT, 3) + conv(OUT, OUT, 3),
    "tnas": conv(C, OUT // 2, 3) + conv(OUT // 2, OUT, 3),
    "resnet_block": resnet(3),
    "resnet_block_1x1": resnet(1),
    "resnet_block_5x5": resnet(5),
    "resnet_block_hardtanh": resnet(3),
    "resnet_block_sigmoid": resnet(3),
    "resnet_block_pool_downsample": resnet(3, shortcut=0),
    "resnet_block_split": resnet(3, 2),
    "resnet_block_split_hardtanh": resnet(3, 2),
    "resnet_block_split_sigmoid": resnet(3, 2),
    "resnet_bottleneck_block": conv(C, 2, 1) + conv(2, 2, 3) + conv(2, OUT, 1) + conv(C, OUT, 1),
    "wideresnet_block_3x3": BN * C + conv(C, OUT, 3) + 9 * OUT * OUT + C * OUT,
    "res_reduce_block": conv(C, OUT, 1) + conv(OUT, OUT, 1) + conv(C, OUT, 1),
    "nb201_residual_block": conv(C, OUT, 3) + conv(OUT, OUT, 3) + conv(C, OUT, 1),
    "vgg_block": conv(C, OUT, 3, bias=True),
    "dense_block": BN * C + C * 16 + BN * 16 + 9 * 16 * 4,
    "inspect_block": conv(C, OUT, 3) + conv(C, OUT, 1) + 9 * C + conv(C, C, 1) + 9 * C + conv(C, OUT, 1),
}
MOBILE = {
    "mobilenet_block_1": inverted(1, 3, shortcut=conv(16, 24, 1)),
    "mobilenet_block_3": inverted(3, 3, shortcut=conv(16, 24, 1)),
    "mobilenet_block_6": inverted(6, 3, shortcut=conv(16, 24, 1)),
    "mobilenet_block_3_5x5": inverted(3, 5, shortcut=conv(16, 24, 1)),
    "mobilenet_block_6_5x5": inverted(6, 5, shortcut=conv(16, 24, 1)),
    "mobilenet_block_1_relu6": inverted(1, 3, shortcut=conv(16, 24, 1)),
    "mobilenet_block_6_relu6": inverted(6, 3, shortcut=conv(16, 24, 1)),
    "mobilenet_v2_block": inverted(6, 3),
    "mobilenet_v3_block": inverted(6, 3, se=24),
    "fused_conv_block": conv(16, 96, 3) + conv(96, 24, 1),
}


@pytest.mark.parametrize(("name", "weights"), WEIGHTS.items())
def test_a_block_has_the_weights_of_its_formula(name, weights):
    assert count(build(name)) == weights


@pytest.mark.parametrize(("name", "weights"), MOBILE.items())
def test_an_inverted_residual_has_the_weights_of_its_formula(name, weights):
    assert count(build(name, 16, 24)) == weights


def test_every_block_is_counted():
    counted = {*WEIGHTS, *MOBILE, "dense_reduce_block", "se_module"}
    assert counted >= {
        name for kind in ("stems", "residual", "mobile", "classic") for name in PRIMITIVES[kind]
    }


def test_options_of_an_inverted_residual_change_its_weights():
    plain = build("mobilenet_v2_block", 16, 24, expansion=1, kernel_size=5)
    assert count(plain) == inverted(1, 5, expands=False)
    without = build("mobilenet_v3_block", 16, 24, expansion=3, use_se=False)
    assert count(without) == inverted(3, 3)
    assert any(isinstance(part, nn.Hardswish) for part in without.modules())
    with pytest.raises(ConfigError, match="no activation 'relux'; did you mean 'relu"):
        build("mobilenet_v2_block", activation="relux")


@pytest.mark.parametrize("name", ["mobilenet_block_6_relu6", "mobilenet_block_1_relu6"])
def test_relu6_is_the_activation_and_not_the_kernel(name):
    parts = list(build(name).modules())
    assert sum(isinstance(part, nn.ReLU6) for part in parts) == 2
    depthwise = [part for part in parts if isinstance(part, nn.Conv2d) and part.groups > 1]
    assert [part.kernel_size for part in depthwise] == [(3, 3)]


@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.parametrize("e", [3, 6])
def test_an_expanded_separable_convolution_expands_as_its_name_says(k, e):
    channels = [
        part.out_channels
        for part in build(f"sep_conv_{k}x{k}_exp{e}").modules()
        if isinstance(part, nn.Conv2d)
    ]
    assert channels == [C, e * C, e * C, OUT]


@pytest.mark.parametrize(
    ("name", "size"),
    [("imagenet_stem0", 56), ("imagenet_stem0_7x7", 112), ("imagenet_stem1", 28), ("tnas", 56)],
)
def test_a_stem_reduces_large_images(name, size):
    assert build(name, 3, 8)(torch.zeros(1, 3, 224, 224)).shape == (1, 8, size, size)


ACTIVATIONS = {
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "h_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "h_sigmoid": lambda x: min(max(x + 3, 0), 6) / 6,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "tanh": math.tanh,
}


@pytest.mark.parametrize("name", PRIMITIVES["activations"])
def test_an_activation_is_its_formula_and_needs_no_argument(name):
    factory = TABLE.registry.load(TABLE.registry.find("primitive", name))
    values = torch.linspace(-8, 8, 33, dtype=torch.float64)
    expected = torch.tensor([ACTIVATIONS[name](value) for value in values.tolist()], dtype=torch.float64)
    torch.testing.assert_close(factory()(values), expected)
    with pytest.raises(ConfigError, match="changes neither channels nor resolution"):
        build(name, stride=2)


@pytest.mark.parametrize("branches", [1, 2])
@pytest.mark.parametrize("act", ["relu", "sigmoid", "hardtanh"])
@pytest.mark.parametrize(("stride", "channels_out"), [(1, C), (1, OUT), (2, OUT)])
def test_a_basic_block_is_its_formula(act, branches, stride, channels_out):
    name = "resnet_block" + ("_split" if branches == 2 else "") + ("" if act == "relu" else f"_{act}")
    block = build(name, C, channels_out, stride).eval()
    images = torch.randn(2, C, 7, 7)
    weights = [part for part in block.modules() if isinstance(part, nn.Conv2d)]
    first, second, beside = weights[:branches], weights[branches : 2 * branches], weights[2 * branches :]
    activation = {"relu": F.relu, "sigmoid": torch.sigmoid, "hardtanh": F.hardtanh}[act]
    norm = (1 + 1e-5) ** -0.5  # running statistics are still 0 and 1
    hidden = activation(sum(norm * F.conv2d(images, part.weight, None, stride, 1) for part in first))
    main = sum(norm * F.conv2d(hidden, part.weight, None, 1, 1) for part in second)
    shortcut = norm * F.conv2d(images, beside[0].weight, None, stride) if beside else images
    assert bool(beside) == (stride == 2 or channels_out != C)
    torch.testing.assert_close(block(images), activation(main + shortcut))


def test_a_shortcut_without_weights_takes_pixels_and_zeros():
    block = build("resnet_block_pool_downsample", C, OUT, 2).eval()
    for part in block.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.zeros_(part.weight)
    images = torch.rand(2, C, 8, 8)
    output = block(images)
    assert torch.equal(output[:, :C], images[:, :, ::2, ::2])
    assert not output[:, C:].any()


def test_the_reduction_of_nasbench_201_has_a_mean_and_a_convolution_beside_it():
    block = build("nb201_residual_block", C, OUT, 2)
    assert count(block) == conv(C, OUT, 3) + conv(OUT, OUT, 3) + C * OUT
    assert str(build("NB201ResidualBlock", C, OUT, 2)) == str(block)
    with pytest.raises(ConfigError, match="stride 1 or 2, not 3"):
        build("nb201_residual_block", stride=3)


def test_a_dense_layer_keeps_its_input_and_adds_channels():
    block = build("dense_block", drop_rate=0.5).train()
    images = torch.randn(64, C, 8, 8)
    output = block(images)
    assert torch.equal(output[:, OUT - C :], images)
    lost = (output[:, : OUT - C] == 0).flatten(1).all(1)
    assert 16 < lost.sum() < 48
    assert not (block.eval()(images)[:, : OUT - C] == 0).flatten(1).all(1).any()
    with pytest.raises(ConfigError, match="10 → 6, stride 1"):
        build("dense_block", OUT, C)


def test_a_transition_of_dense_blocks_halves_the_image():
    block = build("dense_reduce_block", C, OUT, 2)
    assert count(block) == BN * C + C * OUT
    for size in (8, 7):
        assert block(torch.zeros(1, C, size, size)).shape == (1, OUT, 4, 4)
    with pytest.raises(ConfigError, match="stride 1"):
        build("dense_reduce_block")


def test_squeeze_and_excitation_scales_channels_by_their_means():
    block = build("se_module", 64, 64)
    assert count(block) == (64 * 16 + 16) + (16 * 64 + 64)
    images = torch.randn(2, 64, 5, 5)
    first, second = (part for part in block.modules() if isinstance(part, nn.Conv2d))
    means = images.mean((2, 3))
    hidden = F.relu(means @ first.weight[:, :, 0, 0].T + first.bias)
    scales = F.relu6(hidden @ second.weight[:, :, 0, 0].T + second.bias + 3) / 6
    torch.testing.assert_close(block(images), images * scales[:, :, None, None])


def test_drop_connect_loses_the_layers_of_whole_examples_in_training_alone():
    block = build("mobilenet_v2_block", 16, 16, drop_connect=0.5)
    images = torch.randn(64, 16, 6, 6)
    lost = (block.train()(images) == images).flatten(1).all(1)
    assert 16 < lost.sum() < 48
    assert not (block.eval()(images) == images).flatten(1).all(1).any()


def test_a_block_for_looking_into_runs_another_operation_each_time():
    block = build("inspect_block").eval()
    images = torch.randn(2, C, 8, 8)
    choices = [choice(images) for choice in block.choices]
    torch.manual_seed(0)
    seen = {
        next(i for i, choice in enumerate(choices) if torch.equal(block(images), choice)) for _ in range(1)
    }
    for _ in range(40):
        output = block(images)
        seen |= {i for i, choice in enumerate(choices) if torch.equal(output, choice)}
    assert seen == {0, 1, 2}


@pytest.mark.parametrize(
    ("value", "expected"), [(8, 8), (1, 8), (12, 16), (11, 16), (20, 24), (19, 24), (91, 88), (9, 16)]
)
def test_channels_are_rounded_to_a_multiple_that_is_not_much_smaller(value, expected):
    assert make_divisible(value) == expected
    assert make_divisible(value) >= 0.9 * value
