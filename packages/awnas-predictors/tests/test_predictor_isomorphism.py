"""Cells that are equal but for the numbers of their inner nodes, found by trying all numberings."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
import torch

from awnas_predictors.embedders.named import make_embedder
from awnas_predictors.graphs import CellGraphs

NODES = 5
NUMBERINGS = [[0, *order, NODES - 1] for order in itertools.permutations(range(1, NODES - 1))]


def random_cells(count: int) -> CellGraphs:
    """Return cells of few edges and two operations, so that many are isomorphic."""
    rng = np.random.default_rng(4)
    operations = rng.integers(1, 3, size=(count, 1, 1, NODES, NODES)) * (
        rng.random((count, 1, 1, NODES, NODES)) < 0.4
    )
    below = np.tri(NODES, k=-1, dtype=np.int64)
    return CellGraphs(operations * below, ("conv", "pool"), (True, False)).pruned()


def smallest_numbering(cell: np.ndarray) -> tuple[int, ...]:
    """Return the edges in that numbering of inner nodes which makes them smallest."""
    return min(tuple(cell[np.ix_(numbering, numbering)].ravel().tolist()) for numbering in NUMBERINGS)


@pytest.mark.parametrize("name", ["gates", "ta-gates", "gcn", "linegcn"])
def test_isomorphic_cells_have_the_same_embedding_and_others_another(name: str) -> None:
    graphs = random_cells(600)
    embedder = make_embedder(name, graphs, np.random.default_rng(0), dims=(16, 16, 16, 16))
    found = embedder(torch.from_numpy(graphs.edges)).detach().double().numpy()
    found /= np.abs(found).max()
    classes: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for row, cell in enumerate(graphs.edges[:, 0, 0]):
        classes[smallest_numbering(cell)].append(row)
    renumbered = 0
    for rows in classes.values():
        np.testing.assert_allclose(found[rows], np.broadcast_to(found[rows[0]], found[rows].shape), atol=1e-5)
        renumbered += len(np.unique(graphs.edges[rows].reshape(len(rows), -1), axis=0)) - 1
    assert renumbered > 20  # pairs that are isomorphic and not equal
    firsts = found[[rows[0] for rows in classes.values()]]
    apart = [np.abs(a - b).max() > 1e-5 for a, b in itertools.combinations(firsts, 2)]
    assert np.mean(apart) > 0.99  # no message passing tells all graphs apart
