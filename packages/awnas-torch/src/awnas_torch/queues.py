"""Endless batches from a part of a data set, the same whatever the number of workers and however often interrupted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, default_collate

from awnas_core.errors import ConfigError
from awnas_core.world import World
from awnas_torch.hashed import Seeds, mix
from awnas_torch.seeding import preserved_globals, seed_globals

Indices = np.ndarray[Any, np.dtype[np.int64]]


class DataQueue:
    """Batches of one queue: pass after pass over its examples, without end.

    The order of a pass follows from (seed, pass), the randomness of an item from (seed, pass, index). The position
    counts the batches handed out, not those that workers prepared.

    Args:
        split: Map-style collection of examples. One that offers ``fetch(indices, seeds)`` returns whole batches and
            draws their randomness from the seeds; otherwise examples are fetched one by one, each in a seeded scope.
        indices: The examples that belong to the queue, shape ``(n,)``.
        batch_size: Examples in a batch, for each process.
        seed: Where order and randomness come from.
        name: Stands in error messages.
        shuffle: Whether every pass has an order of its own.
        workers: Processes that prepare batches; 0 prepares them here.
        drop_last: Leave out the last batch of a pass when it is not full; always so with several processes.
        world: With several processes each gets its part of every batch of ``batch_size · world.size`` examples.
    """

    def __init__(
        self,
        split: Any,
        indices: Indices,
        *,
        batch_size: int,
        seed: int,
        name: str = "data",
        shuffle: bool = True,
        workers: int = 0,
        drop_last: bool = False,
        world: World = World(),
    ) -> None:
        self.split = split
        self.indices = np.asarray(indices, dtype=np.int64)
        self.batch_size = batch_size
        self.name = name
        self.workers = workers
        self.world = world
        self._plan = _Plan(self.indices, batch_size, seed, shuffle, drop_last or world.size > 1, world)
        self._position = (0, 0)  # pass, batches of it that were handed out
        self._stream: Iterator[Any] | None = None
        self._peeked: Any = None  # a batch that was fetched but not handed out

    def __len__(self) -> int:
        """Number of batches in one pass."""
        return self._plan.batches

    def peek(self) -> Any:
        """Return the batch that :meth:`next` will return, and leave the position where it is.

        Raises: ConfigError when the queue has no batch to give.
        """
        if not len(self):
            raise ConfigError(
                f"queue '{self.name}' has {len(self.indices)} examples, too few for a batch of {self.batch_size}; "
                "give it a larger data_portion or a smaller batch_size"
            )
        if self._stream is None:
            self._stream = self._open()
        if self._peeked is None:
            self._peeked = next(self._stream)
        return self._peeked

    def next(self) -> Any:
        """Return the next batch.

        Raises: ConfigError when the queue has no batch to give.
        """
        batch, self._peeked = self.peek(), None
        number, done = self._position
        self._position = (number, done + 1) if done + 1 < len(self) else (number + 1, 0)
        return batch

    def pass_over(self, batches: int | None = None) -> Iterator[Any]:
        """Yield the batches of one pass in fixed order, the same each time; the position of the queue stays.

        Args:
            batches: At most so many.
        """
        if 0 < len(self.indices) < self.world.size:
            raise ConfigError(
                f"queue '{self.name}' has {len(self.indices)} examples, too few for {self.world.size} processes; "
                "give it a larger data_portion"
            )
        fetch = _Fetch(self.split)
        for specification in self._plan.evaluation_pass(batches):
            yield fetch(specification)

    def state(self) -> dict[str, int]:
        """Return the position."""
        return {"pass": self._position[0], "batch": self._position[1]}

    def load_state(self, state: Mapping[str, int]) -> None:
        """Go on from a position."""
        self._position = (int(state["pass"]), int(state["batch"]))
        self._stream = self._peeked = None

    def _open(self) -> Iterator[Any]:
        plan = self._plan.from_position(*self._position)
        fetch = _Fetch(self.split)
        if self.workers == 0:
            return map(fetch, plan)
        loader = DataLoader(
            _BatchesOnDemand(fetch),
            sampler=_Endless(plan),  # type: ignore[arg-type]
            batch_size=None,
            num_workers=self.workers,
            collate_fn=_as_is,
            generator=torch.Generator(),  # else it draws the seed of its workers, unused here, from the global one
        )
        return iter(loader)


Specification = tuple[Indices, Seeds]
"""Which examples make up a batch, and the seed of each."""


class _Plan:
    """Which examples each batch of each pass holds, for this process."""

    def __init__(
        self, indices: Indices, batch_size: int, seed: int, shuffle: bool, drop_last: bool, world: World
    ) -> None:
        self.indices, self.seed, self.shuffle, self.world = indices, seed, shuffle, world
        self.whole = batch_size * world.size
        full, rest = divmod(len(indices), self.whole)
        self.batches = full if drop_last or not rest else full + 1

    def from_position(self, number: int, done: int) -> Iterator[Specification]:
        """Yield the batches from a position on, without end."""
        while True:
            order = self._order(number)
            seeds = _item_seeds(self.seed, number, order)
            for batch in range(done, self.batches):
                start = batch * self.whole
                part = slice(start + self.world.rank * (self.whole // self.world.size), start + self.whole)
                part = slice(part.start, min(part.stop, part.start + self.whole // self.world.size))
                yield order[part], seeds[part]
            number, done = number + 1, 0

    def evaluation_pass(self, batches: int | None) -> Iterator[Specification]:
        """Yield one pass in the order of the indices; nothing is left out, each process gets its share of every batch.

        Processes wait for each other in every batch, so that none may go without: examples that are fewer than the
        processes join the batch before.
        """
        seeds = _item_seeds(self.seed, 0, self.indices)
        starts = list(range(0, len(self.indices), self.whole))
        if len(starts) > 1 and len(self.indices) - starts[-1] < self.world.size:
            starts.pop()
        mine = slice(self.world.rank, None, self.world.size)
        for start, stop in list(itertools.pairwise([*starts, len(self.indices)]))[:batches]:
            yield self.indices[start:stop][mine], seeds[start:stop][mine]

    def _order(self, number: int) -> Indices:
        return (
            np.random.default_rng((self.seed, number)).permutation(self.indices)
            if self.shuffle
            else self.indices
        )


class _Fetch:
    """Turns a specification into a batch; runs here or in a worker, with the same result."""

    def __init__(self, split: Any) -> None:
        self.split = split

    def __call__(self, specification: Specification) -> Any:
        indices, seeds = specification
        if hasattr(self.split, "fetch"):
            return self.split.fetch(indices, seeds)
        examples = []
        with preserved_globals():
            for index, seed in zip(indices.tolist(), seeds.tolist(), strict=True):
                seed_globals(seed)
                examples.append(self.split[index])
        return default_collate(examples)


class _BatchesOnDemand(Dataset[Any]):
    def __init__(self, fetch: _Fetch) -> None:
        self._fetch = fetch

    def __getitem__(self, specification: Any) -> Any:
        return self._fetch(specification)


class _Endless:
    """Hands specifications to the loader one at a time, where it expects a sampler."""

    def __init__(self, plan: Iterator[Specification]) -> None:
        self._plan = plan

    def __iter__(self) -> Iterator[Specification]:
        return self._plan


def _as_is(batch: Any) -> Any:
    return batch


def _item_seeds(seed: int, number: int, indices: Indices) -> Seeds:
    """Return one 63-bit seed for each item of a pass."""
    mixed = mix(np.uint64(seed % 2**64) ^ mix(np.uint64(number)))
    return mix(indices.astype(np.uint64) ^ mixed) >> np.uint64(1)
