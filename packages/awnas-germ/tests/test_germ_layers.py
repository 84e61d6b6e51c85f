"""Layers with choices against ordinary layers whose weights are cut by hand."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional

from awnas_core import ConfigError
from awnas_germ import BatchNorm2d, Choices, Conv2d, LayerNorm, Linear, PositionEmbedding
from awnas_germ.resolve import Resolver


def both(layer, chosen):
    """The layer under an assignment, borrowing weights and owning them."""
    return Resolver(chosen).module(layer), Resolver(chosen, owns=True).module(layer)


def grouped_by_hand(weight, base, cin, cout, groups):
    """Diagonal blocks: output r of group j reads the columns that belong to its group inside its base group."""
    rows = []
    per = groups // base
    for j in range(groups):
        b, sub = divmod(j, per)
        for r in range(cout // groups):
            row = weight[b * (weight.shape[0] // base) + sub * (cout // groups) + r]
            rows.append(row[sub * (cin // groups) : (sub + 1) * (cin // groups)])
    return torch.stack(rows)


def test_a_convolution_takes_first_channels_and_the_middle_of_the_kernel():
    cin, cout, k, s = Choices([3, 6]), Choices([4, 8]), Choices([1, 3, 5]), Choices([1, 2])
    layer = Conv2d(cin, cout, k, s)
    for i, o, kernel, stride in itertools.product(cin.choices, cout.choices, k.choices, s.choices):
        inputs = torch.randn(2, i, 9, 9)
        m = (5 - kernel) // 2
        weight = layer.weight[:o, :i, m : m + kernel, m : m + kernel]
        expected = functional.conv2d(inputs, weight, layer.bias[:o], stride, kernel // 2)
        for made in both(layer, {cin: i, cout: o, k: kernel, s: stride}):
            torch.testing.assert_close(made(inputs), expected)


@pytest.mark.parametrize("groups", [[2], [1, 2, 4], [2, 4]])
def test_more_groups_use_the_diagonal_blocks_of_fewer(groups):
    g, width = Choices(groups), Choices([8, 16])
    layer = Conv2d(width, width, 3, groups=g, bias=False)
    for count, w in itertools.product(groups, width.choices):
        inputs = torch.randn(2, w, 5, 5)
        weight = grouped_by_hand(layer.weight, min(groups), w, w, count)
        expected = functional.conv2d(inputs, weight, None, 1, 1, 1, count)
        for made in both(layer, {g: count, width: w}):
            torch.testing.assert_close(made(inputs), expected)


def test_a_depthwise_convolution_follows_its_channels():
    width = Choices([4, 8])
    layer = Conv2d(width, width, 3, groups=width)
    assert layer.weight.shape == (8, 1, 3, 3)
    inputs = torch.randn(2, 4, 5, 5)
    expected = functional.conv2d(inputs, layer.weight[:4], layer.bias[:4], 1, 1, 1, 4)
    for made in both(layer, {width: 4}):
        torch.testing.assert_close(made(inputs), expected)


def test_gradients_reach_the_used_part_of_the_weights_only():
    cout = Choices([2, 6])
    layer = Conv2d(3, cout, 3)
    Resolver({cout: 2}).module(layer)(torch.randn(1, 3, 4, 4)).sum().backward()
    assert layer.weight.grad[:2].abs().sum() > 0
    assert layer.weight.grad[2:].abs().sum() == 0


def test_batch_norm_keeps_running_statistics_of_the_channels_it_saw():
    width = Choices([2, 4])
    layer, reference = BatchNorm2d(width), nn.BatchNorm2d(2)
    narrow = Resolver({width: 2}).module(layer)
    for _ in range(3):
        inputs = torch.randn(8, 2, 3, 3) * 3 + 1
        torch.testing.assert_close(narrow(inputs), reference(inputs))
    torch.testing.assert_close(layer.full.running_mean[:2], reference.running_mean)
    torch.testing.assert_close(layer.full.running_var[:2], reference.running_var)
    assert layer.full.running_mean[2:].tolist() == [0, 0]
    own = Resolver({width: 2}, owns=True).module(layer).eval()
    torch.testing.assert_close(own(inputs), reference.eval()(inputs))


def test_linear_norm_and_positions_take_the_first_features():
    d, out = Choices([4, 8]), Choices([3, 5])
    linear, norm, positions = Linear(d, out), LayerNorm(d), PositionEmbedding(7, d)
    tokens = torch.randn(2, 7, 4)
    chosen = {d: 4, out: 3}
    for made in both(linear, chosen):
        torch.testing.assert_close(made(tokens), tokens @ linear.weight[:3, :4].T + linear.bias[:3])
    for made in both(norm, chosen):
        torch.testing.assert_close(made(tokens), functional.layer_norm(tokens, (4,)))
    for made in both(positions, chosen):
        torch.testing.assert_close(made(tokens), tokens + positions.weight[:, :4])


def test_a_layer_without_a_candidate_says_what_to_do():
    with pytest.raises(RuntimeError, match="candidate"):
        Conv2d(3, Choices([4, 8]), 3)(torch.zeros(1, 3, 4, 4))


def test_kernels_of_different_parity_and_groups_that_do_not_divide_are_refused():
    with pytest.raises(ConfigError, match="odd"):
        Conv2d(3, 4, Choices([2, 3]))
    with pytest.raises(ConfigError, match="divide"):
        Conv2d(6, 8, 3, groups=Choices([1, 4]))
