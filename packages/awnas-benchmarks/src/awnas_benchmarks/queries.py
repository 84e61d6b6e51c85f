"""One architecture, asked about by a person."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from awnas_benchmarks.tables.table import Table
from awnas_core.errors import ConfigError
from awnas_core.search.genotype_file import first_genotype
from awnas_core.session import installed_registry
from awnas_spaces.benchmark import BenchmarkSpace


@dataclass(frozen=True, slots=True)
class Answer:
    """What one column says.

    Args:
        column: Its name.
        unit: Its unit.
        decimals: Its decimals, None for plain floats.
        mean: The mean over the trainings there are; None where there is none.
        runs: The value of each training; empty where it takes none.
    """

    column: str
    unit: str
    decimals: int | None
    mean: float | None
    runs: tuple[float | None, ...]

    def text(self, value: float | None) -> str:
        """Return a value in as many digits as the table has."""
        if value is None:
            return "-"
        return (
            f"{value:.6g}"
            if self.decimals is None
            else f"{value:.{max(self.decimals, 1)}f}".rstrip("0").rstrip(".")
        )

    def to_record(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return asdict(self)


def space_of(benchmark: str) -> BenchmarkSpace:
    """Return the search space of a benchmark, with its default options.

    Raises: ConfigError when no installed space goes by that name, or it has no tables.
    """
    registry = installed_registry()
    space = registry.load(registry.find("search_space", benchmark))()
    if not isinstance(space, BenchmarkSpace):
        raise ConfigError(f"the search space '{benchmark}' is of no benchmark that has tables")
    return space


def answers(table: Table, genotype: str, columns: Sequence[str]) -> list[Answer]:
    """Return what a table says of an architecture.

    Args:
        table: Whom to ask.
        genotype: Its text, or the path of a genotype list.
        columns: What to ask for; empty for everything.

    Raises: GenotypeError when it is no architecture of the space; ConfigError when the table lacks it or a column.
    """
    space = space_of(table.info.space)
    given = genotype if genotype.isdigit() else first_genotype(genotype)
    arch = space.parse(given) if isinstance(given, str) else space.check_arch(given)
    rows = table.rows(space.benchmark_keys(np.array([arch])))
    if rows[0] < 0:
        raise ConfigError(f"table '{table.info.name}' has no row for {space.genotype(arch)}")
    return [_answer(table, name, rows) for name in columns or table.columns]


def _answer(table: Table, name: str, rows: Any) -> Answer:
    column, found = table.column(name), table.values(name, rows)[0]
    runs = tuple(None if math.isnan(value) else float(value) for value in np.atleast_1d(found))
    known = [value for value in runs if value is not None]
    mean = sum(known) / len(known) if known else None
    return Answer(name, column.unit, column.decimals, mean, runs if column.runs else ())
