"""Primitives deliver the channels and pixels that are asked for, and compute what their names say."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from awnas_core import AwnasError
from awnas_core.errors import ConfigError
from awnas_core.testing.making import UNDER_TEST, registry_with
from awnas_networks.plugin import PRIMITIVES
from awnas_networks.primitives.plain import Identity, ShiftedConvolutions, factorized_reduce
from awnas_networks.primitives.table import PrimitiveTable

TABLE = PrimitiveTable()
ALL = [name for names in PRIMITIVES.values() for name in names]
OF_ONE_STRIDE = {
    **dict.fromkeys(PRIMITIVES["stems"], 1),  # whatever is asked for, they reduce as they always do
    **dict.fromkeys(PRIMITIVES["activations"], 1),
    **dict.fromkeys(("bn_relu", "se_module", "dense_block"), 1),
    "dense_reduce_block": 2,
}
KEEPS_CHANNELS = {"identity", "conv_7x1_1x7", "bn_relu", "se_module", *PRIMITIVES["activations"]}
USUAL = [name for name in ALL if name not in {"avg_pool_2x2", *KEEPS_CHANNELS, *OF_ONE_STRIDE}]
BUILDABLE = [(name, stride) for name in ALL for stride in (1, 2) if OF_ONE_STRIDE.get(name, stride) == stride]
ALWAYS_AFFINE = {"imagenet_stem0", "imagenet_stem1"}
CHANNELS_OUT = {"dense_block": 10, "resnet_bottleneck_block": 12}
PARAMETER_FREE = {"none", "skip_connect", "avg_pool_3x3", "max_pool_3x3"}


def build(name, channels=6, channels_out=6, stride=1, affine=True):
    torch.manual_seed(0)
    return TABLE.build(name, channels, channels_out, stride, affine)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", USUAL)
def test_it_delivers_the_size_that_a_connection_needs(name, stride):
    channels_out = 6 if name in PARAMETER_FREE else 10
    op = build(name, 6, channels_out, stride)
    for height, width in ((8, 8), (7, 9)):
        output = op(torch.randn(2, 6, height, width))
        assert output.shape == (2, channels_out, -(-height // stride), -(-width // stride))


@pytest.mark.parametrize(("name", "stride"), BUILDABLE)
def test_the_output_of_channels_last_images_is_channels_last_and_the_input_is_left_as_it_is(name, stride):
    images = torch.randn(2, 6, 8, 8).to(memory_format=torch.channels_last)
    before = images.clone()
    op = build(name, channels_out=CHANNELS_OUT.get(name, 6), stride=stride)
    op.to(memory_format=torch.channels_last)
    assert op(images).is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(images, before)


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize(("name", "stride"), BUILDABLE)
def test_gradients_do_not_depend_on_the_memory_format(name, stride, channels):
    images = torch.randn(3, channels, 9, 9)
    channels_out = channels + 4 if name in CHANNELS_OUT else channels
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        op = build(name, channels, channels_out, stride).to(memory_format=layout)
        leaf = images.clone(memory_format=layout).requires_grad_()
        torch.manual_seed(1)
        output = op(leaf)
        if output.requires_grad:
            output.square().sum().backward()
            found.append([leaf.grad, *(parameter.grad for parameter in op.parameters())])
    for one, other in zip(*found or ([], []), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("name", "stride"), [case for case in BUILDABLE if case[0] not in ALWAYS_AFFINE])
def test_without_affine_normalisation_only_convolutions_have_weights(name, stride):
    op = build(name, channels_out=CHANNELS_OUT.get(name, 6), stride=stride, affine=False)
    convolutions = (module for module in op.modules() if isinstance(module, nn.Conv2d))
    assert count(op) == sum(count(convolution) for convolution in convolutions)


@pytest.mark.parametrize("k", [3, 5, 7])
def test_a_separable_convolution_has_the_weights_of_its_formula(k):
    c, c_out = 6, 10
    first, second = k * k * c + c * c + 2 * c, k * k * c + c * c_out + 2 * c_out
    assert count(build(f"sep_conv_{k}x{k}", c, c_out)) == first + second


@pytest.mark.parametrize("k", [3, 5])
def test_a_dilated_convolution_sees_every_second_pixel(k):
    op = build(f"dil_conv_{k}x{k}", 1, 1).eval()
    image = torch.rand(1, 1, 15, 15).requires_grad_()
    op(image)[0, 0, 7, 7].backward()
    seen = sorted({int(row) for row in image.grad[0, 0].nonzero()[:, 0]})
    assert seen == list(range(7 - (k - 1), 7 + k, 2))
    assert count(op) == k * k + 1 + 2


def test_average_pooling_does_not_count_pixels_outside_the_image():
    ones = torch.ones(1, 2, 5, 5)
    for stride in (1, 2):
        assert torch.equal(
            build("avg_pool_3x3", 2, 2, stride)(ones), torch.ones(1, 2, 5, 5)[..., ::stride, ::stride]
        )


def test_max_pooling_takes_the_largest_of_nine():
    image = torch.rand(1, 1, 6, 6)
    padded = functional.pad(image, (1, 1, 1, 1), value=-1.0)
    expected = torch.stack([padded[..., y : y + 6, x : x + 6] for y in range(3) for x in range(3)]).amax(0)
    assert torch.equal(build("max_pool_3x3", 1, 1)(image), expected)


def test_none_is_zero_whatever_comes_in():
    assert not build("none", stride=2)(torch.full((1, 6, 4, 4), float("nan"))).any()


def test_a_skip_is_the_identity_and_with_a_stride_a_factorised_reduction():
    images = torch.randn(2, 6, 8, 8)
    skip = build("skip_connect")
    assert isinstance(skip, Identity)
    assert skip(images) is images
    assert isinstance(build("skip_connect", stride=2)[1], ShiftedConvolutions)
    assert count(build("skip_connect", 6, 10, 2)) == 6 * 10 + 2 * 10


@pytest.mark.parametrize(("stride", "size"), [(2, 8), (2, 7), (3, 9), (3, 7)])
def test_a_factorised_reduction_is_convolutions_on_shifted_images(stride, size):
    torch.manual_seed(0)
    op = factorized_reduce(3, 7, stride, affine=False).double().eval()
    images = torch.randn(2, 3, size, size, dtype=torch.float64)
    filled = functional.pad(images.relu(), (-size % stride, 0, -size % stride, 0))
    parts = [
        torch.einsum("oc,nchw->nohw", conv.weight[:, :, 0, 0], filled[:, :, i::stride, i::stride])
        for i, conv in enumerate(op[1].convs)
    ]
    expected = torch.cat(parts, 1) / (1 + op[2].eps) ** 0.5  # running statistics are still 0 and 1
    assert torch.allclose(op(images), expected)


def test_a_pool_of_two_pixels_shrinks_the_image_by_one():
    assert build("avg_pool_2x2")(torch.zeros(1, 6, 8, 8)).shape == (1, 6, 7, 7)


def test_the_stem_for_large_images_quarters_them():
    assert build("imagenet_stem0", 3, 8)(torch.zeros(1, 3, 224, 224)).shape == (1, 8, 56, 56)


def test_a_pair_of_one_dimensional_convolutions_refuses_to_change_channels():
    assert build("conv_7x1_1x7", stride=2)(torch.zeros(1, 6, 8, 8)).shape == (1, 6, 4, 4)
    with pytest.raises(ConfigError, match="6 → 10"):
        build("conv_7x1_1x7", 6, 10)


def test_a_misspelt_primitive_gets_a_suggestion():
    with pytest.raises(AwnasError, match="sep_conv_3x3"):
        build("sep_conv_3x33")


def test_older_names_still_build():
    assert str(build("nor_conv_1x1")) == str(build("relu_conv_bn_1x1"))


def test_a_primitive_of_a_plugin_is_built_like_ours():
    def swish(channels, channels_out, stride, affine):
        return nn.Sequential(nn.Conv2d(channels, channels_out, 3, stride, 1), nn.SiLU())

    table = PrimitiveTable(registry_with("primitive", swish))
    assert table.build(UNDER_TEST, 2, 4, 2, True)(torch.zeros(1, 2, 8, 8)).shape == (1, 4, 4, 4)
