"""The stack of cells has the channels, strides and resolutions that the literature gives it."""

import pytest

from awnas_core.errors import ConfigError
from awnas_networks.macro import InputPlan, plan_layers, spread_stem, stem_names
from awnas_spaces.cnn import CnnSpace


def plan(space, init_channels=36, stem=(108, 108), strides=(1, 1), layer_channels=()):
    return plan_layers(space, stem, strides, init_channels, space.steps_of, layer_channels)


def test_the_twenty_cells_of_darts_double_their_channels_at_one_and_two_thirds():
    layers = plan(CnnSpace(num_layers=20))
    assert [i for i, layer in enumerate(layers) if layer.stride == 2] == [6, 13]
    assert [layer.channels for layer in layers] == [36] * 6 + [72] * 7 + [144] * 7
    assert [layer.channels_out for layer in layers] == [144] * 6 + [288] * 7 + [576] * 7
    assert [layer.reduction for layer in layers] == [1] * 6 + [2] * 7 + [4] * 7


def test_only_the_older_input_after_a_reduction_is_finer_than_the_newer():
    layers = plan(CnnSpace(num_layers=20))
    finer = {i: [source.stride for source in layer.inputs] for i, layer in enumerate(layers)}
    assert {i for i, strides in finer.items() if strides != [1, 1]} == {7, 14}
    assert finer[7] == finer[14] == [2, 1]
    assert layers[0].inputs == (InputPlan(108, 1), InputPlan(108, 1))
    assert layers[1].inputs == (InputPlan(108, 1), InputPlan(144, 1))


def test_three_inputs_reach_back_over_two_reductions():
    space = CnnSpace(num_layers=5, num_init_nodes=3, cell_layout=(0, 1, 1, 0, 0))
    strides = [[s.stride for s in layer.inputs] for layer in plan(space, stem=(8,) * 3, strides=(1,) * 3)]
    assert strides == [[1, 1, 1], [1, 1, 1], [2, 2, 1], [4, 2, 1], [2, 1, 1]]


def test_elementwise_outputs_have_the_channels_of_one_node():
    for concat_op in ("sum", "mean", "mul"):
        layers = plan(CnnSpace(num_layers=3, concat_op=concat_op))
        assert [layer.channels_out for layer in layers] == [layer.channels for layer in layers]


def test_listed_channels_replace_the_doubling():
    layers = plan(CnnSpace(num_layers=3), stem=(5, 5), layer_channels=(5, 8, 12, 10))
    assert [layer.channels for layer in layers] == [8, 12, 10]


def test_a_list_of_channels_of_the_wrong_length_is_refused_with_both_lengths():
    with pytest.raises(ConfigError, match="must list 4 numbers, got 3"):
        plan(CnnSpace(num_layers=3), layer_channels=(5, 8, 12))


def test_one_stem_feeds_all_inputs_and_a_list_one_each():
    assert stem_names(None, 2) == ()
    assert spread_stem("conv_bn_3x3", ["a"], "image", 2) == ["a", "a"]
    assert spread_stem(("x", "y"), ["a", "b"], "image", 2) == ["a", "b"]
    assert spread_stem(None, [], "image", 3) == ["image"] * 3


def test_a_list_of_stems_must_fit_the_inputs_of_a_cell():
    with pytest.raises(ConfigError, match="lists 3 primitives, the cells have 2 inputs"):
        stem_names(("a", "b", "c"), 2)
