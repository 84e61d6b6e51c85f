"""Gradient boosting on counts: what does not add up, learned by trees."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import GradientBoostingRegressor

from awnas_hardware.models.base import Arrays, CostModel, Matrix, Sample

TREES = 400
DEPTH = 4
LEAF = -1


class BoostingModel(CostModel):
    """A sum of regression trees, kept as the arrays of their nodes.

    Args:
        level: What is predicted before any tree.
        nodes: (feature, left child, right child) of every node of all trees, shape ``(N, 3)``; a leaf is its own child.
        values: (threshold, value) of each, shape ``(N, 2)``; the value of a leaf is already scaled.
        roots: The first node of each tree, shape ``(T,)``.
    """

    kind = "boosting"

    def __init__(
        self, level: float, nodes: npt.NDArray[np.int64], values: Matrix, roots: npt.NDArray[Any]
    ) -> None:
        self.level, self.nodes, self.values, self.roots = level, nodes, values, roots

    @classmethod
    def fit(cls, sample: Sample) -> Self:
        """Grow trees on counts; small steps and half of the networks for each, always the same ones."""
        level = float(sample.costs.mean())
        boosting = GradientBoostingRegressor(
            n_estimators=TREES,
            max_depth=DEPTH,
            learning_rate=0.05,
            subsample=0.5,
            init="zero",
            random_state=0,
        )
        boosting.fit(sample.counts, sample.costs - level)
        nodes, values, roots, first = [], [], [], 0
        for (estimator,) in boosting.estimators_:
            tree = estimator.tree_
            own = np.arange(tree.node_count)
            is_leaf = tree.children_left == LEAF
            children = [np.where(is_leaf, own, side) for side in (tree.children_left, tree.children_right)]
            nodes.append(
                np.stack([np.where(is_leaf, 0, tree.feature), *(first + side for side in children)], 1)
            )
            values.append(np.stack([tree.threshold, boosting.learning_rate * tree.value[:, 0, 0]], 1))
            roots.append(first)
            first += tree.node_count
        return cls(level, np.concatenate(nodes).astype(np.int64), np.concatenate(values), np.array(roots))

    def predict(self, counts: Matrix) -> Matrix:
        """Return the sum over the leaves that each network falls into."""
        at = np.broadcast_to(self.roots, (len(counts), len(self.roots)))
        rows = np.arange(len(counts))[:, None]
        for _ in range(DEPTH):
            goes_left = counts[rows, self.nodes[at, 0]] <= self.values[at, 0]
            at = np.where(goes_left, self.nodes[at, 1], self.nodes[at, 2])
        return np.asarray(self.values[at, 1].sum(1) + self.level)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all of it."""
        return {
            "level": np.array([self.level]),
            "nodes": self.nodes,
            "values": self.values,
            "roots": self.roots,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """Take up the trees.

        Raises: ValueError when a node leads out of them.
        """
        nodes, values, roots = arrays["nodes"], arrays["values"], arrays["roots"]
        (level,) = arrays["level"].tolist()
        if nodes.ndim != 2 or nodes.shape[1] != 3 or values.shape != (len(nodes), 2) or roots.ndim != 1:
            raise ValueError("the arrays are not those of trees")
        if nodes.min() < 0 or max(nodes[:, 1:].max(), roots.max()) >= len(nodes):
            raise ValueError("a node leads out of its tree")
        return cls(float(level), nodes, values, roots)
