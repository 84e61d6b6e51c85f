"""The supernets of NAS-Bench-201 lend out the network of the benchmark, and have the sizes that are known of them."""

import numpy as np
import pytest
import torch
from torch import nn

from awnas_core import Device, total_cost
from awnas_core.rollout import RelaxedRollout
from awnas_core.testing import WeightsManagerContract, build
from awnas_networks.benchmarks.nasbench201 import NasBench201FinalModel
from awnas_networks.benchmarks.nasbench201_supernet import NasBench201DiffSuperNet
from awnas_networks.legacy import nasbench201
from awnas_spaces.nasbench201 import NasBench201Space

SPACE = NasBench201Space()
WITH_WEIGHTS = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)
CONVOLUTIONS = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def supernet(**options):
    options = {"init_channels": 4, "cells": 2} | options
    return NasBench201DiffSuperNet(SPACE, Device(), np.random.default_rng(0), 10, (3, 16, 16), **options)


def with_noise(network, seed):
    """Give every normalisation weights and statistics that are not those of a fresh one."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return network.eval()


def one_hot(rollout):
    (mixture,) = SPACE.mixtures
    return {"cell": np.eye(mixture.shape[1], dtype=np.float32)[list(rollout.arch)]}


class TestNasBench201SuperNet(WeightsManagerContract):
    component = "nasbench-201-supernet"
    cfg = {"init_channels": 4, "cells": 1}

    def space(self):
        return build("search_space", "nasbench-201")

    def collaborators(self):
        return {"search_space": self.space(), "num_classes": 3, "input_shape": (1, 8, 8)}

    def inputs(self):
        return torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


class TestNasBench201DiffSuperNet(TestNasBench201SuperNet):
    component = "nasbench-201-diff-supernet"


@pytest.mark.parametrize(
    "text", [*(str(r.genotype) for r in SPACE.random_samples(6, np.random.default_rng(1))), BEST]
)
def test_a_candidate_equals_the_final_model_with_the_same_weights(text):
    rollout = SPACE.rollout(SPACE.parse(text))
    candidate = with_noise(supernet(cell_bn_affine=True), 1).assemble_candidate(rollout).eval()
    final = NasBench201FinalModel(
        SPACE, Device(), np.random.default_rng(5), 10, (3, 16, 16), genotypes=text, init_channels=4, cells=2
    ).eval()
    lent = [module for module in candidate.modules() if isinstance(module, WITH_WEIGHTS)]
    own = [module for module in final.modules() if isinstance(module, WITH_WEIGHTS)]
    for mine, theirs in zip(own, lent, strict=True):
        mine.load_state_dict(theirs.state_dict())
    images = torch.randn(3, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(candidate(images), final(images), rtol=1e-5, atol=1e-5)


def test_a_mixture_of_one_operation_on_each_edge_equals_the_discrete_candidate():
    manager = with_noise(supernet(cell_bn_affine=True), 2)
    images = torch.randn(3, 3, 16, 16)
    for rollout in SPACE.random_samples(6, np.random.default_rng(2)):
        mixed = manager.assemble_candidate(RelaxedRollout(SPACE, one_hot(rollout))).eval()
        with torch.no_grad():
            torch.testing.assert_close(
                mixed(images), manager.assemble_candidate(rollout).eval()(images), rtol=1e-5, atol=1e-5
            )
        leaves = {key: torch.tensor(value, requires_grad=True) for key, value in one_hot(rollout).items()}
        mixed(images, leaves).square().sum().backward()
        assert leaves["cell"].grad.shape == (6, 5)
        assert leaves["cell"].grad[:, 1:].abs().sum() > 0


def test_sizes_are_those_of_the_benchmark():
    manager = NasBench201DiffSuperNet(SPACE, Device(), np.random.default_rng(0), 10, (3, 32, 32))
    assert sum(p.numel() for p in manager.parameters()) == 1_686_106
    for text, params, macs in ((CONVOLUTIONS, 1_524_826, 220_119_680), (BEST, 1_282_906, 184_730_240)):
        rollout = SPACE.rollout(SPACE.parse(text))
        cost = total_cost(manager.layers(rollout))
        active = sum(p.numel() for p in manager.assemble_candidate(rollout).parameters())
        assert (cost.params, active, cost.macs) == (params, params, macs)


def test_other_operations_and_vertices_make_another_supernet():
    space = NasBench201Space(vertices=3, ops_choices=("skip_connect", "nor_conv_1x1"))
    manager = NasBench201DiffSuperNet(
        space, Device(), np.random.default_rng(0), 2, (1, 8, 8), init_channels=4, cells=1
    )
    for rollout in space.enumerate():
        assert manager.assemble_candidate(rollout)(torch.randn(2, 1, 8, 8)).shape == (2, 2)


def test_older_options_are_translated_and_a_mapping_of_weights_is_refused():
    options, notes = nasbench201(
        {"init_channels": 8, "stem_multiplier": 1, "gpus": [0], "iso_mapping_file": None}
    )
    assert options == {"init_channels": 8}
    assert len(notes) == 2
    with pytest.raises(Exception, match="iso_mapping_file"):
        nasbench201({"iso_mapping_file": "iso.yaml"})
