"""Architectures of any cell space as one batch of small graphs of integers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CellGraphs:
    """Cells whose edges carry operations; an operation on a node stands on every edge into the node.

    Nodes are in topological order: the inputs of the cell first, its output last.

    Args:
        edges: Operation from node to node, shape ``(B, G, S, V, V)`` as (architecture, cell group, slot, to, from);
            0 is no edge, ``k`` is ``operations[k - 1]``. Slots hold several edges between the same nodes.
        operations: Names of the operations.
        parametrised: Which operations have weights to train, one for each name.
        num_inputs: Input nodes of a cell.
    """

    edges: Ints
    operations: tuple[str, ...]
    parametrised: tuple[bool, ...]
    num_inputs: int = 1

    def __len__(self) -> int:
        """Return the number of architectures."""
        return len(self.edges)

    def __getitem__(self, rows: slice | npt.NDArray[np.int64 | np.bool_]) -> CellGraphs:
        """Return the architectures of a slice, of places or of a mask."""
        return replace(self, edges=self.edges[rows])

    def pruned(self) -> CellGraphs:
        """Return the graphs without the edges that lie on no path from an input to the output."""
        linked = np.asarray((self.edges > 0).any(2))
        nodes = linked.shape[-1]
        reached, reaching = np.zeros(linked.shape[:3], dtype=bool), np.zeros(linked.shape[:3], dtype=bool)
        reached[..., : self.num_inputs] = True
        reaching[..., -1] = True
        for v in range(self.num_inputs, nodes):
            reached[..., v] = (linked[..., v, :v] & reached[..., :v]).any(-1)
        for v in range(nodes - 2, -1, -1):
            reaching[..., v] = (linked[..., v + 1 :, v] & reaching[..., v + 1 :]).any(-1)
        counts = (reached & reaching)[:, :, None]
        return replace(self, edges=self.edges * (counts[..., :, None] & counts[..., None, :]))

    def one_hot(self) -> npt.NDArray[np.float32]:
        """Return which operation stands on each edge that any architecture has, shape ``(B, F)``."""
        flat = self.edges.reshape(len(self), -1)
        flat = flat[:, (self.possible() > 0).ravel()]
        return np.eye(len(self.operations) + 1, dtype=np.float32)[flat].reshape(len(self), -1)

    def possible(self) -> Ints:
        """Return 1 where the order of the nodes allows an edge, shape ``(G, S, V, V)``."""
        _, groups, slots, nodes, _ = self.edges.shape
        below = np.tri(nodes, k=-1, dtype=np.int64)
        below[: self.num_inputs] = 0
        return np.broadcast_to(below, (groups, slots, nodes, nodes))
