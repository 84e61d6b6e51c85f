"""The trees of a pickled XGBoost booster, out of its binary form (up to XGBoost 2)."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from awnas_benchmarks.surrogates.trees import Trees

_SERIAL = b"CONFIG-offset:"  # since 1.0 a pickle holds the model and its settings, the place of these before
_LEARNER, _FOREST, _TREE = struct.Struct("<fIiii2I27i"), struct.Struct("<4iq2i32i"), struct.Struct("<6i31i")
_NODE = np.dtype([("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("split", "<u4"), ("info", "<f4")])
_STATISTICS = 16  # bytes a node
_DEFAULT_LEFT = np.uint32(1 << 31)  # where missing values go; ours never are


def read_booster(handle: bytes) -> tuple[Trees, float]:
    """Return the trees and what is added to the sum of their leaves.

    Args:
        handle: The buffer that a pickled ``Booster`` keeps as ``handle``.

    Raises: ValueError when it is of another form, or of a kind of booster that is not a plain regression.
    """
    reader = _Reader(
        handle[len(_SERIAL) + 8 :] if handle.startswith(_SERIAL) else handle.removeprefix(b"binf")
    )
    base, _, num_class, *_ = reader.take(_LEARNER)
    objective, booster = reader.text(), reader.text()
    if booster != "gbtree" or not objective.startswith("reg:") or num_class > 1:
        raise ValueError(f"a booster '{booster}' for '{objective}' is no plain regression")
    num_trees, *_ = reader.take(_FOREST)
    return Trees.joined([_tree(reader) for _ in range(num_trees)]), float(base)


def _tree(reader: _Reader) -> Trees:
    _, count, _, _, _, leaf_vector, *_ = reader.take(_TREE)
    if leaf_vector:
        raise ValueError("trees with vectors for leaves are not read")
    nodes = reader.array(_NODE, count)
    reader.skip(count * _STATISTICS)
    info = nodes["info"]
    return Trees(
        roots=np.zeros(1, dtype=np.int32),
        left=nodes["left"].astype(np.int32),
        right=nodes["right"].astype(np.int32),
        feature=(nodes["split"] & ~_DEFAULT_LEFT).astype(np.int32),
        # left is x < threshold, in single precision: that is x ≤ the number before it
        threshold=np.nextafter(info, np.float32(-np.inf)).astype(np.float64),
        value=info.astype(np.float64),
    )


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, layout: struct.Struct) -> tuple[Any, ...]:
        return layout.unpack(self._taken(layout.size))

    def text(self) -> str:
        (length,) = struct.unpack("<Q", self._taken(8))
        return self._taken(length).decode()

    def array(self, dtype: np.dtype[Any], count: int) -> Any:
        return np.frombuffer(self._taken(count * dtype.itemsize), dtype=dtype)

    def skip(self, length: int) -> None:
        self._taken(length)

    def _taken(self, length: int) -> bytes:
        part = self._content[self._at : self._at + length]
        if length < 0 or len(part) < length:
            raise ValueError("the booster is cut short, or of another version of XGBoost")
        self._at += length
        return part
