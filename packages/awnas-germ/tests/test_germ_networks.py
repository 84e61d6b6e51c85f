"""Every network that comes with awnas-germ: candidates, finalised networks, counting, published sizes."""

import threading

import numpy as np
import pytest
import torch

from awnas_core import Device
from awnas_core.layers import total_cost
from awnas_core.testing import build
from awnas_germ.networks.mobilenet_v2 import MobileNetV2
from awnas_germ.networks.shufflenet_v2 import ShuffleNetV2
from awnas_germ.space import GermSpace
from awnas_germ.supernet import GermSuperNet
from awnas_torch.counting import count_module

SMALL = {
    "mobilenet-v2": {
        "channels": (8, 8, 16),
        "strides": (1, 2, 2),
        "stem_channels": 8,
        "last_channels": 16,
        "depths": (1, 2),
    },
    "shufflenet-v2": {"channels": (8, 16, 32, 64), "repeats": (1, 2), "stem_pool": False},
    "mobiledet": {"channels": (8, 8, 16), "strides": (1, 2), "repeats": (1, 2)},
    "nasbench-201": {"channels": 4, "cells": 1},
    "nds-resnet": {"depths": (1, 2), "widths": (8, 16), "stem_channels": 8},
    "nds-resnext": {"depths": (1, 2), "widths": (16, 32)},
    "vision-transformer": {"features": (16, 24), "depths": (1, 2)},
}
SHAPE = (3, 8, 8)


def space_of(name, cfg=None, shape=SHAPE):
    options = {"network_type": name, "network_cfg": SMALL[name] if cfg is None else cfg}
    return build("search_space", "germ", options, {"input_shape": shape, "num_classes": 10})


def supernet_of(space, seed=0):
    return GermSuperNet(space, Device("cpu"), np.random.default_rng(seed))


def cost_of(space, values):
    """Parameters and multiply-adds of the architecture that a mapping describes."""
    return space.costs(np.array([space.parse(str(values))]))[0].tolist()


@pytest.mark.parametrize("name", SMALL)
def test_a_finalised_network_computes_what_its_candidate_does_in_train_and_eval_mode(name):
    space = space_of(name)
    supernet = supernet_of(space)
    rng, images = np.random.default_rng(1), torch.randn(4, *SHAPE)
    for rollout in space.random_samples(100, rng):
        candidate, final = supernet.assemble_candidate(rollout), supernet.finalize(rollout)
        with torch.no_grad():
            torch.testing.assert_close(final.train()(images), candidate.train()(images), atol=1e-5, rtol=1e-5)
            # both have seen the same batch, so their running statistics agree
            torch.testing.assert_close(final.eval()(images), candidate.eval()(images), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_counting_before_building_equals_counting_the_finalised_network(name):
    space = space_of(name)
    supernet = supernet_of(space)
    codes = space.sample_codes(20, np.random.default_rng(2))
    for rollout, (params, macs) in zip(space.rollouts(codes), space.costs(codes).tolist(), strict=True):
        final = supernet.finalize(rollout)
        cost = total_cost(count_module(final, SHAPE))
        assert (params, macs) == (cost.params, cost.macs), rollout
        assert params == sum(parameter.numel() for parameter in final.parameters())


def test_the_network_of_the_paper_is_one_architecture_of_mobilenet_v2():
    space = GermSpace((3, 224, 224), network=lambda: MobileNetV2(1000, (3, 224, 224), kernel_sizes=(3, 5)))
    depths = {
        f"stages.{stage}.depth": depth for stage, depth in zip(range(1, 6), (2, 3, 4, 3, 3), strict=True)
    }
    values = {d.name: 3 if d.name.endswith("kernel_size") else 6 for d in space.decisions} | depths
    # torchvision's mobilenet_v2 has these parameters; 300.77 million multiply-adds are its published count
    assert cost_of(space, values) == [3_504_872, 300_774_272]


def test_shufflenet_v2_at_its_published_width_has_its_published_size():
    space = GermSpace((3, 224, 224), network=lambda: ShuffleNetV2(1000, (3, 224, 224), kernel_sizes=(3, 5)))
    values = {d.name: 3 if d.name.endswith("kernel_size") else 1.0 for d in space.decisions}
    assert cost_of(space, values)[0] == 2_278_604  # torchvision's shufflenet_v2_x1_0


def test_nasbench_201_has_its_published_size_and_counts():
    space = space_of("nasbench-201", {}, (3, 32, 32))
    assert space.size() == 15_625
    # the first row of the published table: |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|…
    ops = ["avg_pool_3x3", "nor_conv_1x1", "skip_connect", "nor_conv_1x1", "skip_connect", "skip_connect"]
    edges = dict(zip((d.name for d in space.decisions), ops, strict=True))
    assert cost_of(space, edges)[0] == 129_306


def test_the_size_equals_the_number_of_different_genotypes():
    space = space_of("nds-resnet", {"depths": (1, 2), "widths": (8, 16), "stem_channels": 8})
    assert space.size() == len({str(rollout.genotype) for rollout in space.enumerate()}) == 4**3


def test_two_candidates_in_two_threads_do_not_disturb_each_other():
    space = space_of("mobilenet-v2")
    supernet = supernet_of(space)
    rollouts = space.random_samples(2, np.random.default_rng(3))
    images = torch.randn(2, *SHAPE)
    candidates = [supernet.assemble_candidate(rollout).eval() for rollout in rollouts]
    with torch.no_grad():
        expected = [candidate(images) for candidate in candidates]
    wrong = []

    def work(index):
        with torch.no_grad():
            wrong.extend(
                index for _ in range(20) if not torch.equal(candidates[index](images), expected[index])
            )

    threads = [threading.Thread(target=work, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_an_exception_inside_a_forward_leaves_the_supernet_as_it_was():
    space = space_of("mobilenet-v2")
    supernet = supernet_of(space).train()
    before = {name: tensor.clone() for name, tensor in supernet.state_dict().items()}
    modules = [(type(module), module.training) for module in supernet.modules()]
    candidate = supernet.assemble_candidate(space.random_sample(np.random.default_rng(0))).eval()
    with pytest.raises(RuntimeError):
        candidate(torch.randn(2, 5, 8, 8))  # five channels instead of three
    after = supernet.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert [(type(module), module.training) for module in supernet.modules()] == modules


def test_a_candidate_trains_the_weights_it_borrows():
    space = space_of("mobilenet-v2")
    supernet = supernet_of(space)
    candidate = supernet.assemble_candidate(space.random_sample(np.random.default_rng(0)))
    shared = {id(parameter) for parameter in supernet.parameters()}
    assert {id(parameter) for parameter in candidate.parameters()} <= shared


def test_a_candidate_is_traced_in_one_piece():
    space = space_of("nds-resnet", {"depths": (1, 2), "widths": (8, 16)})
    candidate = supernet_of(space).assemble_candidate(space.random_sample(np.random.default_rng(0))).eval()
    exported = torch.export.export(candidate, (torch.randn(2, *SHAPE),))
    images = torch.randn(2, *SHAPE)
    torch.testing.assert_close(exported.module()(images), candidate(images))


def test_a_state_dict_loads_into_the_same_finalised_network():
    space = space_of("vision-transformer")
    rollout = space.random_sample(np.random.default_rng(0))
    first = supernet_of(space).finalize(rollout).eval()
    second = supernet_of(space, seed=9).finalize(rollout).eval()
    second.load_state_dict(first.state_dict())
    images = torch.randn(2, *SHAPE)
    torch.testing.assert_close(first(images), second(images))
