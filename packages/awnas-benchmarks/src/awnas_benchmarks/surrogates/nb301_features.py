"""What the surrogate models of NAS-Bench-301 are told of a cell: a number for each setting of its configuration space.

The order is that of ConfigSpace: settings that always count, then those that depend on others, each by name. Operations
and pairs of inputs are given by their place in the benchmark's lists, what does not count is −1; how the networks were
trained is the same for all.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from awnas_core.rollout import Arch
from awnas_spaces.nb301 import Nb301Space

OPERATIONS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
CELLS = ("normal", "reduce")
STEPS = 4
# How the networks were trained, as ConfigSpace scales it: batches of 96, cutout of 16, 32 channels, 8 layers, …
FIXED = {
    "CreateImageDataLoader:batch_size": 0.5863451791322545,
    "ImageAugmentation:augment": 0.0,
    "ImageAugmentation:autoaugment": 0.0,
    "ImageAugmentation:cutout": 0.0,
    "ImageAugmentation:cutout_holes": 0.16666444442962952,
    "ImageAugmentation:cutout_length": 0.3099999239999697,
    "ImageAugmentation:fastautoaugment": 0.0,
    "LossModuleSelectorIndices:loss_module": 0.0,
    "NetworkSelectorDatasetInfo:darts:auxiliary": 0.0,
    "NetworkSelectorDatasetInfo:darts:drop_path_prob": 0.0,
    "NetworkSelectorDatasetInfo:darts:init_channels": 0.003149999006299998,
    "NetworkSelectorDatasetInfo:darts:layers": 0.000749999001499998,
    "NetworkSelectorDatasetInfo:network": 0.0,
    "OptimizerSelector:optimizer": 0.0,
    "OptimizerSelector:sgd:learning_rate": math.log(0.025),
    "OptimizerSelector:sgd:momentum": 0.8988764044943821,
    "OptimizerSelector:sgd:weight_decay": math.log(0.0003),
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": 0.009949999019899998,
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min": 1e-12,
    "SimpleLearningrateSchedulerSelector:lr_scheduler": 0.0,
    "SimpleTrainNode:batch_loss_computation_technique": 0.0,
    "SimpleTrainNode:mixup:alpha": 0.7051278400653053,
}
_CELL = "NetworkSelectorDatasetInfo:darts:"


def _names() -> list[str]:
    edges = [f"{_CELL}edge_{cell}_{edge}" for cell in CELLS for edge in range(14)]
    pairs = [f"{_CELL}inputs_node_{cell}_{node}" for cell in CELLS for node in (3, 4, 5)]
    always = [name for name in edges if name[-2:] in ("_0", "_1")]
    return sorted([*FIXED, *pairs, *always]) + sorted(set(edges) - set(always))


NAMES = tuple(_names())
_PLACE = {name: place for place, name in enumerate(NAMES)}


def features(space: Nb301Space, arch: Arch) -> npt.NDArray[np.float64]:
    """Return the 56 numbers of an architecture."""
    row = np.full(len(NAMES), -1.0)
    for name, value in FIXED.items():
        row[_PLACE[name]] = value
    for group, (cell, (nodes, codes)) in enumerate(zip(CELLS, space.cells(arch), strict=True)):
        operations = [OPERATIONS.index(space.primitives_of(group)[code]) for code in codes]
        for step in range(STEPS):
            first_edge = step * (step + 3) // 2  # two edges lead to the first node, one more to each next
            pair = sorted(nodes[2 * step : 2 * step + 2])
            for source, operation in zip(pair, operations[2 * step : 2 * step + 2], strict=True):
                row[_PLACE[f"{_CELL}edge_{cell}_{first_edge + source}"]] = operation
            if step:
                pairs = map(list, itertools.combinations(range(step + 2), 2))
                row[_PLACE[f"{_CELL}inputs_node_{cell}_{step + 2}"]] = list(pairs).index(pair)
    return row
