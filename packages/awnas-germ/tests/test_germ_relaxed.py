"""Networks whose choices are weights over their values."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from awnas_core import Device, RelaxedRollout
from awnas_core.testing import build
from awnas_germ import (
    Choices,
    Conv2d,
    ConvBnAct,
    LayerNorm,
    Linear,
    MixedOp,
    OpOnEdge,
    OpOnNode,
    Repeat,
    Select,
    Subset,
)
from awnas_germ.relax import relaxed_candidate
from awnas_germ.resolve import Resolver
from awnas_germ.space import GermSpace
from awnas_germ.supernet import GermSuperNet

SHAPE = (3, 8, 8)
NETWORKS = {
    "mobilenet-v2": {
        "channels": (8, 8, 16),
        "strides": (1, 2, 2),
        "stem_channels": 8,
        "last_channels": 16,
        "depths": (1, 2),
    },
    "shufflenet-v2": {"channels": (8, 16, 32, 64), "repeats": (1, 2), "stem_pool": False},
    "nasbench-201": {"channels": 4, "cells": 1},
    "vision-transformer": {"features": (16, 24), "depths": (1, 2)},
}


def one_hot(space, rollout):
    codes = zip(space.decisions, rollout.arch, strict=True)
    return {d.name: torch.eye(len(d.choices))[code][None] for d, code in codes}


@pytest.mark.parametrize("name", NETWORKS)
def test_one_hot_weights_give_the_discrete_network(name):
    options = {"network_type": name, "network_cfg": NETWORKS[name]}
    space = build("search_space", "germ", options, {"input_shape": SHAPE, "num_classes": 10})
    supernet = GermSuperNet(space, Device("cpu"), np.random.default_rng(0))
    images = torch.randn(4, *SHAPE)
    for rollout in space.random_samples(5, np.random.default_rng(1)):
        relaxed = RelaxedRollout(space, one_hot(space, rollout))
        assert relaxed.arch == rollout.arch
        with torch.no_grad():
            expected = supernet.assemble_candidate(rollout).train()(images)
            torch.testing.assert_close(
                supernet.assemble_candidate(relaxed).train()(images), expected, atol=1e-4, rtol=1e-4
            )


class Chooser(nn.Module):
    """Every kind of choice that can be relaxed, in a network that is linear but for two layers."""

    def __init__(self):
        super().__init__()
        self.width, self.kernel = Choices([2, 3, 5]), Choices([1, 3])
        self.stem = Conv2d(3, self.width, self.kernel)
        self.pair = Select(Subset(range(3), 2))
        self.edge = OpOnEdge(2, 1, lambda: {"id": nn.Identity(), "twice": _Times(2.0)})
        self.node = OpOnNode(2, 2, lambda: {"id": nn.Identity(), "thrice": _Times(3.0)})
        self.deep = Repeat([_Times(0.5), _Times(4.0)], Choices([0, 1, 2]))
        self.norm = LayerNorm(self.width)
        self.head = Linear(self.width, 4)

    def forward(self, images):
        stem = self.stem(images).mean((2, 3))
        first, second = self.pair([stem, 2 * stem, stem + 1])
        joined = self.node([first, self.edge([first, second])])
        return self.head(self.norm(self.deep(joined)))


class _Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, inputs):
        return self.factor * inputs


def test_a_convolution_with_mixed_choices_is_the_mixture_of_convolutions():
    width, kernel = Choices([2, 3, 5]), Choices([1, 3])
    layer, images = Conv2d(width, width, kernel), torch.randn(2, 5, 6, 6)
    given = {"w": torch.rand(1, 3).softmax(-1), "k": torch.rand(1, 2).softmax(-1)}
    mixed = relaxed_candidate(layer, {width: "w", kernel: "k"}, given)(images)
    expected = torch.zeros_like(mixed)
    for (i, w), (j, k) in itertools.product(enumerate(width.choices), enumerate(kernel.choices)):
        output = Resolver({width: w, kernel: k}).module(layer)(images[:, :w])
        expected[:, :w] += given["w"][0, i] * given["k"][0, j] * output
    torch.testing.assert_close(mixed, expected)


def test_one_hot_weights_of_every_kind_of_choice_give_the_discrete_network():
    space = GermSpace(SHAPE, network=Chooser)
    supernet = GermSuperNet(space, Device("cpu"), np.random.default_rng(0))
    images = torch.randn(2, *SHAPE)
    for rollout in space.random_samples(40, np.random.default_rng(2)):
        mixed = supernet.assemble_candidate(RelaxedRollout(space, one_hot(space, rollout)))(images)
        torch.testing.assert_close(mixed, supernet.assemble_candidate(rollout)(images), atol=1e-5, rtol=1e-4)


def test_gradients_of_the_weights_are_right():
    space = GermSpace(SHAPE, network=Chooser)
    supernet = GermSuperNet(space, Device("cpu"), np.random.default_rng(0)).double()
    rollout = RelaxedRollout(
        space, {m.name: torch.full(m.shape, 1 / m.shape[1]).double() for m in space.mixtures}
    )
    candidate, images = supernet.assemble_candidate(rollout), torch.randn(2, *SHAPE).double()
    names = [m.name for m in space.mixtures]
    leaves = [rollout.relaxed[name].clone().requires_grad_() for name in names]

    def loss(*values):
        return candidate(images, dict(zip(names, values, strict=True))).square().sum()

    assert torch.autograd.gradcheck(loss, leaves)


def test_what_has_weight_zero_is_not_computed():
    class Broken(nn.Module):
        def forward(self, inputs):
            raise AssertionError("this operation has weight 0")

    op = MixedOp({"id": nn.Identity(), "broken": Broken()})
    candidate = relaxed_candidate(op, {op.which: "op"}, {"op": torch.tensor([[1.0, 0.0]])})
    assert candidate(torch.ones(2)).tolist() == [1, 1]
    with pytest.raises(AssertionError, match="weight 0"):
        candidate(torch.ones(2), {"op": torch.tensor([[1.0, 0.0]], requires_grad=True)})


def test_choices_that_cannot_be_relaxed_are_named():
    class Strided(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = ConvBnAct(3, 4, 3, Choices([1, 2]))

        def forward(self, images):
            return self.conv(images)

    space = GermSpace(SHAPE, network=Strided)
    supernet = GermSuperNet(space, Device("cpu"), np.random.default_rng(0))
    relaxed = RelaxedRollout(space, {m.name: torch.full(m.shape, 0.5) for m in space.mixtures})
    with pytest.raises(Exception, match="'stride' of Conv2d cannot be relaxed"):
        supernet.assemble_candidate(relaxed)
