"""How many architectures a second the search spaces sample, mutate, cross and tell apart.

    python benchmarks/spaces.py

Counted as ready ``Rollout`` objects with their hashes, in batches of 1,000 and one by one; mutations and crossovers
start from rollouts, not from codes. One thread; the best of many rounds, so that other work shows less. Then a
million architectures are sampled and mutated, and the memory of the process is compared before and after.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from awnas_core.roles.search_space import SearchSpace
from awnas_core.rollout import Rollout
from awnas_spaces.cnn import CnnSpace
from awnas_spaces.enas import EnasSpace
from awnas_spaces.ensemble import EnsembleSpace
from awnas_spaces.nb301 import Nb301Space

BATCH = 1_000
MILLION = 1_000_000
SPACES: dict[str, SearchSpace] = {
    "cnn": CnnSpace(),
    "enas": EnasSpace(),
    "nb301": Nb301Space(),
    "ensemble of 3 cnn": EnsembleSpace(inner_search_space=CnnSpace()),
}


def mutated(space: SearchSpace, parents: list[Rollout], rng: np.random.Generator) -> list[Rollout]:
    """Return a neighbour of each parent."""
    return space.rollouts(space.mutate_codes(space.encode_codes(parents), rng))


def crossed(
    space: SearchSpace, a: list[Rollout], b: list[Rollout], rng: np.random.Generator
) -> list[Rollout]:
    """Return a child of each pair."""
    return space.rollouts(space.crossover_codes(space.encode_codes(a), space.encode_codes(b), rng))


def rate(call: Callable[[], object], items: int, seconds: float = 1.0) -> float:
    """Items a second: ``items`` over the shortest time of ``call``."""
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return items / best


def resident_mb() -> float:
    """Return the memory of this process in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def measured(space: SearchSpace) -> list[float]:
    """Return the rates in the order of the table."""
    rng = np.random.default_rng(0)
    parents, others = space.random_samples(BATCH, rng), space.random_samples(BATCH, rng)
    few = parents[:20]
    return [
        rate(lambda: space.random_samples(BATCH, rng), BATCH),
        rate(lambda: mutated(space, parents, rng), BATCH),
        rate(lambda: crossed(space, parents, others, rng), BATCH),
        rate(lambda: [space.random_sample(rng) for _ in few], len(few)),
        rate(lambda: [space.mutate(parent, rng) for parent in few], len(few)),
        rate(lambda: [space.key(parent.arch) for parent in few], len(few)),
    ]


def memory_over(space: SearchSpace, count: int) -> tuple[float, float]:
    """Return the memory in MB before and after ``count`` samples and as many mutations."""
    rng = np.random.default_rng(0)
    mutated(space, space.random_samples(BATCH, rng), rng)
    before = resident_mb()
    for _ in range(count // BATCH):
        mutated(space, space.random_samples(BATCH, rng), rng)
    return before, resident_mb()


def main() -> None:
    """Measure and print a table."""
    print(f"{'a second':20} {'samples':>10} {'mutations':>10} {'crossovers':>10}", end=" ")
    print(f"{'one sample':>10} {'one mutation':>12} {'keys':>8}")
    for name, space in SPACES.items():
        samples, mutations, crossovers, sample, mutation, keys = measured(space)
        print(f"{name:20} {samples:10,.0f} {mutations:10,.0f} {crossovers:10,.0f}", end=" ")
        print(f"{sample:10,.0f} {mutation:12,.0f} {keys:8,.0f}")
    before, after = memory_over(SPACES["cnn"], MILLION)
    print(f"memory before and after a million samples and mutations of cnn: {before:.1f} MB, {after:.1f} MB")


if __name__ == "__main__":
    main()
