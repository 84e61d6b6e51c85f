"""Networks of tabular benchmarks have the sizes that the benchmarks publish, and compute what their cells say."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from awnas_core import Device, total_cost
from awnas_core.errors import AwnasError, ConfigError
from awnas_networks.benchmarks.nasbench101 import NasBench101FinalModel
from awnas_networks.benchmarks.nasbench201 import NasBench201FinalModel
from awnas_networks.benchmarks.nasbench_macro import NasBenchMacroFinalModel
from awnas_spaces.nasbench101 import NasBench101Space
from awnas_spaces.nasbench101_oneshot import NasBench101OneShot1
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nasbench_macro import NasBenchMacroSpace

DATA_SETS = {
    "cifar10-valid": (10, 32),
    "cifar10": (10, 32),
    "cifar100": (100, 32),
    "ImageNet16-120": (120, 16),
}
SIZE_SPACE_CELL = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
SKIPS = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|"


def published(name):
    with (Path(__file__).parent / "data" / f"{name}_sizes.csv").open() as file:
        return list(csv.DictReader(file))


SOME_AND_ALL = pytest.mark.parametrize("rows", [40, pytest.param(500, marks=pytest.mark.slow)])


def built(model, space, genotypes, *, device="meta", classes=10, size=32, **options):
    """Return a final model; on the meta device it takes no memory."""
    rng = np.random.default_rng(0)
    with torch.device(device):
        return model(
            space, Device(device), rng, classes, (3, size, size), genotypes=genotypes, **options
        ).eval()


def graph_text(cell):
    operations = cell["inner_ops"].split()
    vertices = range(len(operations) + 2)
    bits = iter(cell["upper_triangle"])
    edges = [f"{a}-{b}" for a in vertices for b in vertices if a < b and next(bits) == "1"]
    return f"NasBench101({', '.join(operations)}; {', '.join(edges)})"


@pytest.mark.parametrize("row", published("nats"), ids=lambda row: f"{row['arch']}-{row['dataset']}")
def test_networks_of_nats_bench_have_the_published_parameters_and_flops(row):
    classes, size = DATA_SETS[row["dataset"]]
    if row["space"] == "tss":
        text, options = row["arch"], {}
    else:
        text, options = SIZE_SPACE_CELL, {"layer_channels": tuple(map(int, row["arch"].split(":")))}
    model = built(NasBench201FinalModel, NasBench201Space(), text, classes=classes, size=size, **options)
    cost = total_cost(model.layers())
    assert cost.params == round(float(row["params_m"]) * 1e6) == sum(p.numel() for p in model.parameters())
    assert cost.macs + classes == round(float(row["flops_m"]) * 1e6)  # theirs count the classifier's biases


@SOME_AND_ALL
def test_networks_of_random_cells_of_nasbench_101_have_the_published_parameters(rows):
    space, cells = NasBench101Space(), published("nasbench101")[:rows]
    assert len(cells) == rows
    for cell in cells:
        model = built(NasBench101FinalModel, space, graph_text(cell))
        assert sum(p.numel() for p in model.parameters()) == int(cell["params"])


@SOME_AND_ALL
def test_networks_of_random_chains_of_nasbench_macro_have_the_published_parameters_and_flops(rows):
    space, chains = NasBenchMacroSpace(), published("nasbench_macro")
    chains = chains[:: len(chains) // rows][:rows]
    assert len(chains) == rows
    for chain in chains:
        cost = total_cost(built(NasBenchMacroFinalModel, space, chain["arch"]).layers())
        assert (cost.params, cost.macs) == (int(chain["params"]), int(chain["flops"]))


@pytest.mark.parametrize(
    ("model", "space"),
    [
        (NasBench101FinalModel, NasBench101Space()),
        (NasBench101FinalModel, NasBench101OneShot1()),
        (NasBench201FinalModel, NasBench201Space()),
        (NasBenchMacroFinalModel, NasBenchMacroSpace()),
    ],
)
def test_built_networks_have_the_layers_that_the_space_counts(model, space):
    for rollout in space.random_samples(8, np.random.default_rng(3)):
        network = built(model, space, space.genotype(rollout.arch))
        found, counted = total_cost(network.layers()), total_cost(space.layers(rollout))
        assert (found.params, found.macs) == (counted.params, counted.macs)


def test_a_node_of_nasbench_201_sums_what_comes_in():
    cell = built(NasBench201FinalModel, NasBench201Space(), SKIPS, device="cpu").network.layers[0]
    inputs = torch.randn(2, 16, 8, 8)
    assert torch.equal(cell(inputs), 4 * inputs)  # nodes: x, x, 2x, 4x
    broken = SKIPS.replace("skip_connect~1|+|skip_connect~0", "none~1|+|none~0")
    assert torch.equal(
        built(NasBench201FinalModel, NasBench201Space(), broken, device="cpu").network.layers[0](inputs),
        2 * inputs,
    )


def test_a_cell_of_nasbench_201_without_a_path_gives_zeros():
    text = SKIPS.replace("skip_connect", "none")
    model = built(NasBench201FinalModel, NasBench201Space(), text, device="cpu")
    images = torch.randn(2, 3, 32, 32)
    assert not model.network.layers[0](model.network.stem(images)).any()
    assert model(images).shape == (2, 10)


def test_a_cell_of_nasbench_101_projects_truncates_concatenates_and_adds():
    text = "NasBench101(maxpool3x3, maxpool3x3, maxpool3x3; 0-1, 0-2, 1-2, 1-4, 2-4, 2-3, 3-4, 0-4)"
    cell = built(NasBench101FinalModel, NasBench101Space(), text, device="cpu").network.layers[0]
    inputs = torch.randn(2, 128, 8, 8)
    project = {int(name): module(inputs) for name, module in cell.projections.items()}
    pool = torch.nn.functional.max_pool2d
    first = pool(project[1], 3, 1, 1)  # of 43, 43 and 42 channels
    second = pool(project[2] + first, 3, 1, 1)
    third = pool(second[:, :42], 3, 1, 1)
    assert torch.equal(cell(inputs), torch.cat([first, second, third], 1) + project[4])


@pytest.mark.parametrize(("init_channels", "cells"), [(4, 1), (8, 2)])
def test_small_networks_train_on_small_images(init_channels, cells):
    for model, space in (
        (NasBench101FinalModel, NasBench101Space()),
        (NasBench201FinalModel, NasBench201Space()),
    ):
        (rollout,) = space.random_samples(1, np.random.default_rng(0))
        text = space.genotype(rollout.arch)
        options = {"init_channels": init_channels, "cells": cells}
        network = built(model, space, text, device="cpu", size=8, **options)
        network.train()(torch.randn(4, 3, 8, 8)).sum().backward()
        assert network.network.classifier.weight.grad is not None


def test_layer_channels_of_another_depth_are_refused():
    with pytest.raises(ConfigError, match="5, 8, 11"):
        built(NasBench201FinalModel, NasBench201Space(), SKIPS, layer_channels=(8, 8, 8))


def test_a_genotype_of_another_space_is_refused():
    with pytest.raises(AwnasError, match="eight blocks"):
        built(NasBenchMacroFinalModel, NasBenchMacroSpace(), SKIPS)
