"""The published files that can be converted, and where their tables go."""

from __future__ import annotations

from pathlib import Path

from awnas_benchmarks.convert import hw_nas_bench, nasbench101, nasbench201, nb301, recipe
from awnas_benchmarks.queries import space_of
from awnas_benchmarks.tables.catalogue import SUFFIX, own_folder
from awnas_core.errors import ConfigError


def convert(
    kind: str, source: Path, target: Path | None, *, files: Path | None = None, curves: bool = False
) -> Path:
    """Make a table and return where it is.

    Args:
        kind: ``nasbench-101``, ``nasbench-201``, ``hw-nas-bench``, ``nb301`` or ``recipe``.
        source: The published file or folder, or a recipe.
        target: The table to write; None for one among the person's own, called after the benchmark.
        files: Where the files of a recipe lie; None for beside it.
        curves: Keep every epoch, of ``nasbench-201``.

    Raises: DataError when the source is damaged, hostile or of another form; ConfigError when it is missing.
    """
    if not source.exists():
        raise ConfigError(f"there is no '{source}'")
    if curves and kind != "nasbench-201":
        raise ConfigError(f"--curves is for nasbench-201; of {kind} every epoch there is is kept")
    if kind == "recipe":
        read = recipe.read_recipe(source)
        path = target or own_folder() / f"{read.info.name}{SUFFIX}"
        recipe.convert(read, files or source.parent, space_of(read.info.space), path)
        return path
    name = nb301.default_name(source) if kind == "nb301" else kind
    path = target or own_folder() / f"{name}{SUFFIX}"
    if kind == "nasbench-201":
        nasbench201.convert(source, path, curves=curves)
    else:
        {"nasbench-101": nasbench101, "hw-nas-bench": hw_nas_bench, "nb301": nb301}[kind].convert(
            source, path
        )
    return path
