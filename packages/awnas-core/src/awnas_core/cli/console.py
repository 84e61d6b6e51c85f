"""Printing: tables, JSON, log lines and warnings."""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from awnas_core.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from awnas_core.plugins.registry import Registry

LEVELS = ("debug", "info", "warning", "error", "critical")


def start_logging() -> None:
    """Send log lines and warnings to stderr, at the level of ``AWNAS_LOG_LEVEL``.

    Raises: ConfigError when the level is unknown.
    """
    name = os.environ.get("AWNAS_LOG_LEVEL", "info").lower()
    if name not in LEVELS:
        raise ConfigError(
            f"AWNAS_LOG_LEVEL must be one of {', '.join(LEVELS)}, got '{name}'{did_you_mean(name, LEVELS)}"
        )
    logger = logging.getLogger("awnas")
    logger.setLevel(name.upper())
    logger.handlers = [_StderrHandler()]
    logger.propagate = False
    warnings.showwarning = _show_warning


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows to stdout: a table without boxes on a terminal, tab-separated lines elsewhere."""
    if not sys.stdout.isatty():
        for row in [columns, *rows]:
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def print_json(data: Any) -> None:
    """Print data as JSON to stdout."""
    typer.echo(json.dumps(data, indent=2))


def write_json(path: Path | None, data: Any) -> None:
    """Write data as JSON to a file, whole or not at all; nothing for None."""
    if path is not None:
        from awnas_core.run.files import write_atomically

        write_atomically(path, (json.dumps(data, indent=2) + "\n").encode())


def say(text: str) -> None:
    """Tell the person at the terminal something that is not a result."""
    typer.echo(text, err=True)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def perf_text(perf: Mapping[str, float]) -> str:
    """Return perfs in one short line."""
    return "; ".join(f"{name}: {value:.4g}" for name, value in perf.items())


def warn_of_failed_plugins(registry: Registry) -> None:
    """Print one line for each plugin that failed and each component that was refused."""
    for record in registry.plugins:
        if record.status == "failed":
            origin = f"{record.origin} {record.version}".strip()
            say(
                f"warning: plugin '{record.name}' ({origin}) was skipped: {record.error}. More: awnas plugins"
            )
    for refused in registry.refused:
        say(f"warning: {refused.what} is left out: {refused.reason}")


class _StderrHandler(logging.Handler):
    """Writes to whatever stderr is now, which a test may have replaced."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        typer.echo(f"{prefix}{record.getMessage()}", err=True)


def _show_warning(message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
    text = f"{message}" if category is UserWarning else f"{category.__name__}: {message}"
    logging.getLogger("awnas").warning(text)
