"""Random numbers that are a function of a seed and a position, and of nothing drawn before."""

from __future__ import annotations

from typing import Any

import numpy as np

Seeds = np.ndarray[Any, np.dtype[np.uint64]]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(value: Any) -> Any:
    """Scramble 64-bit numbers (the finaliser of SplitMix64; Steele et al., OOPSLA 2014)."""
    with np.errstate(over="ignore"):
        value = value + GOLDEN
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))


def uniforms(seeds: Seeds, count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return ``count`` numbers in [0, 1) for each seed, shape ``(len(seeds), count)``: steps of SplitMix64."""
    with np.errstate(over="ignore"):
        states = seeds.astype(np.uint64)[:, None] + GOLDEN * np.arange(count, dtype=np.uint64)
    return (mix(states) >> np.uint64(11)) / np.float64(2**53)
