"""Fetching a data set: download, unpack, arrange, and look whether all is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from awnas_core.errors import DataError, did_you_mean
from awnas_training.data import files
from awnas_training.data.sources import SOURCES, DataSource


def source_of(name: str) -> DataSource:
    """Return where a data set comes from.

    Raises: DataError for one without a source.
    """
    if name not in SOURCES:
        hint = did_you_mean(name, SOURCES) or f"; known are {', '.join(SOURCES)}"
        raise DataError(f"no source is known for the data set '{name}'{hint}")
    return SOURCES[name]


def fetch(name: str, folder: Path, tell: Callable[[str], None] = lambda line: None) -> None:
    """Download the files of a data set into ``folder``, then prepare them; nothing when they are there.

    Args:
        name: As in ``awnas data get``.
        folder: Of this data set.
        tell: Gets a line for each file.
    """
    source = source_of(name)
    if not files.missing(source, folder):
        return
    for file in source.files:
        tell(f"{file.url} -> {files.download(file, folder)}")
    prepare(name, folder)


def prepare(name: str, folder: Path) -> None:
    """Unpack and rearrange the files that are there, then check them."""
    source = source_of(name)
    for file in source.files:
        files.unpack(file, folder)
    if source.prepare == "tiny-imagenet":
        files.arrange_tiny_imagenet(folder)
    check(name, folder)


def check(name: str, folder: Path) -> None:
    """Look whether everything is there.

    Raises: DataError naming what is missing.
    """
    if absent := files.missing(source_of(name), folder):
        raise DataError(
            f"{name} is not complete in '{folder}': {', '.join(absent)} missing; try: awnas data get {name}"
        )
