"""Numbers that describe the paths through a cell: what stands on them, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from awnas_predictors.graph_features import Floats, graph_features, subsets_of
from awnas_predictors.graphs import CellGraphs


def path_features(graphs: CellGraphs) -> Floats:
    """Return what stands on the paths from inputs to the output, shape ``(B, F)``.

    For each subset of operations it is how many of them a path has: the least, the most, and the sum over all paths
    (the least of a cell without any path is its number of nodes). For each ordered pair of operations it is how often
    one comes anywhere before the other, summed over paths. Unlike lengths, none of these changes where an operation
    that does nothing, such as a skip, is left out, except for the counts of that operation itself.
    """
    parts = [_on_paths(graphs, subset) for subset in subsets_of(graphs.operations)]
    parts.append(_in_order(graphs))
    return np.concatenate([part.reshape(len(graphs), -1) for part in parts], 1).astype(np.float32)


def all_features(graphs: CellGraphs) -> Floats:
    """Return :func:`graph_features` and :func:`path_features`, shape ``(B, F)``."""
    return np.concatenate([graph_features(graphs), path_features(graphs)], 1)


def _on_paths(graphs: CellGraphs, subset: Sequence[int]) -> npt.NDArray[np.float64]:
    """Return how often a subset stands on a path, shape ``(B, G, 3)``: least, most, sum over paths."""
    exists, counted = graphs.edges > 0, np.isin(graphs.edges, subset)  # (B, G, S, to, from)
    nodes, inputs = exists.shape[-1], graphs.num_inputs
    shape = (*exists.shape[:2], 1, nodes)
    least, most = np.full(shape, np.inf), np.full(shape, -np.inf)
    paths, total = np.zeros(shape), np.zeros(shape)
    least[..., :inputs], most[..., :inputs], paths[..., :inputs] = 0, 0, 1
    for v in range(inputs, nodes):
        into, here = exists[..., v, :v], counted[..., v, :v]  # (B, G, S, from)
        least[..., 0, v] = np.where(into, least[..., :v] + here, np.inf).min((-2, -1))
        most[..., 0, v] = np.where(into, most[..., :v] + here, -np.inf).max((-2, -1))
        paths[..., 0, v] = (into * paths[..., :v]).sum((-2, -1))
        total[..., 0, v] = (into * total[..., :v] + here * paths[..., :v]).sum((-2, -1))
    return np.stack([np.minimum(least[..., -1], nodes), np.maximum(most[..., -1], 0), total[..., -1]], -1)


def _in_order(graphs: CellGraphs) -> npt.NDArray[np.float64]:
    """Return how often an operation comes before another, summed over paths, shape ``(B, G, P, P)``."""
    count, nodes, inputs = len(graphs.operations), graphs.edges.shape[-1], graphs.num_inputs
    of_kind = np.stack([(graphs.edges == op).sum(2) for op in range(1, count + 1)], -1).astype(float)
    paths = np.zeros((*graphs.edges.shape[:2], nodes))
    paths[..., :inputs] = 1
    single = np.zeros((*paths.shape, count))  # operations on the paths to a node, and pairs of them
    ordered = np.zeros((*paths.shape, count, count))
    for v in range(inputs, nodes):
        here = of_kind[..., v, :v, :]  # (B, G, from, P)
        into = here.sum(-1)
        paths[..., v] = (into * paths[..., :v]).sum(-1)
        single[..., v, :] = np.einsum("bgu,bgup->bgp", into, single[..., :v, :])
        single[..., v, :] += np.einsum("bgup,bgu->bgp", here, paths[..., :v])
        ordered[..., v, :, :] = np.einsum("bgu,bgupq->bgpq", into, ordered[..., :v, :, :])
        ordered[..., v, :, :] += np.einsum("bguq,bgup->bgpq", here, single[..., :v, :])
    return ordered[..., -1, :, :]
