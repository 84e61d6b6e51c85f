"""Numbers that describe a cell: how many operations, how many ways through, how short and how long."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from awnas_predictors.encoding import OUTPUT
from awnas_predictors.graphs import CellGraphs

Floats = npt.NDArray[np.float32]
MOST_SUBSETS = 128


def graph_features(graphs: CellGraphs) -> Floats:
    """Return features of each architecture, shape ``(B, F)``.

    They are the counts of operations, and for each subset of operations, looking at its edges alone: paths from inputs
    to the output, the lengths of the shortest and longest (the number of nodes and 0 where there is none), edges out
    of inputs, edges into the output, and inner nodes that any edge reaches.

    Source: Kadlecová et al., "Surprisingly Strong Performance Prediction with Neural Graph Features", ICML 2024.
    """
    counts = [(graphs.edges == op).sum((2, 3, 4)) for op in range(1, len(graphs.operations) + 1)]
    parts = [np.stack(counts, -1).reshape(len(graphs), -1)]
    parts += [_of_subset(graphs, subset).reshape(len(graphs), -1) for subset in subsets_of(graphs.operations)]
    return np.concatenate(parts, 1).astype(np.float32)


def subsets_of(operations: Sequence[str]) -> list[list[int]]:
    """Return all subsets, or those of one, two and all operations where there are too many."""
    always = [place for place, name in enumerate(operations, 1) if name == OUTPUT]
    free = [place for place, name in enumerate(operations, 1) if name != OUTPUT]
    sizes = range(1, len(free) + 1) if 2 ** len(free) <= MOST_SUBSETS else (1, 2, len(free))
    return [[*chosen, *always] for size in sizes for chosen in itertools.combinations(free, size)]


def _of_subset(graphs: CellGraphs, subset: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return the features of one subset, shape ``(B, G, 6)``."""
    links = np.isin(graphs.edges, subset).sum(2).astype(float)  # (B, G, to, from)
    nodes, inputs = links.shape[-1], graphs.num_inputs
    paths = np.zeros(links.shape[:3])
    shortest, longest = np.full(links.shape[:3], np.inf), np.full(links.shape[:3], -np.inf)
    paths[..., :inputs], shortest[..., :inputs], longest[..., :inputs] = 1, 0, 0
    for v in range(inputs, nodes):
        into = links[..., v, :v]
        paths[..., v] = (into * paths[..., :v]).sum(-1)
        shortest[..., v] = np.where(into > 0, shortest[..., :v] + 1, np.inf).min(-1)
        longest[..., v] = np.where(into > 0, longest[..., :v] + 1, -np.inf).max(-1)
    return np.stack(
        [
            paths[..., -1],
            np.minimum(shortest[..., -1], nodes),
            np.maximum(longest[..., -1], 0),
            links[..., :inputs].sum((2, 3)),
            links[..., -1, :].sum(-1),
            (links[..., inputs:-1, :] > 0).any(-1).sum(-1),
        ],
        -1,
    )
