"""Networks of published cells have the sizes that their papers and other implementations state."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from awnas_core import Device, total_cost
from awnas_networks.final_model import CnnFinalModel
from awnas_spaces.cnn import CnnSpace

PUBLISHED = yaml.safe_load((Path(__file__).parent / "data" / "published_cells.yaml").read_text())
WITH_DETAILS = [name for name, facts in PUBLISHED.items() if "cell_params" in facts]
CIFAR10 = {"init_channels": 36, "num_classes": 10, "input_shape": (3, 32, 32)}
IMAGENET = {
    "init_channels": 48,
    "num_classes": 1000,
    "input_shape": (3, 224, 224),
    "stem_multiplier": 1,
    "use_stem": ("imagenet_stem0", "relu_conv_bn_3x3"),
    "stem_stride": 2,
}


def network(name, num_layers=20, **options):
    """Return the final model of a published cell, without memory for its weights."""
    facts = PUBLISHED[name]
    steps = len(facts["normal_0"]) // 2
    space = CnnSpace(num_layers=num_layers, num_steps=steps)
    cells = ", ".join(f"{cell}={[tuple(c) for c in facts[cell]]}" for cell in ("normal_0", "reduce_1"))
    with torch.device("meta"):
        return CnnFinalModel(
            space, Device("meta"), np.random.default_rng(0), genotypes=f"CNNGenotype({cells})", **options
        )


@cache
def for_cifar10(name):
    model = network(name, **CIFAR10)
    return model, model.layers()


def counted(layers, prefix=""):
    cost = total_cost(layer for layer in layers if layer.name.startswith(prefix))
    return {"params": cost.params, "macs": cost.macs}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_network_for_cifar10_has_the_published_size(name):
    assert counted(for_cifar10(name)[1]) == PUBLISHED[name]["cifar10"]


@pytest.mark.parametrize("name", [name for name, facts in PUBLISHED.items() if "imagenet" in facts])
def test_the_network_for_imagenet_has_the_published_size(name):
    assert counted(network(name, 14, **IMAGENET).layers()) == PUBLISHED[name]["imagenet"]


def test_the_enas_network_has_its_flops_by_the_convention_of_two_for_a_multiply_add():
    assert total_cost(for_cifar10("ENAS")[1]).flops == 1_303_009_344


@pytest.mark.parametrize("name", WITH_DETAILS)
def test_every_layer_has_the_published_size(name):
    facts, (_, layers) = PUBLISHED[name], for_cifar10(name)
    assert counted(layers, "stems") == {"params": 3132, "macs": 2_985_984}
    expected = 0
    for layer in range(20):
        expected = facts["cell_params"].get(layer, expected)
        found = counted(layers, f"cells.{layer}.")
        assert found["params"] == expected, f"layer {layer}"
        assert found["macs"] == facts["cell_macs"].get(layer, found["macs"]), f"layer {layer}"
    biases = 10
    size = facts["classifier_params"]
    assert counted(layers, "classifier") == {"params": size, "macs": size - biases}


@pytest.mark.parametrize("name", ["ENAS", "DARTS"])
def test_the_auxiliary_head_has_the_published_size_and_is_not_counted(name):
    model = network(name, auxiliary_head=True, **CIFAR10)
    head = sum(p.numel() for n, p in model.named_parameters() if "auxiliary" in n)
    assert head == PUBLISHED[name]["auxiliary_params"]
    assert counted(model.layers()) == PUBLISHED[name]["cifar10"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_counted_parameters_are_those_of_the_module(name):
    model, layers = for_cifar10(name)
    assert counted(layers)["params"] == sum(parameter.numel() for parameter in model.parameters())
