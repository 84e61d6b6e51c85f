"""Graphs of NAS-Bench-101: which vertices count, and when two graphs are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


def alive(matrices: Bools) -> Bools:
    """Return which vertices lie on a path from the input (first) to the output (last).

    Args:
        matrices: Upper-triangular adjacency, from row to column, shape ``(n, V, V)``.

    Returns: Shape ``(n, V)``; nothing but False where the input does not reach the output.
    """
    vertices = matrices.shape[-1]
    reached, reaching = np.zeros(matrices.shape[:2], dtype=bool), np.zeros(matrices.shape[:2], dtype=bool)
    reached[:, 0] = reaching[:, -1] = True
    for v in range(1, vertices):
        reached[:, v] = (matrices[:, :v, v] & reached[:, :v]).any(1)
    for v in range(vertices - 2, -1, -1):
        reaching[:, v] = (matrices[:, v, v + 1 :] & reaching[:, v + 1 :]).any(1)
    return reached & reaching


def live_edges(matrices: Bools) -> npt.NDArray[np.int64]:
    """Return the number of edges between vertices that count, shape ``(n,)``."""
    on = alive(matrices)
    return np.asarray((matrices & on[:, :, None] & on[:, None, :]).sum((1, 2)), dtype=np.int64)


def prune(matrix: Bools, operations: Sequence[int]) -> tuple[Bools, list[int]]:
    """Return a graph without the vertices that do not count.

    Args:
        matrix: Shape ``(V, V)``.
        operations: Codes of the V − 2 inner vertices.

    Returns: The adjacency matrix of those that are left, empty when the input does not reach the output, and the codes
    of the inner ones.
    """
    on = alive(matrix[None])[0]
    kept = np.flatnonzero(on)
    return matrix[np.ix_(kept, kept)], [operations[v - 1] for v in kept[1:-1]]


def graph_hash(matrix: Bools, labels: Sequence[int]) -> str:
    """Return the published hash of a pruned graph, by which the table of NAS-Bench-101 knows it.

    Equal for isomorphic graphs: each vertex starts from its degrees and label, and takes in its neighbours' hashes as
    often as there are vertices.

    Args:
        matrix: Adjacency, shape ``(V, V)``.
        labels: −1 for the input, the place of the operation in the benchmark's list, −2 for the output.

    Source: Ying et al., "NAS-Bench-101: Towards Reproducible Neural Architecture Search", ICML 2019, appendix.
    """
    vertices = range(len(labels))
    before = [[w for w in vertices if matrix[w, v]] for v in vertices]
    after = [[w for w in vertices if matrix[v, w]] for v in vertices]
    hashes = [_md5(f"({len(after[v])}, {len(before[v])}, {labels[v]})") for v in vertices]
    for _ in vertices:
        hashes = [
            _md5(
                f"{''.join(sorted(hashes[w] for w in before[v]))}|"
                f"{''.join(sorted(hashes[w] for w in after[v]))}|{hashes[v]}"
            )
            for v in vertices
        ]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
