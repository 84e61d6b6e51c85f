"""What is computed another way on CPUs gives what torch's own modules give, gradients included."""

import functools

import pytest
import torch
from torch import nn

from awnas_networks.operation import scaled
from awnas_networks.primitives.average_pool import AveragePool
from awnas_networks.primitives.convolutions import relu_conv_bn
from awnas_networks.primitives.depthwise import DepthwiseConv2d
from awnas_networks.primitives.dilated import DilatedConv2d

SIZES = [(8, 8), (7, 7), (9, 6), (1, 1), (5, 12)]


close = functools.partial(torch.testing.assert_close, rtol=1e-12, atol=1e-12)


def assert_same(ours, theirs, size, channels=6):
    inputs = torch.randn(3, channels, *size, dtype=torch.float64)
    for layout in (torch.channels_last, torch.contiguous_format):
        a, b = (inputs.clone(memory_format=layout).requires_grad_() for _ in range(2))
        mine, expected = ours(a), theirs(b)
        close(mine, expected)
        direction = torch.randn_like(expected)
        mine.backward(direction), expected.backward(direction)
        close(a.grad, b.grad)
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            close(p.grad, q.grad)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("stride", "dilation"), [(1, 2), (2, 2), (1, 3), (3, 3), (4, 2)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_a_dilated_convolution_is_that_of_torch(size, stride, dilation, kernel):
    ours = DilatedConv2d(6, 12, kernel, stride, dilation, groups=3).double()
    padding = dilation * (kernel // 2)
    theirs = nn.Conv2d(6, 12, kernel, stride, padding, dilation, groups=3, bias=False).double()
    theirs.load_state_dict(ours.state_dict())
    assert_same(ours, theirs, size)


@pytest.mark.parametrize("size", [*SIZES, (2, 7), (4, 4)])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_a_depthwise_convolution_is_that_of_torch_on_images_lower_than_the_kernel_too(size, stride, kernel):
    ours = DepthwiseConv2d(6, kernel, stride).double()
    theirs = nn.Conv2d(6, 6, kernel, stride, kernel // 2, groups=6, bias=False).double()
    theirs.load_state_dict(ours.state_dict())
    assert_same(ours, theirs, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_an_average_leaves_out_what_is_outside_the_image(size, stride):
    assert_same(AveragePool(3, stride), nn.AvgPool2d(3, stride, 1, count_include_pad=False), size)


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_a_strided_pointwise_convolution_is_that_of_torch(size):
    ours = relu_conv_bn(6, 4, 2, True, kernel=1).double()
    theirs = nn.Sequential(nn.ReLU(), nn.Conv2d(6, 4, 1, 2, bias=False), nn.BatchNorm2d(4)).double()
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        q.data.copy_(p.data)
    assert_same(ours, theirs, size)


@pytest.mark.parametrize("training", [True, False])
def test_a_normalisation_takes_a_factor_along(training):
    norms = [nn.BatchNorm2d(6, affine=False).double().train(training) for _ in range(2)]
    inputs = [torch.randn(3, 6, 4, 4).double().contiguous(memory_format=torch.channels_last)]
    inputs = [inputs[0].clone().requires_grad_() for _ in norms]
    factors = [torch.tensor(0.3, dtype=torch.float64, requires_grad=True) for _ in norms]
    ours, theirs = scaled(norms[0], inputs[0], factors[0]), norms[1](inputs[1]) * factors[1]
    torch.testing.assert_close(ours, theirs)
    direction = torch.randn_like(ours)
    ours.backward(direction), theirs.backward(direction)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    torch.testing.assert_close(factors[0].grad, factors[1].grad)
    torch.testing.assert_close(norms[0].running_var, norms[1].running_var)
    assert norms[0].weight is None, "the factor stays for the call only"


def test_an_average_that_was_first_taken_in_inference_mode_can_be_trained_through():
    images = torch.randn(1, 3, 11, 13)
    with torch.inference_mode():
        AveragePool(3, 1)(images)
    AveragePool(3, 1)(images.requires_grad_()).sum().backward()
    assert images.grad is not None
