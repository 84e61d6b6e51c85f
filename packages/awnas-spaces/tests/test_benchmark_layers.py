"""Networks that benchmarks fix have exactly the parameters and multiply-adds that the benchmarks publish."""

import csv
from pathlib import Path

import numpy as np
import pytest

from awnas_core.layers import total_cost
from awnas_spaces.nasbench101 import NasBench101Space
from awnas_spaces.nasbench101_layers import vertex_channels
from awnas_spaces.nasbench201 import NasBench201Space
from awnas_spaces.nasbench201_layers import network_layers

# Of the NATS-Bench files: cell, data set (classes, image size), parameters in millions, FLOPs in millions.
ANCHORS_201 = [
    (cell, dataset, params, flops)
    for cell, counts in {
        "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|": (
            (0.129306, 15.64737),
            (0.135156, 15.65322),
            (0.136456, 3.91948),
        ),
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|": (
            (0.802426, 113.95137),
            (0.808276, 113.95722),
            (0.809576, 28.49548),
        ),
        "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|": (
            (0.101306, 11.71521),
            (0.107156, 11.72106),
            (0.108456, 2.93644),
        ),
    }.items()
    for dataset, (params, flops) in zip([(10, 32), (100, 32), (120, 16)], counts, strict=True)
]


@pytest.mark.parametrize(("text", "dataset", "params", "flops"), ANCHORS_201)
def test_networks_of_nasbench_201(text, dataset, params, flops):
    space = NasBench201Space()
    classes, size = dataset
    cell = [
        (space.operations[code], source, to)
        for code, (source, to) in zip(space.parse(text), space.edges, strict=True)
    ]
    cost = total_cost(network_layers(cell, classes=classes, size=size))
    assert cost.params == round(params * 1e6)
    assert cost.macs + classes == round(flops * 1e6)  # the benchmark counts the classifier's biases too


def test_flops_of_many_cells_are_those_of_their_layers():
    space = NasBench201Space()
    rollouts = space.random_samples(50, np.random.default_rng(0))
    flops = space.flops(space.encode_codes(rollouts))
    for rollout, value in zip(rollouts, flops, strict=True):
        assert value == (total_cost(space.layers(rollout)).macs + 10) / 1e6


def test_a_bound_on_flops_holds_for_samples_mutants_and_the_count():
    space = NasBench201Space(upper_flops=60.0)
    rng = np.random.default_rng(1)
    codes = space.sample_codes(300, rng)
    for rows in (codes, space.mutate_codes(codes, rng), space.crossover_codes(codes, codes[::-1], rng)):
        assert space.flops(rows).max() <= 60.0
    everything = NasBench201Space()
    all_codes = everything.encode_codes(list(everything.enumerate()))
    assert space.size() == (everything.flops(all_codes) <= 60.0).sum()


def published_cells_101():
    with (Path(__file__).parent / "data" / "nasbench101_params.csv").open() as file:
        yield from csv.DictReader(file)


def test_networks_of_500_cells_of_nasbench_101():
    """Trainable parameters of the EC-NAS table (raghavian/surrogate-ec-nasbench, MIT)."""
    space, cells = NasBench101Space(), list(published_cells_101())
    assert len(cells) == 500
    for cell in cells:
        operations = cell["inner_ops"].split()
        vertices = range(len(operations) + 2)
        bits = iter(cell["upper_triangle"])
        edges = [f"{a}-{b}" for a in vertices for b in vertices if a < b and next(bits) == "1"]
        arch = space.parse(f"NasBench101({', '.join(operations)}; {', '.join(edges)})")
        assert total_cost(space.layers(space.rollout(arch))).params == int(cell["params"])


def test_vertices_that_lead_to_the_output_share_its_channels():
    matrix = np.zeros((5, 5), dtype=bool)
    matrix[[0, 0, 0, 1, 2, 3], [1, 2, 3, 4, 4, 4]] = True
    assert vertex_channels(matrix, 128) == [43, 43, 42]
    matrix[1, 4], matrix[1, 2] = False, True  # 1 leads to 2 only, so it is as wide
    assert vertex_channels(matrix, 128) == [64, 64, 64]


def test_layers_have_names_of_their_own_and_shapes_that_fit():
    for space in (NasBench101Space(), NasBench201Space()):
        (rollout,) = space.random_samples(1, np.random.default_rng(2))
        layers = space.layers(rollout)
        assert len({layer.name for layer in layers}) == len(layers)
        assert layers[0].input_shape == (3, 32, 32)
        assert layers[-1].output_shape == (10,)
