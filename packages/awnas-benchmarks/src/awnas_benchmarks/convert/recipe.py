"""Tables from CSV and JSON files, by a recipe that says what stands in them.

::

    name: nasbench-201
    space: nasbench-201
    signal: cifar10/valid_accuracy@12
    report: cifar10/test_accuracy@12
    files:
      - path: nb201_12epochs.csv.gz
        architecture: arch_str                 # genotype text
        number: idx                            # its number, by which other files may know it
        columns:
          cifar10/valid_accuracy@12: {from: [cifar10_valid], divide: 100}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from awnas_benchmarks.convert.records import Record, read_records
from awnas_benchmarks.tables.columns import Column
from awnas_benchmarks.tables.metrics import column_named, compact
from awnas_benchmarks.tables.table import Source, TableInfo, Values, write_table
from awnas_core.config.problems import ConfigProblems
from awnas_core.config.schema import options_of
from awnas_core.config.source import Place, read_source
from awnas_core.errors import ConfigError, DataError, GenotypeError
from awnas_core.layers import total_cost
from awnas_core.options import PositiveFloat
from awnas_core.rollout import Arch
from awnas_spaces.benchmark import BenchmarkSpace

NUMBER = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRecipe:
    """Where a column comes from.

    Args:
        fields: Names in the file: one, or one for each training.
        runs: Seeds of these trainings; 0, 1, … when left out.
        divide: What the values are divided by: 100 for percent.
        hole: Value that stands for "not measured".
    """

    fields: tuple[str, ...]
    runs: tuple[int, ...] = ()
    divide: PositiveFloat = 1.0
    hole: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecipe:
    """What stands in a file.

    Args:
        path: The file, from the folder of sources.
        columns: Column → where it comes from.
        architecture: The field with the genotype text; or leave it out and give ``number``.
        number: The field with the number of the architecture; with ``architecture``, it is learned for later files.
    """

    path: str
    columns: Mapping[str, ColumnRecipe]
    architecture: str | None = None
    number: str | None = None

    def __post_init__(self) -> None:
        if self.architecture is None and self.number is None:
            raise ConfigError(
                "nothing says which architecture a row is of; give architecture, number or both"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A table and what it is made of.

    Args:
        info: What the table says of itself.
        files: The files.
        counts: Prefix of the columns ``params`` and ``macs`` of the network that the search space builds around each
            architecture; None for no such columns.
    """

    info: TableInfo
    files: tuple[FileRecipe, ...]
    counts: str | None = None


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises: ConfigError with everything that is wrong in it.
    """
    source = read_source(path)
    values, problems = options_of(_recipe).validate(source.data, Place(source), "a recipe")
    if source.problems or problems:
        raise ConfigProblems([*source.problems, *problems])
    return _recipe(**values)


def convert(recipe: Recipe, folder: Path, space: BenchmarkSpace, target: Path) -> None:
    """Write the table of a recipe.

    Args:
        recipe: What to do.
        folder: Where its files lie.
        space: Reads the genotype texts.
        target: The table to write.

    Raises: DataError naming the file, the line and the field at fault.
    """
    builder = _Builder(space)
    for file in recipe.files:
        builder.add(file, folder / file.path)
    if recipe.counts is not None:
        builder.count(recipe.counts)
    keys, columns, values = builder.finish()
    write_table(target, recipe.info, columns, values, keys)


class _Builder:
    """Gathers columns of several files; rows are the architectures of all of them together."""

    def __init__(self, space: BenchmarkSpace) -> None:
        self.space = space
        self.numbers: dict[str, int] = {}  # number in the files → key
        self.archs: dict[int, Arch] = {}  # key → architecture
        self.columns: dict[str, Column] = {}
        self.parts: dict[str, tuple[np.ndarray[Any, Any], Values]] = {}  # column → keys, values

    def add(self, recipe: FileRecipe, path: Path) -> None:
        records = read_records(path)
        keys = self._keys(recipe, path, records)
        if len(np.unique(keys)) < len(keys):
            raise DataError(f"'{path}' has the same architecture twice")
        for name, column in recipe.columns.items():
            runs = column.runs or (tuple(range(len(column.fields))) if len(column.fields) > 1 else ())
            values = np.stack([_numbers(records, field, column, path) for field in column.fields], axis=1)
            self.columns[name] = replace(column_named(name), runs=runs)
            self.parts[name] = keys, values if runs else values[:, 0]

    def count(self, prefix: str) -> None:
        """Add parameters and multiply-adds of every architecture seen."""
        costs = [total_cost(self.space.layers(self.space.rollout(arch))) for arch in self.archs.values()]
        keys = np.array(list(self.archs), dtype=np.uint64)
        for name, values in (("params", [c.params for c in costs]), ("macs", [c.macs for c in costs])):
            self.columns[f"{prefix}/{name}"] = column_named(f"{prefix}/{name}")
            self.parts[f"{prefix}/{name}"] = keys, np.array(values, dtype=np.float64)

    def finish(self) -> tuple[np.ndarray[Any, Any], list[Column], dict[str, Any]]:
        """Return keys, columns, and the values of each."""
        everything = np.unique(np.concatenate([keys for keys, _ in self.parts.values()]))
        columns, values = [], {}
        for name, (keys, found) in self.parts.items():
            whole = np.full((len(everything), *found.shape[1:]), np.nan)
            whole[np.searchsorted(everything, keys)] = found
            column, values[name] = compact(self.columns[name], whole)
            columns.append(column)
        return everything, columns, values

    def _keys(self, recipe: FileRecipe, path: Path, records: Sequence[Record]) -> np.ndarray[Any, Any]:
        if recipe.architecture is None:
            assert recipe.number is not None, "a file gives one of the two"
            return np.array([self._known(r, recipe.number, path) for r in records], dtype=np.uint64)
        try:
            archs = [self.space.parse(str(_field(record, recipe.architecture, path))) for record in records]
        except GenotypeError as error:
            raise DataError(f"'{path}': {error}") from error
        keys = self.space.benchmark_keys(np.array(archs, dtype=np.int64))
        self.archs |= dict(zip(keys.tolist(), archs, strict=True))
        if recipe.number is not None:
            numbers = [str(_field(record, recipe.number, path)) for record in records]
            self.numbers |= dict(zip(numbers, keys.tolist(), strict=True))
        return keys

    def _known(self, record: Record, field: str, path: Path) -> int:
        number = str(_field(record, field, path))
        if number not in self.numbers:
            raise DataError(f"'{path}': no earlier file says which architecture has the number {number}")
        return self.numbers[number]


def _numbers(records: Sequence[Record], field: str, recipe: ColumnRecipe, path: Path) -> Values:
    values = np.empty(len(records))
    for index, record in enumerate(records):
        text = _field(record, field, path)
        try:
            values[index] = np.nan if text in ("", None) else float(text)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"'{path}', record {index + 1}: {field} must be a number, got {text!r}"
            ) from error
    if recipe.hole is not None:
        values[values == recipe.hole] = np.nan
    return values / recipe.divide


def _field(record: Record, field: str, path: Path) -> Any:
    if field not in record:
        raise DataError(f"'{path}' has no field '{field}'; there are {', '.join(record)}")
    return record[field]


def _recipe(
    *,
    name: str,
    space: str,
    signal: str,
    report: str,
    files: tuple[FileRecipe, ...],
    summary: str = "",
    counts: str | None = None,
    sources: tuple[Source, ...] = (),
) -> Recipe:
    """Describe a table.

    Args:
        name: Its name.
        space: The benchmark it is about; also the registry name of the search space.
        signal: The column to search by.
        report: The column that says how good what was found is.
        files: What it is made of.
        summary: One sentence.
        counts: Prefix of columns of parameters and multiply-adds; None for none.
        sources: Where the values come from.
    """
    info = TableInfo(name=name, space=space, summary=summary, signal=signal, report=report, sources=sources)
    return Recipe(info=info, files=files, counts=counts)
