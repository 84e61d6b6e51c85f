"""A table: every metric of every architecture of a benchmark, on disk, asked in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from awnas_benchmarks.tables.columns import Column, ColumnName
from awnas_benchmarks.tables.file import ArrayFile, write_arrays
from awnas_core.errors import ConfigError, DataError, did_you_mean
from awnas_spaces.benchmark import Keys

COLUMNS = "columns"  # what the description of a table has, and that of a surrogate model lacks
KEYS = "keys"  # the array that holds the keys of the rows, where they are not 0, 1, 2, …
Rows = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where values come from.

    Args:
        what: Which values.
        origin: Address of the data.
        licence: Its name.
        citation: The paper to cite.
    """

    what: str
    origin: str
    licence: str
    citation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInfo:
    """What a table says of itself.

    Args:
        name: Name of the table.
        space: The benchmark it belongs to: what ``space.benchmark`` says of a space it can be asked about.
        summary: One sentence.
        signal: The column to search by unless told otherwise.
        report: The column that says how good what was found really is.
        sources: Where the values come from.
    """

    name: str
    space: str
    summary: str = ""
    signal: str
    report: str
    sources: tuple[Source, ...] = ()


def is_table(path: Path) -> bool:
    """Tell whether a file of awnas holds a table.

    Raises: DataError when it is no file of awnas, or damaged.
    """
    return COLUMNS in ArrayFile(path).description


class Table:
    """Values of every column for every row; nothing is read before it is asked for.

    Args:
        path: A file that :func:`write_table` made.

    Raises: DataError when it is not one, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._file = ArrayFile(path)
        record = dict(self._file.description)
        if COLUMNS not in record:
            raise DataError(f"'{path}' holds no table, but something else of awnas")
        self.columns: Mapping[str, Column] = {
            name: Column.from_record(column) for name, column in record.pop(COLUMNS).items()
        }
        self.size = int(record.pop("size"))
        record["sources"] = tuple(Source(**source) for source in record["sources"])
        self.info = TableInfo(**record)

    def verify(self) -> None:
        """Check the checksum of every array.

        Raises: DataError naming the first that does not hold.
        """
        for name in self._file.names:
            self._file.array(name)

    def column(self, name: str) -> Column:
        """Return the column that holds what ``name`` asks for.

        Raises: ConfigError naming the nearest, or all.
        """
        parsed = ColumnName.parse(name)
        column = self.columns.get(parsed.column)
        if column is None:
            hint = did_you_mean(name, self.columns) or f"; it has {', '.join(self.columns)}"
            raise ConfigError(f"table '{self.info.name}' has no column '{name}'{hint}")
        if parsed.epoch is not None and parsed.epoch not in column.curve:
            known = f"epochs {column.curve[0]} … {column.curve[-1]}" if column.curve else "only its end"
            raise ConfigError(f"table '{self.info.name}' knows {known} of '{column.name}', not '{name}'")
        return column

    def rows(self, keys: Keys) -> Rows:
        """Return the row of each key (``space.benchmark_keys(codes)``), −1 for those that the table lacks."""
        if KEYS not in self._file.names:
            return np.where(keys < self.size, keys, -1).astype(np.int64)
        known = self._file.array(KEYS)
        places = np.minimum(np.searchsorted(known, keys), self.size - 1)
        return np.where(known[places] == keys, places, -1)

    def values(self, name: str, rows: Rows) -> Values:
        """Return what ``name`` asks for: shape ``(n,)``, or ``(n, runs)`` of a column with several trainings.

        NaN where the table has a hole. Rows must be there (not −1).
        """
        column = self.column(name)
        stored = self._file.array(column.name)[rows]
        if column.curve:
            epoch = ColumnName.parse(name).epoch or column.curve[-1]
            stored = stored[..., column.curve.index(epoch)]
        return _decoded(stored, column.decimals)


def write_table(
    path: Path,
    info: TableInfo,
    columns: Sequence[Column],
    values: Mapping[str, npt.NDArray[Any]],
    keys: Keys | None = None,
) -> None:
    """Write a table, whole or not at all.

    Args:
        path: File to write.
        info: What the table says of itself.
        columns: The columns, in the order in which they are listed to people.
        values: Column → values, shape ``(n,)``, ``(n, runs)`` or ``(n, runs, epochs)``, NaN for a hole.
        keys: Key of each row; None when row i has key i.

    Raises: DataError when two rows have one key.
    """
    arrays = {column.name: _encoded(np.asarray(values[column.name]), column) for column in columns}
    size = len(next(iter(arrays.values())))
    if keys is not None:
        order = np.argsort(keys, kind="stable")
        arrays = {name: array[order] for name, array in arrays.items()}
        keys = keys[order]
        if (keys[1:] == keys[:-1]).any():
            raise DataError("an architecture stands in the source twice")
        if int(keys[-1]) != size - 1:  # keys 0, 1, 2, … need not be kept
            arrays[KEYS] = keys
    record = asdict(info) | {"size": size, COLUMNS: {c.name: c.to_record() for c in columns}}
    write_arrays(path, record, arrays)


def _encoded(values: npt.NDArray[Any], column: Column) -> npt.NDArray[Any]:
    if column.decimals is None:
        return values
    holes = np.isnan(values)
    scaled = np.rint(np.where(holes, 0, values) * 10.0**column.decimals)
    assert scaled.min(initial=0) >= 0, f"{column.name}: whole numbers with decimals are not negative"
    largest = scaled.max(initial=0)
    dtype = next(t for t in (np.uint8, np.uint16, np.uint32, np.uint64) if largest < np.iinfo(t).max)
    return np.where(holes, np.iinfo(dtype).max, scaled.astype(dtype)).astype(dtype)


def _decoded(stored: npt.NDArray[Any], decimals: int | None) -> Values:
    if decimals is None:
        return stored.astype(np.float64)
    hole = np.iinfo(stored.dtype).max
    return np.where(stored == hole, np.nan, stored / 10.0**decimals)
