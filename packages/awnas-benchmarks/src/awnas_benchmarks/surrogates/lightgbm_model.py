"""The trees of a pickled LightGBM booster, out of its text form."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from awnas_benchmarks.surrogates.trees import Trees


def read_booster(text: str, best_iteration: int = 0) -> Trees:
    """Return the trees that the booster predicts with.

    Args:
        text: What a pickled ``Booster`` keeps as ``handle``.
        best_iteration: Trees used, where early stopping found a best number; 0 for all.

    Raises: ValueError when it is of another form, or of a kind of booster that is not a plain regression.
    """
    head, *sections = text.split("\nTree=")
    settings = _lines(head)
    if "average_output" in head or not settings.get("objective", "").startswith("regression"):
        raise ValueError(f"a booster for '{settings.get('objective')}' is no plain regression")
    if not sections:
        raise ValueError("the booster holds no trees")
    kept = sections[:best_iteration] if best_iteration > 0 else sections
    return Trees.joined([_tree(_lines(section.partition("end of trees")[0])) for section in kept])


def _tree(lines: Mapping[str, str]) -> Trees:
    if int(lines["num_cat"]):
        raise ValueError("trees that split on categories are not read")
    leaves = _numbers(lines["leaf_value"])
    splits = int(lines["num_leaves"]) - 1
    if splits == 0:
        return _stump(leaves)
    kinds = _numbers(lines["decision_type"]).astype(np.int64)
    if ((kinds >> 2) & 3 == 1).any():
        raise ValueError("trees that take zero for a missing value are not read")
    children = [_numbers(lines[f"{side}_child"]).astype(np.int32) for side in ("left", "right")]
    left, right = (
        np.where(child < 0, splits - 1 - child, child) for child in children
    )  # leaf i is written ~i
    none = np.full(splits + 1, -1, dtype=np.int32)
    return Trees(
        roots=np.zeros(1, dtype=np.int32),
        left=np.concatenate([left, none]).astype(np.int32),
        right=np.concatenate([right, none]).astype(np.int32),
        feature=np.concatenate([_numbers(lines["split_feature"]), np.zeros(splits + 1)]).astype(np.int32),
        threshold=np.concatenate([_numbers(lines["threshold"]), np.zeros(splits + 1)]),
        value=np.concatenate([np.zeros(splits), leaves]),
    )


def _stump(leaves: npt.NDArray[np.float64]) -> Trees:
    none = np.full(1, -1, dtype=np.int32)
    return Trees(none + 1, none, none, none + 1, np.zeros(1), leaves)


def _lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def _numbers(text: str) -> npt.NDArray[np.float64]:
    return np.array([float(part) for part in text.split()])
