"""Primitives: one text for equal layers, counts that agree with those of the layers, hashes that last."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, strategies as st
from torch import nn

from awnas_core.errors import ConfigError
from awnas_core.layers import LayerSpec, total_cost
from awnas_hardware.primitive import Primitive, difference, primitives_of
from awnas_torch.counting import count_module

sizes = st.integers(1, 99)
shapes = st.lists(sizes, min_size=1, max_size=3).map(tuple)


@given(st.sampled_from(["conv2d", "linear", "relu", "max_pool"]), shapes, shapes, st.integers(2, 9))
def test_a_primitive_reads_back(op, inputs, outputs, kernel):
    primitive = Primitive(op, inputs, outputs, (("k", kernel),))
    assert Primitive.parse(str(primitive)) == primitive


@pytest.mark.parametrize(
    "text", ["", "conv2d", "conv2d()", "conv2d(3x->4)", "conv2d(3x4->1->2)", "relu(8),k=3", "f(1,k=)"]
)
def test_other_text_is_refused(text):
    with pytest.raises(ConfigError, match="reads like"):
        Primitive.parse(text)


def test_a_default_that_is_left_out_makes_no_difference():
    shape = {"input_shape": (8, 4, 4), "output_shape": (8, 4, 4)}
    bare = LayerSpec(name="a", op="conv2d", **shape, attributes=(("kernel_size", 3),))
    full = LayerSpec(
        name="b",
        op="conv2d",
        **shape,
        attributes=(
            ("stride", (1, 1)),
            ("kernel_size", (3, 3)),
            ("padding", 1),
            ("groups", 1),
            ("dilation", 1),
        ),
    )
    assert Primitive.of(bare) == Primitive.of(full)
    assert str(Primitive.of(full)) == "conv2d(8x4x4,k=3)"


def test_the_hash_is_that_of_another_process():
    code = (
        "from awnas_hardware.primitive import Primitive\n"
        "print(Primitive.parse('conv2d(3x8x8->4x4x4,k=3,s=2)').digest)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == Primitive.parse("conv2d(3x8x8->4x4x4,s=2,k=3)").digest


def network():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, (1, 5), 1, (0, 2), groups=8, bias=False),
        nn.MaxPool2d(2),
        nn.AvgPool2d(2),
        nn.Dropout(),
        nn.Flatten(),
        nn.Linear(8, 5, bias=False),
        nn.Identity(),
        nn.Sequential(),
    )


def test_a_module_becomes_its_primitives():
    assert primitives_of(count_module(network(), (3, 8, 8))) == {
        "conv2d(3x8x8->8x4x4,k=3,s=2)": 1,
        "norm(8x4x4)": 1,
        "relu(8x4x4)": 1,
        "conv2d(8x4x4,g=8,k=1x5)": 1,
        "max_pool(8x4x4->8x2x2,k=2,s=2)": 1,
        "avg_pool(8x2x2->8x1x1,k=2,s=2)": 1,
        "linear(8->5)": 1,
    }


def test_multiply_adds_and_weights_are_those_of_the_layers():
    layers = count_module(network(), (3, 8, 8))
    primitives = [Primitive.parse(text) for text in primitives_of(layers)]
    cost = total_cost(layers)
    assert (sum(p.weights for p in primitives), sum(p.macs for p in primitives)) == (cost.params, cost.macs)


def test_traffic_is_what_is_read_and_written():
    assert Primitive.parse("conv2d(2x4x4->3x2x2,k=3,s=2)").traffic == 4 * (2 * 16 + 3 * 4 + 2 * 3 * 9)


def test_the_differing_field_is_named():
    known = ["relu(8x8x8)", "conv2d(8x8x8,k=3)", "conv2d(9x9x9->8x8x8,k=7)"]
    assert difference("conv2d(8x8x8,k=7)", known) == "kernel_size 7 vs 3"
    assert difference("linear(8->5)", known) == ""
