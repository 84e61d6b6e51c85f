"""The final model is its genotype: every option does what it says, in training and in evaluation."""

import numpy as np
import pytest
import torch
from torch import nn

from awnas_core import Device, total_cost
from awnas_core.errors import AwnasError, ConfigError
from awnas_networks.auxiliary import AuxiliaryHead
from awnas_networks.drop_path import drop_path
from awnas_networks.final_model import CnnFinalModel
from awnas_networks.supernet import SuperNet
from awnas_spaces.cnn import CnnSpace

GENOTYPE = (
    "CNNGenotype(normal_0=(('sep_conv_3x3', 0, 2), ('skip_connect', 1, 2), ('max_pool_3x3', 0, 3), "
    "('dil_conv_3x3', 2, 3)), reduce_1=(('max_pool_3x3', 0, 2), ('sep_conv_3x3', 1, 2), "
    "('skip_connect', 1, 3), ('avg_pool_3x3', 2, 3)))"
)
TWICE = GENOTYPE.replace("('skip_connect', 1, 2)", "('sep_conv_3x3', 0, 2)", 1)


def model(genotypes=GENOTYPE, *, size=16, **options):
    space = CnnSpace(num_layers=3, num_steps=2)
    options = {"init_channels": 4, "dropout_rate": 0.0, "dropout_path_rate": 0.0} | options
    return CnnFinalModel(
        space, Device("cpu"), np.random.default_rng(0), 10, (3, size, size), genotypes=genotypes, **options
    )


def images(n=4, size=16):
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(1))


def cost(net, prefix=""):
    return total_cost(layer for layer in net.layers() if layer.name.startswith(prefix))


def test_logits_come_alone_but_for_training_with_an_auxiliary_head():
    assert model()(images()).shape == (4, 10)
    net = model(auxiliary_head=True, size=32)
    logits, auxiliary = net.train()(images(size=32))
    assert logits.shape == auxiliary.shape == (4, 10)
    assert net.eval()(images(size=32)).shape == (4, 10)


def test_the_auxiliary_head_sits_after_two_thirds_of_the_depth():
    seen = []
    net = model(auxiliary_head=True, size=32).train()
    net.network.cells[2].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    net.network.auxiliary.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    net(images(size=32))
    assert seen[0] is seen[1]


def test_both_kinds_of_auxiliary_head_take_the_features_they_are_made_for():
    for kind, size in (("cifar", 8), ("imagenet", 14)):
        assert AuxiliaryHead(12, 7, size, kind)(torch.zeros(2, 12, size, size)).shape == (2, 7)


def test_features_too_small_for_an_auxiliary_head_are_refused_with_their_size():
    with pytest.raises(ConfigError, match="here they have 4"):
        model(auxiliary_head=True, size=16)


def test_an_operation_twice_on_one_edge_has_its_weights_once_and_its_multiply_adds_twice():
    shared, independent = model(TWICE), model(TWICE, cell_independent_conn=True)
    edge = 2 * (9 * 4 + 4 * 4 + 2 * 4)
    assert cost(independent, "cells.0").params - cost(shared, "cells.0").params == edge
    assert cost(independent).macs == cost(shared).macs


def test_a_search_counts_what_is_trained_after_it():
    space = CnnSpace(num_layers=3, num_steps=2)
    options = {"init_channels": 4, "bn_affine": True}
    supernet = SuperNet(space, Device("cpu"), np.random.default_rng(0), 10, (3, 16, 16), **options)
    rollouts = space.random_samples(40, np.random.default_rng(1))
    normal_cells = [str(rollout.genotype).partition("reduce")[0] for rollout in rollouts]
    assert any(", 1, " not in cell for cell in normal_cells), "no cell leaves its newer input unread"
    for rollout in rollouts:
        trained, counted = (
            total_cost(layers)
            for layers in (
                model(str(rollout.genotype), cell_pool_batchnorm=True).layers(),
                supernet.layers(rollout),
            )
        )
        assert (trained.params, trained.macs) == (counted.params, counted.macs)


def test_pools_are_followed_by_normalisation_only_when_asked():
    def norms(**options):
        return sum(isinstance(module, nn.BatchNorm2d) for module in model(**options).modules())

    pools = 1 + 2 + 2  # in one normal cell and two reductions
    assert norms(cell_pool_batchnorm=True) - norms() == pools


def test_listed_channels_are_those_of_stem_and_layers():
    net = model(layer_channels=(6, 4, 10, 12))
    shapes = {layer.name: layer.output_shape for layer in net.layers()}
    assert shapes["stems.0.0"][0] == 6
    assert [shapes[f"cells.{i}.preprocess.1.1"][0] for i in (0, 1, 2)] == [4, 10, 12]


def test_without_classifier_it_returns_features():
    assert model(no_fc=True)(images()).shape == (4, 2 * 16)  # two nodes of 4·2·2 channels


def test_a_shortcut_adds_the_newest_input_from_the_second_layer_on():
    net = model(cell_use_shortcut=True, cell_shortcut_op_type="relu_conv_bn_1x1")
    assert net.network.cells[0].shortcut is None
    cell = net.network.cells[1].eval()
    inputs = [torch.randn(2, 12, 16, 16), torch.randn(2, 8, 16, 16)]
    with torch.no_grad():
        with_shortcut = cell(inputs)
        expected = with_shortcut - cell.shortcut(inputs[1])
        cell.shortcut = None
        assert torch.allclose(cell(inputs), expected, atol=1e-6)


def test_paths_are_dropped_in_training_only():
    net = model(dropout_path_rate=0.5)
    net.eval()
    assert torch.equal(net(images()), net(images()))
    net.train()
    assert not torch.equal(net(images()), net(images()))
    net.dropout_path_rate = 0.0  # what a schedule sets
    assert torch.equal(net(images()), net(images()))


def test_the_identity_is_never_dropped():
    only_skips = GENOTYPE
    for name in ("sep_conv_3x3", "max_pool_3x3", "dil_conv_3x3", "avg_pool_3x3"):
        only_skips = only_skips.replace(name, "skip_connect")
    cell = model(only_skips).network.cells[0].train()
    inputs = [torch.randn(8, 12, 8, 8)] * 2
    assert torch.equal(cell(inputs, 0.9), cell(inputs, 0.0))


def test_dropping_a_path_zeroes_whole_examples_and_keeps_the_expectation():
    torch.manual_seed(0)
    inputs = torch.rand(4000, 2, 3, 3) + 1
    before = inputs.clone()
    outputs = drop_path(inputs, 0.25)
    factors = (outputs / inputs).reshape(4000, -1)
    assert torch.equal(inputs, before)
    assert torch.allclose(factors, factors[:, :1].expand_as(factors))
    kept = factors[:, 0] > 0
    assert torch.allclose(factors[kept], torch.tensor(1 / 0.75))
    assert (factors[:, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert drop_path(inputs, 0.0) is inputs


def test_a_genotype_of_another_space_is_refused():
    with pytest.raises(AwnasError, match="no operation 'conv_9x9'"):
        model(GENOTYPE.replace("sep_conv_3x3", "conv_9x9"))
    with pytest.raises(AwnasError, match="reduce_1"):
        model(GENOTYPE.replace("reduce_1", "reduce_2"))


def test_a_trained_model_is_restored_from_its_state():
    net, other = model(), model()
    net.train()(images())
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1)
    other.load_state(net.state())
    assert torch.equal(net.eval()(images()), other.eval()(images()))


def test_weights_of_another_network_are_refused():
    with pytest.raises(RuntimeError, match="size mismatch"):
        model().load_state(model(init_channels=8).state())
