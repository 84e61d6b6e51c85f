"""Comparing what components return, down to arrays and tensors, whatever the global generators do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from awnas_core.run.random_streams import global_state, load_global_state, seed_global


def same(a: Any, b: Any) -> bool:
    """Tell whether two values are equal exactly: nested containers, arrays, tensors; NaN equals NaN."""
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    if hasattr(a, "detach"):
        return hasattr(b, "detach") and a.dtype == b.dtype and same(_array(a), _array(b))
    if isinstance(a, np.ndarray):
        numbers = a.dtype.kind in "fc"
        return isinstance(b, np.ndarray) and bool(np.array_equal(a, b, equal_nan=numbers))
    return bool(a == b)


@contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seed the global generators, and put them back afterwards."""
    before = global_state()
    try:
        seed_global(seed)
        yield
    finally:
        load_global_state(before)


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    """Return a tensor's values; formats that numpy lacks are widened."""
    plain = tensor.detach().cpu()
    return np.asarray(plain.double() if plain.is_floating_point() else plain)
