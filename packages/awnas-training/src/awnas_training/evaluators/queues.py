"""The data queues of a search: for the weights, for the controller, and for the final choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from awnas_core.errors import ConfigError, did_you_mean
from awnas_core.roles.dataset import Dataset
from awnas_core.world import World
from awnas_torch.device import ResolvedDevice
from awnas_torch.portions import Portion, divide, split_orders
from awnas_torch.queues import DataQueue

QUEUE_OPTIONS = ("batch_size", "drop_last", "shuffle", "workers")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """What the queues of one evaluator have in common.

    Args:
        batch_size: Examples in a batch.
        data_portion: What each queue gets; see :func:`awnas_torch.portions.divide`.
        shuffle_before_split: Permute the examples before dividing them.
        shuffle_seed: Seed of the permutation.
        shuffle_file: YAML file that holds the permutation, or gets it.
        workers: Processes for each queue.
    """

    batch_size: int
    data_portion: Sequence[Any]
    shuffle_before_split: bool = False
    shuffle_seed: int | None = None
    shuffle_file: Path | None = None
    workers: int = 0


class FixedPass:
    """One pass over a queue, the same each time it is iterated.

    Args:
        queue: Its position stays.
        steps: At most so many batches; None for all.
        device: Where the batches go.
    """

    def __init__(self, queue: DataQueue, steps: int | None, device: ResolvedDevice) -> None:
        self._queue = queue
        self._steps = steps
        self._device = device

    def __iter__(self) -> Iterator[Any]:
        return map(self._device.to, self._queue.pass_over(self._steps))


def build_queues(
    names: Sequence[str], dataset: Dataset, settings: QueueSettings, rng: np.random.Generator, world: World
) -> dict[str, DataQueue]:
    """Return a queue for each name, and ``derive``.

    Without a portion of its own, ``derive`` sees the examples of the last queue, unshuffled and, where the data set has
    such a view, not augmented.

    Raises: ConfigError when the number of portions does not fit, or one cannot be had.
    """
    given = settings.data_portion
    if len(given) not in (len(names), len(names) + 1):
        raise ConfigError(
            f"data_portion must have {len(names)} parts ({', '.join(names)}), or one more for derive; got {len(given)}"
        )
    splits, views = dataset.splits(), dataset.views()
    sizes = {name: len(split) for name, split in splits.items()}
    orders = (
        split_orders(sizes, views, settings.shuffle_seed, settings.shuffle_file)
        if settings.shuffle_before_split
        else {}
    )
    portions = divide(given, sizes, views=views, orders=orders)
    if len(portions) == len(names):
        portions.append(_for_derive(portions[-1], views))
    return {
        name: _queue(name, portion, splits[portion.split], settings, rng, world)
        for name, portion in zip((*names, "derive"), portions, strict=True)
    }


def _for_derive(portion: Portion, views: Mapping[str, str]) -> Portion:
    plain = f"{portion.split}_testTransform"
    split = plain if views.get(plain) == portion.split else portion.split
    return Portion(split, portion.indices, {**portion.options, "shuffle": False})


def _queue(
    name: str, portion: Portion, split: Any, settings: QueueSettings, rng: np.random.Generator, world: World
) -> DataQueue:
    for option in portion.options:
        if option not in QUEUE_OPTIONS:
            hint = did_you_mean(option, QUEUE_OPTIONS) or f"; there are {', '.join(QUEUE_OPTIONS)}"
            raise ConfigError(f"data_portion of '{name}': no queue option '{option}'{hint}")
    own = {"batch_size": settings.batch_size, "workers": settings.workers, **portion.options}
    return DataQueue(
        split,
        portion.indices,
        seed=int(rng.integers(2**63)),
        name=name,
        world=world,
        **own,
    )
