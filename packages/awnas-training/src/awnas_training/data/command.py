"""``awnas data get|prepare|check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from awnas_core.errors import DataError, did_you_mean
from awnas_core.paths import data_folder
from awnas_training.data import files
from awnas_training.data.sources import SOURCES, DataSource

app = typer.Typer(
    help="Fetch, unpack and check the files of a data set below AWNAS_DATA.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(SOURCES)}.")]


@app.command()
def get(name: Name) -> None:
    """Download the files, with checksum, then prepare and check them.

    Example: awnas data get cifar10
    """
    source, folder = _source(name), data_folder(name)
    for file in source.files:
        typer.echo(f"{file.url} -> {files.download(file, folder)}", err=True)
    prepare(name)


@app.command()
def prepare(name: Name) -> None:
    """Unpack and rearrange files that are there, then check them.

    Example: awnas data prepare tiny-imagenet
    """
    source, folder = _source(name), data_folder(name)
    for file in source.files:
        files.unpack(file, folder)
    if source.prepare == "tiny-imagenet":
        files.arrange_tiny_imagenet(folder)
    check(name)


@app.command()
def check(name: Name) -> None:
    """Say whether the files of a data set are where they must be.

    Example: awnas data check cifar10
    """
    folder = data_folder(name)
    _refuse_missing(name, _source(name), folder)
    typer.echo(f"{name}: complete in {folder}")


def _source(name: str) -> DataSource:
    if name not in SOURCES:
        hint = did_you_mean(name, SOURCES) or f"; known are {', '.join(SOURCES)}"
        raise DataError(f"no source is known for the data set '{name}'{hint}")
    return SOURCES[name]


def _refuse_missing(name: str, source: DataSource, folder: Path) -> None:
    if absent := files.missing(source, folder):
        raise DataError(
            f"{name} is not complete in '{folder}': {', '.join(absent)} missing; try: awnas data get {name}"
        )
