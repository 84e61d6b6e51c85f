"""Dividing the splits of a data set among queues: ``data_portion``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from awnas_core.errors import ConfigError

SHAPES = "write a fraction such as 0.5, or [split, fraction], or [split, [from, to]], each with optional queue options"


@dataclass(frozen=True, slots=True)
class Portion:
    """The part of one split that one queue gets.

    Args:
        split: Name of the split.
        indices: Examples of the split, shape ``(n,)``.
        options: Options for the queue, such as ``shuffle`` or ``batch_size``.
    """

    split: str
    indices: np.ndarray[Any, np.dtype[np.int64]]
    options: Mapping[str, Any] = field(default_factory=dict)


def divide(
    portions: Sequence[Any],
    sizes: Mapping[str, int],
    *,
    views: Mapping[str, str] | None = None,
    orders: Mapping[str, Any] | None = None,
) -> list[Portion]:
    """Return what each queue gets.

    Args:
        portions: For each queue a fraction of ``train``, ``[split, fraction]`` or ``[split, [from, to]]``; the list
            forms may carry a mapping of queue options at the end. Fractions are consumed one after the other for each
            split, ranges are absolute.
        sizes: Split → number of examples.
        views: Split → the split whose examples it shows in another way; both count as one.
        orders: Split → permutation that is applied before dividing.

    Raises: ConfigError naming the portion that cannot be had.
    """
    used: dict[str, float] = {}
    return [
        _portion(index, item, sizes, views or {}, orders or {}, used) for index, item in enumerate(portions)
    ]


def split_orders(
    sizes: Mapping[str, int], views: Mapping[str, str], seed: int | None, index_file: Path | None
) -> dict[str, Any]:
    """Return a permutation for each split: read from ``index_file`` where it exists, else drawn with ``seed``.

    A drawn one is written to ``index_file`` when one is given. Views share the permutation of their split.

    Raises: ConfigError without either, or when the file does not fit the data set.
    """
    if index_file is not None and index_file.exists():
        stored = yaml.safe_load(index_file.read_text(encoding="utf-8"))
        orders = {name: np.asarray(order, dtype=np.int64) for name, order in (stored or {}).items()}
        for name, order in orders.items():
            if sorted(order.tolist()) != list(range(sizes.get(name, -1))):
                raise ConfigError(
                    f"'{index_file}' does not hold a permutation of the {sizes.get(name, 0)} of split '{name}'"
                )
    elif seed is None:
        raise ConfigError(
            "shuffle_data_before_split needs shuffle_data_before_split_seed, or a shuffle_indice_file"
        )
    else:
        names = [name for name in sizes if name not in views]
        orders = {
            name: np.random.default_rng([seed, *name.encode()]).permutation(sizes[name]) for name in names
        }
        if index_file is not None:
            text = yaml.safe_dump({name: order.tolist() for name, order in orders.items()})
            index_file.write_text(text, encoding="utf-8")
    return orders


def _portion(
    index: int,
    item: Any,
    sizes: Mapping[str, int],
    views: Mapping[str, str],
    orders: Mapping[str, Any],
    used: dict[str, float],
) -> Portion:
    where = f"data_portion[{index}]"
    split, span, options = _read(where, item)
    if split not in sizes:
        raise ConfigError(f"{where}: no split '{split}'; the data set has {', '.join(sizes)}")
    source = views.get(split, split)
    if isinstance(span, float):
        low = used.get(source, 0.0)
        used[source] = high = low + span
        if high > 1 + 1e-9:
            raise ConfigError(
                f"{where}: the fractions of split '{source}' add up to {high:g}, more than all of it"
            )
    else:
        low, high = span
    size = sizes[split]
    start, stop = int(size * low + 1e-9), min(size, int(size * high + 1e-9))
    if orders and source not in orders:
        raise ConfigError(
            f"{where}: the shuffle_indice_file holds no permutation of split '{source}', but of {', '.join(orders)}; "
            "add one, or name a new file, which is then written"
        )
    order = orders.get(source, np.arange(size))
    return Portion(split, np.asarray(order, dtype=np.int64)[start:stop], options)


def _read(where: str, item: Any) -> tuple[str, float | tuple[float, float], Mapping[str, Any]]:
    if not isinstance(item, (list, tuple)):
        return "train", _fraction(where, item), {}
    if (
        len(item) not in (2, 3)
        or not isinstance(item[0], str)
        or (len(item) == 3 and not isinstance(item[2], Mapping))
    ):
        raise ConfigError(f"{where}: {SHAPES}; got {item!r}")
    options = item[2] if len(item) == 3 else {}
    if isinstance(item[1], (list, tuple)):
        if len(item[1]) != 2:
            raise ConfigError(f"{where}: a range is [from, to], got {item[1]!r}")
        low, high = (_fraction(where, bound) for bound in item[1])
        if low > high:
            raise ConfigError(f"{where}: the range [{low:g}, {high:g}] runs backwards")
        return item[0], (low, high), options
    return item[0], _fraction(where, item[1]), options


def _fraction(where: str, value: Any) -> float:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ConfigError(
            f"{where}: {value} could be a number of examples; for a fraction write {float(value)}"
        )
    if not isinstance(value, float) or not 0 <= value <= 1:
        raise ConfigError(f"{where}: {SHAPES}; got {value!r}")
    return value
