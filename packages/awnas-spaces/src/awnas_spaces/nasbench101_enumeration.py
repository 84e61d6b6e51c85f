"""All cells of NAS-Bench-101, each once."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from awnas_core.decisions import Codes
from awnas_spaces.nasbench101_graph import Bools

BLOCK = 2_000
"""Graphs coloured at once."""
_Hashes = npt.NDArray[np.uint64]
_ODD = tuple(np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64))


def full_graphs(vertices: int, max_edges: int) -> Bools:
    """Return the adjacency matrices of all graphs in which every vertex counts, shape ``(n, V, V)``.

    The input and every inner vertex lead somewhere, the output and every inner vertex are led to.
    """
    edges = [(a, b) for a in range(vertices) for b in range(a + 1, vertices)]
    masks = np.arange(2 ** len(edges), dtype=np.uint32)
    count, leads, is_led_to = (np.zeros(len(masks), dtype=np.uint8) for _ in range(3))
    for place, (a, b) in enumerate(edges):
        has = ((masks >> place) & 1).astype(np.uint8)
        count += has
        leads |= has << a
        is_led_to |= has << b
    everything = 2**vertices - 1
    kept = (count <= max_edges) & (leads == everything >> 1) & (is_led_to == everything - 1)
    matrices = np.zeros((int(kept.sum()), vertices, vertices), dtype=bool)
    for place, (a, b) in enumerate(edges):
        matrices[:, a, b] = (masks[kept] >> place) & 1
    return matrices


def unique_cells(vertices: int, max_edges: int, operations: int) -> tuple[Bools, Codes]:
    """Return one cell of every class of isomorphic ones.

    Args:
        vertices: Vertices of the cells, the input and output among them.
        max_edges: Most edges.
        operations: Number of operations.

    Returns: Matrices ``(n, V, V)`` and codes of the inner vertices ``(n, V − 2)``.

    The published hash, in 64 bits and over many cells at once: colours of vertices, refined by those of the neighbours.
    """
    labels = np.array(list(itertools.product(range(operations), repeat=vertices - 2)), dtype=np.int64)
    labels = labels.reshape(operations ** (vertices - 2), vertices - 2)
    graphs = full_graphs(vertices, max_edges)
    blocks = [graphs[start : start + BLOCK] for start in range(0, len(graphs), BLOCK)]
    hashes = np.concatenate([_hashes(block, labels).ravel() for block in blocks])
    first = np.sort(np.unique(hashes, return_index=True)[1])
    graph, label = np.divmod(first, len(labels))
    return graphs[graph], labels[label]


def _hashes(matrices: Bools, labels: Codes) -> _Hashes:
    """Return a hash for each graph ``(n, V, V)`` with each labelling ``(L, V − 2)``; shape ``(n, L)``."""
    ends = (
        np.full((len(labels), 1), labels.max(initial=0) + 1),
        np.full((len(labels), 1), labels.max(initial=0) + 2),
    )
    names = np.concatenate([ends[0], labels, ends[1]], axis=1).astype(np.uint64)
    degrees = (matrices.sum(2) * 16 + matrices.sum(1)).astype(np.uint64)
    colours = _mix(degrees[:, None, :] * np.uint64(1000) + names[None])  # (n, L, V)
    edges = matrices.astype(np.uint64)
    for _ in range(matrices.shape[-1]):
        before = np.einsum("nlw,nwv->nlv", _mix(colours + _ODD[0]), edges)
        after = np.einsum("nlw,nvw->nlv", _mix(colours + _ODD[1]), edges)
        colours = _mix(_mix(before) * _ODD[0] + _mix(after ^ _ODD[2]) * _ODD[1] + colours)
    return np.asarray(_mix(colours).sum(2), dtype=np.uint64)


def _mix(x: _Hashes) -> _Hashes:
    """Scramble 64 bits (the finisher of MurmurHash3)."""
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return x ^ (x >> np.uint64(33))
