"""The tables there are: those that come with the package, and those that a person has converted."""

from __future__ import annotations

from pathlib import Path

from awnas_benchmarks.tables.table import Table, is_table
from awnas_core.errors import ConfigError, did_you_mean
from awnas_core.paths import data_folder
from awnas_spaces.benchmark import BenchmarkSpace

SUFFIX = ".safetensors"
SHIPPED = Path(__file__).parents[1] / "data"


def own_folder() -> Path:
    """Return the folder where converted tables lie: ``$AWNAS_DATA/tables``."""
    return data_folder("tables")


def table_paths() -> dict[str, Path]:
    """Return name → file of every table; a person's own takes the place of a shipped one."""
    folders = (SHIPPED, own_folder())
    return {
        path.name.removesuffix(SUFFIX): path
        for folder in folders
        for path in sorted(folder.glob(f"*{SUFFIX}"))
    }


def open_table(name: str) -> Table:
    """Return a table by its name, or by its path.

    Raises: ConfigError when there is no such table; DataError when the file is damaged or something else.
    """
    paths = table_paths()
    if name in paths:
        return Table(paths[name])
    if Path(name).is_file():
        return Table(Path(name))
    hint = did_you_mean(name, paths) or f"; there are {', '.join(paths)}"
    raise ConfigError(
        f"no table '{name}'{hint}. Own ones are made by awnas bench convert, or given by their path"
    )


def table_of(benchmark: str) -> Table:
    """Return the table of a benchmark: the one of its name, else any, a person's own before a shipped one.

    Raises: ConfigError when there is none; DataError when one that was looked at is damaged.
    """
    paths = table_paths()
    for path in (*(paths[name] for name in paths if name == benchmark), *reversed(paths.values())):
        if is_table(path) and (table := Table(path)).info.space == benchmark:
            return table
    raise ConfigError(
        f"no table of '{benchmark}' is here; make one with awnas bench convert, or name one: evaluator_cfg.table"
    )


def table_for(space: BenchmarkSpace, name: str | None) -> Table:
    """Return the table of that name, or the one of the space's benchmark, when it can be asked about the space.

    Raises: ConfigError when the space is of another benchmark, or of none.
    """
    benchmark = getattr(space, "benchmark", "")
    if not benchmark:
        raise ConfigError(
            f"{type(space).__name__}, with these options, is no space of a benchmark that has tables"
        )
    table = table_of(benchmark) if name is None else open_table(name)
    if table.info.space != benchmark:
        raise ConfigError(
            f"table '{table.info.name}' is about {table.info.space}, but the search space is {benchmark}"
        )
    return table
