"""``awnas data get|prepare|check``."""

from __future__ import annotations

from typing import Annotated

import typer

from awnas_training.data import fetching
from awnas_training.data.sources import SOURCES
from awnas_training.datasets.paths import data_folder

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
    fetching.fetch(name, data_folder(name), lambda line: typer.echo(line, err=True))
    _say_complete(name)


@app.command()
def prepare(name: Name) -> None:
    """Unpack and rearrange files that are there, then check them.

    Example: awnas data prepare tiny-imagenet
    """
    fetching.prepare(name, data_folder(name))
    _say_complete(name)


@app.command()
def check(name: Name) -> None:
    """Say whether the files of a data set are where they must be.

    Example: awnas data check cifar10
    """
    fetching.check(name, data_folder(name))
    _say_complete(name)


def _say_complete(name: str) -> None:
    typer.echo(f"{name}: complete in {data_folder(name)}")
