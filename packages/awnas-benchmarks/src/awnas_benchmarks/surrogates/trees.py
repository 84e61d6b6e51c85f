"""Ensembles of boosted trees as arrays: read without the library that grew them, asked for many rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_benchmarks.tables.file import ArrayFile, write_arrays
from awnas_core.errors import DataError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
ROWS = 256
"""Rows that walk down the trees together."""
KIND = "trees"


@dataclass(frozen=True, slots=True)
class Trees:
    """The nodes of some trees one after the other; a tree begins at its root.

    Args:
        roots: First node of each tree, shape ``(T,)``.
        left: Node to go to when the feature is at most the threshold, −1 at a leaf; shape ``(nodes,)``.
        right: Node to go to otherwise.
        feature: Column that is looked at.
        threshold: What it is compared with.
        value: What a leaf adds.
    """

    roots: Ints
    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats
    value: Floats

    @classmethod
    def joined(cls, parts: Sequence[Trees]) -> Trees:
        """Return several of them as one."""
        starts = np.cumsum([0, *(len(part.left) for part in parts)])
        moved = list(zip(parts, starts.tolist(), strict=False))
        return cls(
            roots=np.concatenate([part.roots + start for part, start in moved]).astype(np.int32),
            left=np.concatenate([np.where(part.left < 0, -1, part.left + start) for part, start in moved]),
            right=np.concatenate([np.where(part.left < 0, -1, part.right + start) for part, start in moved]),
            feature=np.concatenate([part.feature for part in parts]),
            threshold=np.concatenate([part.threshold for part in parts]),
            value=np.concatenate([part.value for part in parts]),
        )

    def leaves(self, rows: Floats) -> Floats:
        """Return what each tree adds for each row ``(n, features)``; shape ``(n, T)``."""
        index = np.arange(len(rows))[:, None]
        nodes = np.tile(self.roots, (len(rows), 1))
        while (inside := self.left[nodes] >= 0).any():
            goes_left = rows[index, self.feature[nodes]] <= self.threshold[nodes]
            below = np.where(goes_left, self.left[nodes], self.right[nodes])
            nodes = np.where(inside, below, nodes)
        return self.value[nodes]


class Ensemble:
    """Several boosted models of one quantity.

    Args:
        members: Each model's trees.
        bases: What each model adds to the sum of its leaves.
        is_single: Whether features are compared in single precision, as XGBoost does.
        about: What the ensemble predicts, JSON data.
    """

    def __init__(
        self, members: Sequence[Trees], bases: Sequence[float], *, is_single: bool, about: Mapping[str, Any]
    ) -> None:
        self.bases = np.array(bases, dtype=np.float64)
        self.is_single = is_single
        self.about = dict(about)
        self.counts = np.array([len(member.roots) for member in members])
        self._trees = Trees.joined(members)

    def predict(self, rows: Floats) -> Floats:
        """Return what each model says of each row ``(n, features)``; shape ``(n, members)``."""
        rows = rows.astype(np.float32).astype(np.float64) if self.is_single else rows
        starts = np.cumsum([0, *self.counts[:-1]])
        parts = [
            np.add.reduceat(self._trees.leaves(rows[at : at + ROWS]), starts, axis=1)
            for at in range(0, len(rows), ROWS)
        ]
        return np.concatenate(parts) + self.bases

    def save(self, path: Path) -> None:
        """Write the ensemble in the file format of tables."""
        trees = self._trees
        arrays = {name: getattr(trees, name) for name in Trees.__slots__}
        description = {"kind": KIND, "is_single": self.is_single, "about": self.about}
        write_arrays(path, description, {**arrays, "counts": self.counts, "bases": self.bases})

    @classmethod
    def load(cls, path: Path) -> Ensemble:
        """Return what :meth:`save` wrote.

        Raises: DataError when the file is another, or damaged.
        """
        file = ArrayFile(path)
        if file.description.get("kind") != KIND:
            raise DataError(f"'{path}' is no surrogate model; make one with: awnas bench convert nb301")
        trees = Trees(**{name: file.array(name) for name in Trees.__slots__})
        found = cls.__new__(cls)
        found.bases, found.counts = file.array("bases"), file.array("counts")
        found.is_single, found.about = file.description["is_single"], file.description["about"]
        found._trees = trees
        return found
