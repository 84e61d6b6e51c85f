"""Choosing the examples of a data set that are held out: the same ones in every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SPLIT_SEED = 20
"""Fixes what is held out, whatever the seed of a run."""

Labels = np.ndarray[Any, Any]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


def held_out(labels: Labels, portions: Sequence[float], groups: Labels | None = None) -> list[Mask]:
    """Return for each portion which examples are held out, no two overlapping.

    Args:
        labels: Class of each example, ``(n,)``; every class gives its portion, rounded to whole examples.
        portions: Fractions of the examples.
        groups: Group of each example. With groups whole groups are held out instead, classes aside: examples of one
            group, such as the photographs of one person, resemble each other too much to stand on both sides.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    pools = labels if groups is None else np.zeros(len(labels))
    units = np.arange(len(labels)) if groups is None else groups
    masks = [np.zeros(len(labels), dtype=bool) for _ in portions]
    for pool in np.unique(pools):
        members = rng.permutation(np.unique(units[pools == pool]))
        bounds = np.round(np.cumsum([0.0, *portions]) * len(members)).astype(int)
        for mask, start, stop in zip(masks, bounds[:-1], bounds[1:], strict=True):
            mask[np.isin(units, members[start:stop])] = True
    return masks
