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
from awnas_torch.sequences import TokenSequence, continued

SEQUENCE_OPTIONS = ("batch_size", "drop_last", "workers")
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
        bptt_steps: Steps in a chunk of a text, of which ``batch_size`` are read in parallel.
    """

    batch_size: int
    data_portion: Sequence[Any]
    shuffle_before_split: bool = False
    shuffle_seed: int | None = None
    shuffle_file: Path | None = None
    workers: int = 0
    bptt_steps: int = 35


class Memory:
    """What the network remembers of what it read last, for each queue; nothing where examples are independent."""

    def __init__(self) -> None:
        self._states: dict[str, Any] = {}

    def continued(self, queue: str, batch: tuple[Any, Any]) -> tuple[Any, Any]:
        """Return a batch of a queue so that it goes on where the last one ended."""
        return continued(batch, self._states.get(queue))

    def keep(self, queue: str, state: Any) -> None:
        """Remember the state that the network is in after the last batch; None for nothing."""
        if state is not None:
            self._states[queue] = state

    def state(self) -> dict[str, Any]:
        """Return what is remembered."""
        return dict(self._states)

    def load_state(self, state: Mapping[str, Any], device: ResolvedDevice) -> None:
        """Go on from there."""
        self._states = {queue: device.to(of_queue) for queue, of_queue in state.items()}


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
        portions.append(_for_derive(portions[-1], splits, views))
    return {
        name: _queue(name, portion, splits[portion.split], settings, rng, world)
        for name, portion in zip((*names, "derive"), portions, strict=True)
    }


def _for_derive(portion: Portion, splits: Mapping[str, Any], views: Mapping[str, str]) -> Portion:
    plain = f"{portion.split}_testTransform"
    split = plain if views.get(plain) == portion.split else portion.split
    in_order = {} if isinstance(splits[split], TokenSequence) else {"shuffle": False}
    return Portion(split, portion.indices, {**portion.options, **in_order})


def _queue(
    name: str, portion: Portion, split: Any, settings: QueueSettings, rng: np.random.Generator, world: World
) -> DataQueue:
    is_sequence = isinstance(split, TokenSequence)
    known = SEQUENCE_OPTIONS if is_sequence else QUEUE_OPTIONS
    for option in portion.options:
        if option not in known:
            hint = did_you_mean(option, known) or f"; there are {', '.join(known)}"
            raise ConfigError(f"data_portion of '{name}': no queue option '{option}'{hint}")
    own = {"batch_size": settings.batch_size, "workers": settings.workers, **portion.options}
    indices = portion.indices
    if is_sequence:
        split = split.columns(indices, own["batch_size"], world)
        indices, world = split.rows, World()  # the columns are this process's own
        own |= {"batch_size": settings.bptt_steps, "shuffle": False}
    return DataQueue(
        split,
        indices,
        seed=int(rng.integers(2**63)),
        name=name,
        world=world,
        **own,
    )
